"""Chooses the newest run where several lie in one folder, and says what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ait_cmp.discover.levels import Levels
from ait_cmp.discover.tree import StepKey

Item = TypeVar("Item")
_NAMES_SHOWN = 4


def number_ranges(numbers: Iterable[int]) -> str:
    """`0, 3 to 9` for 0, 3, 4, ... 9."""
    spans: list[list[int]] = []
    for number in sorted(numbers):
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a} to {b}" if b > a else str(a) for a, b in spans)


@dataclass(frozen=True)
class StepFolder(Generic[Item]):
    """A folder of dump files, those of one step, with its levels.

    Attributes:
        path: Absolute path.
        levels: What the names above say.
        files: Its dump files, at least one.
        newest: Largest time stamp of the files, -1 if no name has one.
    """

    path: str
    levels: Levels
    files: Sequence[Item]
    newest: int


def parts_of_steps(
    folders: Iterable[StepFolder[Item]],
) -> Iterable[tuple[StepKey, list[Sequence[Item]]]]:
    """Every step with the files of its folders."""
    parts: dict[StepKey, list[Sequence[Item]]] = {}
    for folder in folders:
        key = StepKey(folder.levels.rank, folder.levels.graph, folder.levels.step)
        parts.setdefault(key, []).append(folder.files)
    return parts.items()


def name_list(names: Iterable[str]) -> str:
    """Up to four names, then how many more."""
    names = sorted(names)
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def newest_dumps(folders: list[StepFolder[Item]]) -> tuple[list[StepFolder[Item]], list[str]]:
    """Of several dump folders below the given path, take the newest for every rank.

    A tree without rank folders is a run of its own: it does not mix with one that has them.
    """
    by_rank: dict[int, list[StepFolder[Item]]] = {}
    for folder in folders:
        by_rank.setdefault(folder.levels.rank, []).append(folder)
    notes = []
    if -1 in by_rank and len(by_rank) > 1:
        unranked = by_rank[-1]
        ranked = [folder for rank, group in by_rank.items() if rank >= 0 for folder in group]
        losing = unranked if _age(unranked) <= _age(ranked) else ranked
        by_rank = {
            rank: group for rank, group in by_rank.items() if (rank < 0) != (losing is unranked)
        }
        which = "with" if losing is unranked else "without"
        notes.append(
            f"Dumps with and without rank folders lie in one folder; those {which} are the newest "
            f"and are taken, {len(losing)} folders are left out."
        )
    kept: list[StepFolder[Item]] = []
    for rank, group in sorted(by_rank.items()):
        chosen, newest, left = _newest(group, lambda at: at.base)
        kept.extend(chosen)
        if left:
            notes.append(
                f"{_whose(rank, [])}: several dump folders; the newest, {newest}, is taken, "
                f"{name_list(left)} left out."
            )
    return kept, notes


def newest_runs(folders: list[StepFolder[Item]]) -> tuple[list[StepFolder[Item]], list[str]]:
    """For every rank, device and graph take the newest time folder, then its highest model id."""
    by_graph: dict[tuple[int, int, str], list[StepFolder[Item]]] = {}
    for folder in folders:
        levels = folder.levels
        by_graph.setdefault((levels.rank, levels.device, levels.graph), []).append(folder)
    kept: list[StepFolder[Item]] = []
    runs: dict[tuple[int, str, str], list[str]] = {}
    models: dict[tuple[int, int, str], list[str]] = {}
    for (rank, _, graph), group in sorted(by_graph.items()):
        chosen, newest, left = _newest(group, lambda at: at.container)
        if left:
            runs.setdefault((rank, newest, name_list(left)), []).append(graph)
        highest = max(folder.levels.model_id for folder in chosen)
        others = {folder.levels.model_id for folder in chosen} - {highest}
        if others:
            models.setdefault((rank, highest, number_ranges(others)), []).append(graph)
        kept.extend(folder for folder in chosen if folder.levels.model_id == highest)
    notes = [
        f"{_whose(rank, graphs)}: several runs; the newest, {newest}, is taken, {left} left out."
        for (rank, newest, left), graphs in runs.items()
    ]
    notes += [
        f"{_whose(rank, graphs)}: several model ids; {highest}, the last one loaded, is taken, "
        f"{others} left out."
        for (rank, highest, others), graphs in models.items()
    ]
    return kept, notes


def _newest(
    group: list[StepFolder[Item]], folder_of: Callable[[Levels], str]
) -> tuple[list[StepFolder[Item]], str, set[str]]:
    """(steps of the newest folder, that folder, the other folders)."""
    by_folder: dict[str, list[StepFolder[Item]]] = {}
    for folder in group:
        by_folder.setdefault(folder_of(folder.levels), []).append(folder)
    newest = max(by_folder, key=lambda folder: (*_age(by_folder[folder]), folder))
    return by_folder[newest], newest, set(by_folder) - {newest}


def _age(folders: list[StepFolder[Item]]) -> tuple[str, int]:
    """Sorts later runs last: by time folder, then by the newest file."""
    return max((folder.levels.time, folder.newest) for folder in folders)


def _whose(rank: int, graphs: list[str]) -> str:
    names = ([f"rank {rank}"] if rank >= 0 else []) + ([name_list(graphs)] if graphs else [])
    return ", ".join(names) or "this dump"
