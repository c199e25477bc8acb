"""Watch mode of torchair's dump: after which op the memory of a watched op was overwritten.

The outputs of a watched op are dumped again after every op that runs behind it. The same tensor has
the same figures every time, bit for bit: where they change, something else wrote there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ait_cmp.pairing.pair import Watched
from ait_cmp.report.row import Row


def overwritten(rows: Iterable[Row], watched: Mapping[str, Watched]) -> list[str]:
    """A sentence for every watched output that changed.

    Args:
        rows: Rows of a step in execution order.
        watched: Path of a my-side file of watch mode -> what it holds.
    """
    ops = {of.op for of in watched.values()}
    seen: dict[tuple[str, int], list[tuple[str, Row]]] = {}
    for row in rows:
        if row.io != "outputs" or row.status != "compared":
            continue
        of = watched.get(row.my_data_path.rpartition(",outputs,")[0])
        if of is not None:
            seen.setdefault((of.op, row.index), []).append((of.after, row))
        elif row.op_name in ops:
            seen.setdefault((row.op_name, row.index), []).insert(0, ("", row))
    return [
        sentence
        for (op, index), moments in seen.items()
        if (sentence := _sentence(op, index, moments))
    ]


def _sentence(op: str, index: int, moments: list[tuple[str, Row]]) -> str:
    name = op if index == 0 else f"output {index} of {op}"
    before = moments[0]
    for moment in moments[1:]:
        if _figures(moment[1]) != _figures(before[1]):
            intact = f"intact after {before[0]} and " if before[0] else ""
            return (
                f"{name} is {intact}different from {moment[0]} on: its memory was overwritten "
                "there."
            )
        before = moment
    return ""


def _figures(row: Row) -> tuple[object, ...]:
    """What equal tensors have equal."""
    return (
        *(row.my_max_value, row.my_min_value, row.my_mean_value, row.my_nan_count),
        *(row.my_inf_count, row.max_absolute_error, row.relative_euclidean_distance),
        *(row.mean_absolute_error, row.cosine_similarity, row.worst_index),
    )
