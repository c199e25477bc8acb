"""Chooses the newest run where several lie in one folder, and says what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ait_cmp.discover.levels import Levels

Item = TypeVar("Item")
_NAMES_SHOWN = 4


@dataclass(frozen=True)
class Place(Generic[Item]):
    """A folder of dump files with its levels.

    Attributes:
        folder: Absolute path.
        levels: What the names above say.
        files: Its dump files, at least one.
        newest: Largest time stamp of the files, -1 if no name has one.
    """

    folder: str
    levels: Levels
    files: Sequence[Item]
    newest: int


def name_list(names: Iterable[str]) -> str:
    """Up to four names, then how many more."""
    names = sorted(names)
    shown = ", ".join(names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def newest_dumps(places: list[Place[Item]]) -> tuple[list[Place[Item]], list[str]]:
    """Of several dump folders below the given path, take the newest for every rank.

    A tree without rank folders is a run of its own: it does not mix with one that has them.
    """
    by_rank: dict[int, list[Place[Item]]] = {}
    for place in places:
        by_rank.setdefault(place.levels.rank, []).append(place)
    notes = []
    if -1 in by_rank and len(by_rank) > 1:
        unranked = by_rank[-1]
        ranked = [place for rank, group in by_rank.items() if rank >= 0 for place in group]
        left = unranked if _age(unranked) <= _age(ranked) else ranked
        by_rank = {
            rank: group for rank, group in by_rank.items() if (rank < 0) != (left is unranked)
        }
        which = "with" if left is unranked else "without"
        notes.append(
            f"Dumps with and without rank folders lie in one folder; those {which} are the newest "
            f"and are taken, {len(left)} folders are left out."
        )
    kept = []
    for rank, group in sorted(by_rank.items()):
        chosen, note = _take_newest(group, lambda at: at.base, "dump folders", _whose(rank, ""))
        kept.extend(chosen)
        notes.extend(note)
    return kept, notes


def newest_runs(places: list[Place[Item]]) -> tuple[list[Place[Item]], list[str]]:
    """For every rank, device and graph take the newest time folder, then its highest model id."""
    by_graph: dict[tuple[int, int, str], list[Place[Item]]] = {}
    for place in places:
        levels = place.levels
        by_graph.setdefault((levels.rank, levels.device, levels.graph), []).append(place)
    kept: list[Place[Item]] = []
    notes: list[str] = []
    for (rank, _, graph), group in sorted(by_graph.items()):
        chosen, note = _take_newest(
            group, lambda at: at.container, "time folders", _whose(rank, graph)
        )
        highest = max(place.levels.model_id for place in chosen)
        others = {place.levels.model_id for place in chosen} - {highest}
        if others:
            ids = name_list(map(str, others))
            note.append(
                f"{_whose(rank, graph)}: several model ids; {highest}, the last one loaded, is "
                f"taken, {ids} left out."
            )
        kept.extend(place for place in chosen if place.levels.model_id == highest)
        notes.extend(note)
    return kept, notes


def _take_newest(
    group: list[Place[Item]], folder_of: Callable[[Levels], str], what: str, whose: str
) -> tuple[list[Place[Item]], list[str]]:
    by_folder: dict[str, list[Place[Item]]] = {}
    for place in group:
        by_folder.setdefault(folder_of(place.levels), []).append(place)
    newest = max(by_folder, key=lambda folder: (*_age(by_folder[folder]), folder))
    left = set(by_folder) - {newest}
    if not left:
        return group, []
    note = f"{whose}: several {what}; the newest, {newest}, is taken, {name_list(left)} left out."
    return by_folder[newest], [note]


def _age(places: list[Place[Item]]) -> tuple[str, int]:
    """Sorts later runs last: by time folder, then by the newest file."""
    return max((place.levels.time, place.newest) for place in places)


def _whose(rank: int, graph: str) -> str:
    names = ([f"rank {rank}"] if rank >= 0 else []) + ([graph] if graph else [])
    return ", ".join(names) or "this dump"
