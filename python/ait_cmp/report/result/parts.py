"""What a result.json keeps so that reports can be merged, its field `merge`.

Rows are not among it: those are in the CSV files. `read_parts` makes a comparison of it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ait_cmp.report.exhibits import MOST_EXHIBITS
from ait_cmp.report.graph_outputs import telling_outputs
from ait_cmp.report.tally import Tally

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison
    from ait_cmp.report.divergence_groups import Group

# Lists of notes in a tally.
NOTE_LISTS = ("notes", "unread", "refused", "overwritten")
# Of the first divergence of an op of the model: what is kept beside what `divergences` has.
MORE_OF_FIRST = ("file", "golden", "remarks", "my_tensor", "writer", "role")


def runs_of(tally: Tally) -> list[dict[str, Any]]:
    """The field `runs`."""
    return [run._asdict() for run in tally.runs]


def parts_of(result: Comparison, groups: Sequence[Group]) -> dict[str, Any]:
    """The field `merge`."""
    tally, counts = result.tally, result.counts
    not_compared = tally.not_compared
    return {
        "columns": list(result.custom_names),
        "misses": dict(sorted(counts.misses.items())),
        "without_block": counts.without_block,
        "inputs_differ": [list(found) for found in result.inputs_differ],
        "outputs": [list(output) for output in telling_outputs(result.outputs)],
        "unproven": [[*op, number] for op, number in tally.unproven.items()],
        "replayed": dict(sorted(result.replayed.items())),
        **{name: [list(note) for note in getattr(tally, name)] for name in NOTE_LISTS},
        "not_compared": None if not_compared is None else list(not_compared),
        "shapes": [[*factor, number] for factor, number in sorted(tally.shapes.items())],
        "zeros": {side: list(found) for side, found in sorted(tally.zeros.items())},
        "golden": {
            "ranks": sorted(tally.golden.ranks),
            "alone": sorted(tally.golden.alone),
            "unmet": [list(step) for step in sorted(tally.golden.unmet)],
        },
        "ops": [result.n_ops, result.n_ops_without_file, result.n_ops_in_other_steps],
        "has_graph_text": result.has_graph_text,
        "has_baseline": result.baseline is not None,
        "places": [_places(group, result) for group in groups],
        "first": [
            {name: getattr(group.first, name) for name in MORE_OF_FIRST}
            for group in groups[:MOST_EXHIBITS]
        ],
    }


def _places(group: Group, result: Comparison) -> list[Any]:
    """An op of the model and every place where it diverges."""
    known = result.baseline
    places = [
        [found.rank, found.graph, found.token, found.op_name, known is not None and found in known]
        for found in (group.first, *group.others)
    ]
    return [group.first.kind, group.first.op_type, group.first.role, places]
