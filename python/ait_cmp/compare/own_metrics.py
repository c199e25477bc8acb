"""The cells of the user's own metrics, row by row."""

from __future__ import annotations

from collections.abc import Sequence

from ait_cmp import _core
from ait_cmp.errors import FormatError, reason_of
from ait_cmp.pairing.pair import Pair
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.report.custom import CustomAlgorithm
from ait_cmp.report.row import Row


def fill_own_metrics(step: PairedStep, algorithms: Sequence[CustomAlgorithm], access: str) -> None:
    """Call every algorithm for every compared row of a step."""
    rows = step.rows
    for number, pair in enumerate(step.pairs.pairs[: len(rows)]):
        rows[number] = _with_cells(pair, Row._make(rows[number]), algorithms, access)


def _with_cells(pair: Pair, row: Row, algorithms: Sequence[CustomAlgorithm], access: str) -> Row:
    empty = ("",) * len(algorithms)
    if row.status != "compared" or pair.golden is None or _is_reduced(pair):
        return row._replace(custom=empty)
    try:
        my = _core.read_values(pair.my, access).astype("float32")
        golden = _core.read_values(pair.golden, access).astype("float32")
    except (FormatError, OSError) as error:  # no number, or the file has changed
        reason = f"{row.cmp_fail_reason} Custom algorithms: {reason_of(error)}.".lstrip()
        return row._replace(custom=empty, cmp_fail_reason=reason)
    cells = [algorithm(golden, my) for algorithm in algorithms]
    messages = [row.cmp_fail_reason, *(message for _, message in cells)]
    return row._replace(
        custom=tuple(value for value, _ in cells),
        cmp_fail_reason=" ".join(message for message in messages if message),
    )


def _is_reduced(pair: Pair) -> bool:
    sides = (pair.my, pair.golden)
    return any(side is not None and side.kind != "dump" for side in sides)
