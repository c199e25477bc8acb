"""One row per output of every file: its fields, and their text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ait_cmp import _core
from ait_cmp.discover import StepKey
from ait_cmp.replay.edges import EdgeState
from ait_cmp.replay.step import OpReplay
from ait_cmp.replay.verdict import OutputVerdict, Status


class ReplayRow(NamedTuple):
    """What is known of one output of one file; fields are the columns of the CSV.

    Attributes:
        rank: Rank, -1 without rank folders.
        graph: Name of the graph's folder.
        token_id: Step, from 0.
        op_name: Name of the op.
        op_type: Its GE type.
        index: Number of the output in its file.
        dtype: Stored dtype.
        shape: Logical shape.
        status: "right", "wrong" or "not_replayed".
        own_error: Relative Euclidean distance from what its inputs say.
        own_growth: The same in units of honest rounding.
        worst_units: Largest error of one element in its own units.
        n_wrong: Elements beyond the limit, or that differ where none may.
        bias: Mean error away from zero of the larger half of the elements, in units.
        nonfinite_count: Elements that are NaN or infinite on one side alone.
        kind: Kind of the reference.
        edge: Whether the inputs of the op are what their producers wrote.
        reason: Why it is wrong, or not replayed; a remark, or "".
        my_data_path: `{file},outputs,{index}`.
    """

    rank: int
    graph: str
    token_id: int
    op_name: str
    op_type: str
    index: int
    dtype: str
    shape: str
    status: Status
    own_error: float | None
    own_growth: float | None
    worst_units: float | None
    n_wrong: int | None
    bias: float | None
    nonfinite_count: int | None
    kind: str
    edge: EdgeState
    reason: str
    my_data_path: str


COLUMNS = ReplayRow._fields


def rows_of(key: StepKey, replay: OpReplay) -> list[ReplayRow]:
    """The rows of one file; an unreadable one, whose outputs are not known, has one."""
    return [_row(key, replay, index, verdict) for index, verdict in enumerate(replay.outputs)]


def _row(key: StepKey, replay: OpReplay, index: int, verdict: OutputVerdict) -> ReplayRow:
    op = replay.op
    head = op.outputs[index] if index < len(op.outputs) else None
    reason = verdict.reason
    if replay.differences:
        reason = (
            f"{reason}; {replay.differences[0].sentence}"
            if reason
            else (replay.differences[0].sentence)
        )
    return ReplayRow(
        rank=key.rank,
        graph=key.graph,
        token_id=key.step,
        op_name=op.name,
        op_type=replay.op_type,
        index=index,
        dtype=head.dtype if head else "",
        shape=str(list(head.shape)) if head else "",
        status=verdict.status,
        own_error=verdict.own_error,
        own_growth=verdict.own_growth,
        worst_units=verdict.worst_units,
        n_wrong=verdict.n_wrong,
        bias=verdict.bias,
        nonfinite_count=verdict.nonfinite_count,
        kind=verdict.kind,
        edge=replay.edge,
        reason=reason,
        my_data_path=f"{op.file.path},outputs,{index}" if head else op.file.path,
    )


def csv_lines(rows: list[ReplayRow]) -> bytes:
    """Lines of the CSV; own_* are printed with 6 digits: what they are made from uses BLAS."""
    return table_lines([tuple(row) for row in rows])


def table_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    """Lines of cells: an empty one for None."""
    return _core.csv_lines([tuple(map(_cell, row)) for row in rows])


def _cell(value: Any) -> str | float:
    if value is None:
        return ""
    cell: str | float = float(f"{value:.6g}") if isinstance(value, float) else value
    return cell
