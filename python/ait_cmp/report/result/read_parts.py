"""The comparison that a result.json tells of, without its rows."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ait_cmp import _core
from ait_cmp.config import Limits
from ait_cmp.errors import FormatError
from ait_cmp.report.comparison import Comparison, Counts, RunFacts
from ait_cmp.report.divergence_groups import group_divergences
from ait_cmp.report.exhibits import where_of
from ait_cmp.report.findings import DifferingInput, Divergence
from ait_cmp.report.graph_outputs import GraphOutput
from ait_cmp.report.merging import known_places
from ait_cmp.report.notes import Note, ZeroTensors
from ait_cmp.report.result.parts import MORE_OF_FIRST, NOTE_LISTS
from ait_cmp.report.tally import GoldenSeen, OneRun, Op, Tally, UnmetStep

# What `divergences` has of a divergence under its own name.
_TOLD = (
    *("rank", "graph", "token", "op_name", "op_type", "kind", "upstream_error", "error"),
    *("error_growth", "given_block", "block_error", "block_growth", "limit", "fx_node", "module"),
    *("source", "candidates", "later_failures", "replay"),
)
# Fields that hold a number, or a text for what JSON has not.
_NUMBERS = frozenset(
    {
        *("upstream_error", "error", "error_growth", "given_block", "block_error", "block_growth"),
        *("limit", "cosine", "argmax_differs"),
    }
)
# What result.json has of a divergence beside its cells.
_PICTURE = (
    *("data_id", "my", "golden", "my_dtype", "golden_dtype", "shape", "errors", "errors_note"),
    "neighbourhood",
)


def comparison_of(content: Mapping[str, Any], path: Path) -> Comparison:
    """What a result.json says, without its rows.

    Args:
        content: Of the file.
        path: Its path, for messages; reports lie beside it.

    Raises:
        FormatError: It was written by another version, or is damaged.
    """
    program = content.get("program")
    if program != _core.__version__ or "merge" not in content:
        message = f"{path} was written by ait-cmp {program}, this is {_core.__version__}: reports "
        message += "are merged by the version that wrote them; compare again, or use that one"
        raise FormatError(message)
    try:
        return _comparison(content, path)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        message = f"{path}: damaged: the field merge cannot be read ({type(error).__name__}: "
        message += f"{error})"
        raise FormatError(message) from error


def _comparison(content: Mapping[str, Any], path: Path) -> Comparison:
    kept = content["merge"]
    result = Comparison(counts=_counts(content, kept), custom_names=kept["columns"])
    result.inputs_differ = [DifferingInput(*found) for found in kept["inputs_differ"]]
    result.outputs = [
        GraphOutput(*map(_plain, GraphOutput._fields, output)) for output in kept["outputs"]
    ]
    result.replayed = dict(kept["replayed"])
    result.n_ops, result.n_ops_without_file, result.n_ops_in_other_steps = kept["ops"]
    result.has_graph_text = kept["has_graph_text"]
    result.was_interrupted = content["was_interrupted"]
    result.tally = _tally(content, kept)
    result.csv_paths = [path.with_name(report["name"]) for report in content["csv"]]
    result.result_path = path
    places = list(_divergences(content["divergences"], kept))
    result.divergences = [found for found, _ in places]
    if kept["has_baseline"]:
        known = frozenset(where_of(found) for found, is_known in places if is_known)
        result.baseline = known_places(known)
    groups = group_divergences(result.divergences)
    for told, group in zip(content["divergences"], groups):
        picture = {name: told[name] for name in _PICTURE if name in told}
        result.pictures[where_of(group.first)] = picture
    result.run = RunFacts(
        content["my_path"],
        content["golden_path"],
        Limits(**content["limits"]),
        datetime.datetime.fromisoformat(content["time"]).timestamp(),
        content["command"],
    )
    result.tell()
    return result


def _counts(content: Mapping[str, Any], kept: Mapping[str, Any]) -> Counts:
    counts, told = Counts(), content["counts"]
    for mine, theirs in (
        (counts, told["status"]),
        (counts.golden, told["golden"]),
        (counts.verdicts, told["verdict"]),
        (counts.matches, told["match"]),
        (counts.estimated, told["estimated"]),
        (counts.misses, kept["misses"]),
    ):
        mine.update({str(key): int(number) for key, number in theirs.items()})
    counts.without_block = int(kept["without_block"])
    counts.ranks = {int(one["rank"]): int(one["rows"]) for one in content["csv"]}
    counts.failing_modules = {one["module"]: one["rows"] for one in content["failing_modules"]}
    return counts


def _tally(content: Mapping[str, Any], kept: Mapping[str, Any]) -> Tally:
    golden = kept["golden"]
    not_compared = kept["not_compared"]
    lists = {name: [Note(*note) for note in kept[name]] for name in NOTE_LISTS}
    return Tally(
        unproven=Counter({Op(*op): number for *op, number in kept["unproven"]}),
        not_compared=None if not_compared is None else Note(*not_compared),
        shapes=Counter({(mine, other): number for mine, other, number in kept["shapes"]}),
        zeros={side: ZeroTensors(*found) for side, found in kept["zeros"].items()},
        golden=GoldenSeen(
            set(golden["ranks"]),
            set(golden["alone"]),
            [UnmetStep(*step) for step in golden["unmet"]],
        ),
        runs=[
            OneRun(
                **{
                    **run,
                    "ranks": tuple(run["ranks"]),
                    "command": None if run["command"] is None else tuple(run["command"]),
                }
            )
            for run in content["runs"]
        ],
        **lists,
    )


def _divergences(
    told: Sequence[Mapping[str, Any]], kept: Mapping[str, Any]
) -> Iterator[tuple[Divergence, bool]]:
    """Every divergence in order, and whether a baseline has it.

    Of the first of an op of the model all is known, of the others where they are.
    """
    found: list[tuple[tuple[int, str, int, int], Divergence, bool]] = []
    for number, (kind, op_type, role, places) in enumerate(kept["places"]):
        for at, (rank, graph, token, op_name, is_known) in enumerate(places):
            cells: dict[str, Any] = {
                **dict.fromkeys(Divergence._fields[:15]),
                **{"upstream_error": 0.0, "limit": 0.0, "file": "", "golden": ""},
                **{"rank": rank, "graph": graph, "token": token, "op_name": op_name},
                **{"op_type": op_type, "kind": kind, "role": role},
            }
            if at == 0 and number < len(told):
                cells.update({name: _plain(name, told[number][name]) for name in _TOLD})
                cells.update(
                    {name: _plain(name, kept["first"][number][name]) for name in MORE_OF_FIRST}
                )
            where = (rank, graph, token, number)
            found.append((where, Divergence(**cells), bool(is_known)))
    for _, divergence, is_known in sorted(found, key=lambda one: one[0]):
        yield divergence, is_known


def _plain(name: str, value: Any) -> Any:
    """A value as it was before it was written: tuples, NaN and infinities."""
    if isinstance(value, list):
        return tuple(value)
    return float(value) if name in _NUMBERS and isinstance(value, str) else value
