"""A pair of tensors of which one side or both are reduced: what the core says of full ones.

Statuses, sentences and their order are those of `csrc/compare/pair.cpp`, as far as a reduced tensor
tells as much as a full one; `tests/compare/test_full_and_reduced.py` holds the two together.
"""

from __future__ import annotations

from ait_cmp.errors import FormatError, reason_of
from ait_cmp.info.estimate import estimate
from ait_cmp.info.results import DTYPES, METRICS, ReducedResult, SideResult, Sums
from ait_cmp.info.source import Sources
from ait_cmp.info.tensor import ReducedTensor, inverse_steps
from ait_cmp.sentences import Sentence, say
from ait_cmp.tensor_ref import TensorRef, ViewStep
from ait_cmp.terms import Side, Status

_STATUS: dict[str, Status] = {
    "ok": "compared",
    "no_data": "no_data",
    "truncated": "unreadable",
    "short": "unreadable",
    "unsupported": "unsupported",
}
# The bytes of such tensors are all that there is to them: torch keeps types that it lacks so.
_BYTES = frozenset(dtype.report for dtype in DTYPES if dtype.numpy == "uint8" and dtype.bits == 8)
_NO_NUMBERS = next(dtype.report for dtype in DTYPES if dtype.name == "DT_UNDEFINED")
_COMPLEX = frozenset(dtype.report for dtype in DTYPES if dtype.components > 1)
_LONG_INTEGERS = ("torch.int64", "torch.uint64")
# Integers from here on are rounded by the conversion to float64.
_ROUNDED_INTEGER = 2.0**53
_EQUAL_BYTES = {metric.name: metric.of_equal for metric in METRICS}


def compare_or_unreadable(
    my: TensorRef | None, golden: TensorRef | None, *, sources: Sources
) -> ReducedResult:
    """`compare_pair`, whose every error is a row of its own, never the end of a run."""
    try:
        return compare_pair(my, golden, sources=sources)
    except MemoryError:
        return ReducedResult("unreadable", [say("no_memory")])
    except Exception as error:  # the one place where an error of reduced files becomes a row
        return ReducedResult("unreadable", [_error(f"{type(error).__name__}: {error}")])


def compare_pair(
    my: TensorRef | None, golden: TensorRef | None, *, sources: Sources
) -> ReducedResult:
    """Compare one pair, or describe the one tensor that is given."""
    sides: dict[Side, ReducedTensor | None] = {"my": None, "golden": None}
    refs: tuple[tuple[Side, TensorRef | None, TensorRef | None], ...]
    refs = (("my", my, golden), ("golden", golden, my))
    for name, ref, other in refs:
        try:
            sides[name] = None if ref is None else _read(ref, other, sources)
        except (FormatError, OSError) as error:
            said = reason_of(error)
            read = sides["my"]
            known = None if read is None else _side(read)._replace(sums=None)
            return ReducedResult("unreadable", [_error(said)], known)
    return _compare(sides["my"], sides["golden"])


def _error(text: str) -> Sentence:
    return say("error", error=text.removesuffix("."))


def _compare(my: ReducedTensor | None, golden: ReducedTensor | None) -> ReducedResult:
    status, sentences = _check(my, golden)
    found = ReducedResult(
        status,
        sentences,
        None if my is None else _side(my),
        None if golden is None else _side(golden),
    )
    if my is None or golden is None:
        for name, side in _sides(my, golden):
            sentences += _nonfinite(name, side.sums)
        return found
    if status != "compared":
        return found
    if my.is_raw or golden.is_raw:
        return _compare_bytes(my, golden, found)
    if None not in (my.n_values, golden.n_values) and my.n_values != golden.n_values:
        sentences += _counts_differ(my, golden)
        return found._replace(status="shape_mismatch")
    if None not in (my.shape, golden.shape) and my.shape != golden.shape:
        sentences.append(say("shapes_differ", my_shape=my.shape, golden_shape=golden.shape))
    estimated = estimate(my, golden)
    if not estimated.metrics and all(side.sums and side.sums.n_finite for side in (my, golden)):
        sentences.append(say("no_metrics"))
        return found._replace(status="unreadable")
    if estimated.sentence is not None:
        sentences.append(estimated.sentence)
    sentences += _nonfinite("golden", golden.sums)
    sentences += _nonfinite("my", my.sums)
    if _is_rounded(my) or _is_rounded(golden):
        sentences.append(say("rounded_integers"))
    return found._replace(
        metrics=estimated.metrics,
        n_mismatch=estimated.mismatches,
        worst=estimated.worst,
        figures=estimated.figures,
        estimated=estimated.source,
    )


def _sides(
    my: ReducedTensor | None, golden: ReducedTensor | None
) -> list[tuple[Side, ReducedTensor]]:
    named: tuple[tuple[Side, ReducedTensor | None], ...] = (("my", my), ("golden", golden))
    return [(name, side) for name, side in named if side is not None]


def _check(my: ReducedTensor | None, golden: ReducedTensor | None) -> tuple[Status, list[Sentence]]:
    """Status of what can be said at once, and the sentences of both sides."""
    status: Status = "compared"
    sentences = []
    for name, side in _sides(my, golden):
        if side.note:
            sentences.append(say("note", side=name, note=side.note))
        if status == "compared" and not side.is_raw:
            status = _STATUS.get(side.state, "unreadable")
    return status, sentences


def _compare_bytes(my: ReducedTensor, golden: ReducedTensor, found: ReducedResult) -> ReducedResult:
    """Bytes without a value coding: equal or not, by their hashes."""
    raw = my if my.is_raw else golden
    uncoded = say("uncoded", dtype=raw.dtype)
    no_numbers = say("no_numbers") if raw.dtype == _NO_NUMBERS else uncoded
    if not all(side.is_raw or side.dtype in _BYTES for side in (my, golden)):
        found.sentences.extend((no_numbers, say("against_numbers")))
        return found._replace(status="unsupported")
    found = found._replace(my=_as_bytes(my), golden=_as_bytes(golden))
    if my.content is not None and my.content == golden.content:
        found.sentences.append(say("bytes_equal"))
        return found._replace(metrics=_EQUAL_BYTES, figures={})
    found.sentences.extend((no_numbers, say("bytes_differ")))
    return found._replace(status="unsupported")


def _counts_differ(my: ReducedTensor, golden: ReducedTensor) -> list[Sentence]:
    said = [say("counts_differ", my_shape=my.shape, golden_shape=golden.shape)]
    if (my.dtype in _COMPLEX) != (golden.dtype in _COMPLEX):
        said.append(say("one_is_complex", side="my" if my.dtype in _COMPLEX else "golden"))
    return said


def _is_rounded(tensor: ReducedTensor) -> bool:
    sums = tensor.sums
    if sums is None or tensor.dtype not in _LONG_INTEGERS:
        return False
    return max(sums.max or 0.0, -(sums.min or 0.0)) >= _ROUNDED_INTEGER


def _as_bytes(tensor: ReducedTensor) -> SideResult:
    return SideResult(tensor.dtype, tensor.shape, None)


def _side(tensor: ReducedTensor) -> SideResult:
    return SideResult(tensor.dtype, tensor.shape, tensor.sums)


def _nonfinite(name: Side, sums: Sums | None) -> list[Sentence]:
    if sums is None:
        return []
    if sums.n_finite is None:
        extrema = [value for value in (sums.max, sums.min) if value is not None]
        is_bad = any(abs(value) == float("inf") or value != value for value in extrema)
        return [say("nonfinite_uncounted", side=name)] if is_bad else []
    if sums.n_finite == sums.n:
        return []
    counts = {key: value for key, value in sums._asdict().items() if key.startswith("n")}
    return [say("nonfinite", side=name, **counts)]


def _read(side: TensorRef, other: TensorRef | None, sources: Sources) -> ReducedTensor:
    """A side; its order is changed where that is easier than changing the other side's.

    The buckets of a sketch cannot be rearranged. What the views of the other side do to its sketch
    is undone on this side instead.
    """
    if other is not None:
        back = _way_back(other, sources)
        if back:
            return sources.tensor(side._replace(view=(*side.view, *back)))
        if _way_back(side, sources):
            return sources.tensor(side._replace(view=()))
    return sources.tensor(side)


def _way_back(side: TensorRef, sources: Sources) -> tuple[ViewStep, ...]:
    """Steps that undo the views of a sketched side; () if it has none, or they select."""
    if not side.view or side.kind != "sketch":
        return ()
    stored = sources.tensor(side._replace(view=()))
    if stored.values is not None or stored.shape is None:
        return ()
    try:
        return inverse_steps(stored.shape, side.view) or ()
    except (ValueError, IndexError):
        return ()
