"""`ait-cmp diff A B`: two tensors in full: metrics, a histogram of errors, the worst elements."""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ait_cmp.cli.exit_status import ExitStatus
from ait_cmp.cli.limit_options import add_limit_options, limits_of
from ait_cmp.cli.terminal import say
from ait_cmp.config import WORST_SHOWN
from ait_cmp.report.json_text import json_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ait_cmp.info.results import SideResult
    from ait_cmp.tensor_ref import TensorRef

# Values of both sides that are in memory at once.
_CHUNK = 1 << 20
# Absolute errors are counted by their power of ten, from below 10^-12 to 10^12 and above.
_DECADES = range(-12, 13)
_BAR_WIDTH = 40


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `diff`."""
    parser = commands.add_parser(
        "diff",
        help="two tensors: all metrics, histogram of errors, the worst elements",
        description="Compare two tensors. A tensor is FILE (.npy), or FILE,inputs|outputs,INDEX "
        "of a GE dump as the report writes it.",
    )
    parser.add_argument("my", metavar="A", help="tensor under test")
    parser.add_argument("golden", metavar="B", help="reference")
    parser.add_argument(
        "--worst",
        "-k",
        type=int,
        default=WORST_SHOWN,
        metavar="K",
        help="elements shown (default: %(default)s)",
    )
    parser.add_argument(
        "--report",
        metavar="REPORT",
        help="CSV of a comparison, or its folder: say what it says of this pair; 1 if it fails",
    )
    add_limit_options(parser, of_graphs=False)
    parser.add_argument("--json", action="store_true", help="one JSON object for machines")


def run(options: argparse.Namespace) -> int:
    """Print the difference of two tensors; 0 equal within the limits, 1 not."""
    from ait_cmp import _core
    from ait_cmp.cli.tensor_spec import parse_tensor_spec
    from ait_cmp.compare.arrays import metrics_of_result
    from ait_cmp.errors import ConfigError
    from ait_cmp.info.results import result_of
    from ait_cmp.report.verdict import is_within
    from ait_cmp.tensor_ref import Job

    if options.worst < 0:
        message = f"--worst: a number from 0 on expected, found {options.worst}"
        raise ConfigError(message)
    limits = limits_of(options)
    row: dict[str, str] | None = None
    refs = [parse_tensor_spec(text).address() for text in (options.my, options.golden)]
    if options.report is not None:
        from ait_cmp.cli.diff_report import reported_pair
        from ait_cmp.config import expanded

        row = reported_pair(expanded(options.report), *refs)
    (plain,) = next(_core.Batch([Job(*refs)], threads=1))
    result = result_of(plain)
    mine, theirs, reason = result.my, result.golden, result.reason
    has_values = mine is not None and theirs is not None and mine.sums is not None
    if not has_values or result.status != "compared":
        answer = {"status": result.status, "note": reason}
        say(json_line(answer) if options.json else f"{result.status}: {reason}")
        # Bytes without a value coding may be equal; two shapes are a difference.
        statuses = {"compared": ExitStatus.OK, "shape_mismatch": ExitStatus.DIFFERENCES}
        return statuses.get(result.status, ExitStatus.USAGE)
    assert mine is not None
    assert theirs is not None
    assert mine.sums is not None
    my_shape, golden_shape = mine.shape or (), theirs.shape or ()
    metrics = metrics_of_result(result)
    errors = _errors(refs[0], refs[1], mine.sums.n or 0, options.worst)
    rows = [(_position(index, my_shape), x, y, error) for error, index, x, y in errors.worst]
    mismatches = [(_position(index, my_shape), x, y) for index, x, y in errors.mismatches]
    if metrics.max_absolute_error is None:  # no finite pair
        passes = not metrics.nonfinite_mismatch_count
    else:
        passes = is_within(metrics, limits)
    verdict = "pass" if passes else "fail"
    if options.json:
        print(
            json_line(
                {
                    "my": {"tensor": options.my, "dtype": mine.dtype, "shape": list(my_shape)},
                    "golden": {
                        "tensor": options.golden,
                        "dtype": theirs.dtype,
                        "shape": list(golden_shape),
                    },
                    "note": reason,
                    "verdict": verdict,
                    **metrics._asdict(),
                    "mismatches": [(at, repr(x), repr(y)) for at, x, y in mismatches],
                    "histogram": errors.histogram,
                    "worst": rows,
                    "report": row,
                }
            )
        )
    else:
        shown = {"verdict": verdict, **metrics._asdict()}
        for line in _text(options, mine, theirs, reason, shown, row, errors.histogram):
            say(line)
        for line in _elements(mismatches, rows):
            say(line)
    fails = not passes or (row is not None and row["verdict"] == "fail")
    return ExitStatus.DIFFERENCES if fails else ExitStatus.OK


class _Errors(NamedTuple):
    """What two tensors differ by, element by element.

    Attributes:
        histogram: How many errors of each power of ten.
        worst: The largest ones as (error, flat index, my, golden).
        mismatches: The first pairs of which one is not finite, or both in another way.
    """

    histogram: dict[str, int]
    worst: list[tuple[float, int, float, float]]
    mismatches: list[tuple[int, float, float]]


def _errors(my: TensorRef, golden: TensorRef, n: int, n_shown: int) -> _Errors:
    import numpy as np

    from ait_cmp import _core

    histogram = {"0": 0, **{f"1e{decade}": 0 for decade in _DECADES}, "not finite": 0}
    worst: list[tuple[float, int, float, float]] = []
    mismatches: list[tuple[int, float, float]] = []
    for begin in range(0, n, _CHUNK):
        x = _core.read_values(my, begin=begin, end=begin + _CHUNK).astype(np.float64)
        y = _core.read_values(golden, begin=begin, end=begin + _CHUNK).astype(np.float64)
        finite = np.isfinite(x) & np.isfinite(y)
        with np.errstate(over="ignore"):  # float64 of both signs: the error is inf
            error = np.abs(np.where(finite, x, 0) - np.where(finite, y, 0))
        agree = finite | (np.isnan(x) & np.isnan(y)) | (x == y)
        for at in np.flatnonzero(~agree)[: n_shown - len(mismatches)]:
            mismatches.append((begin + int(at), float(x[at]), float(y[at])))
        histogram["not finite"] += int((~finite).sum())
        histogram["0"] += int((finite & (error == 0)).sum())
        with np.errstate(divide="ignore"):
            decades = np.clip(np.floor(np.log10(error[error > 0])), _DECADES[0], _DECADES[-1])
        for decade, number in zip(*np.unique(decades, return_counts=True)):
            histogram[f"1e{int(decade)}"] += int(number)
        worst = heapq.nlargest(n_shown, [*worst, *_largest(error, x, y, begin, n_shown)])
    return _Errors(histogram, worst, mismatches)


def _largest(
    error: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    begin: int,
    n_worst: int,
) -> Iterator[tuple[float, int, float, float]]:
    import numpy as np

    n = min(n_worst, error.size)
    if n == 0:
        return
    for at in np.argpartition(error, error.size - n)[error.size - n :]:
        if error[at] > 0:
            yield float(error[at]), begin + int(at), float(x[at]), float(y[at])


def _position(index: int, shape: tuple[int, ...]) -> list[int]:
    position = []
    for size in reversed(shape):
        index, here = divmod(index, size) if size else (0, 0)
        position.append(here)
    return position[::-1]


def _text(
    options: argparse.Namespace,
    mine: SideResult,
    theirs: SideResult,
    reason: str,
    metrics: dict[str, Any],
    row: dict[str, str] | None,
    histogram: dict[str, int],
) -> Iterator[str]:
    for name, tensor, side in (("my", options.my, mine), ("golden", options.golden, theirs)):
        yield f"{name:<8}{tensor}"
        yield f"        {side.dtype} {list(side.shape or ())}"
    if reason:
        yield f"note    {reason}"
    if row is not None:
        from ait_cmp.cli.diff_report import report_lines

        yield from report_lines(row)
    yield ""
    for name, value in metrics.items():
        if value is not None:
            yield f"{name:<30}{value}"
        if name == "verdict":
            more = "; what the operator was given: --report REPORT" if row is None else ""
            yield f"{'':<30}of these two alone{more}"
    yield ""
    yield "absolute errors by power of ten"
    largest = max(histogram.values(), default=0)
    for name, number in histogram.items():
        if number:
            bar = "#" * max(1, round(_BAR_WIDTH * number / largest))
            yield f"  {name:>10}  {number:>12}  {bar}"


def _elements(
    mismatches: list[tuple[list[int], float, float]],
    worst: list[tuple[list[int], float, float, float]],
) -> Iterator[str]:
    if mismatches:
        yield ""
        yield "not finite on one side, or in another way: index, my, golden"
        for position, x, y in mismatches:
            yield f"  {position}  {x!r}  {y!r}"
    if worst:
        yield ""
        yield "largest errors: index, my, golden, error"
        for position, x, y, error in worst:
            yield f"  {position}  {x!r}  {y!r}  {error:.6g}"
