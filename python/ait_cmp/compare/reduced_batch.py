"""Pairs of tensors of which one side or both are reduced -> results in the form of the core's."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, Optional

from ait_cmp import _core
from ait_cmp.config import start_threads
from ait_cmp.errors import FormatError
from ait_cmp.info.estimate import estimate
from ait_cmp.info.source import Sources
from ait_cmp.info.tensor import ReducedTensor, inverse_steps
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.tensor_ref import TensorRef, ViewStep

# The tensor under test and its reference; one of the two may be missing.
Job = tuple[Optional[TensorRef], Optional[TensorRef]]
# A result of the core (csrc/bind/bind_compare.cpp, result_tuple), then what its metrics were
# estimated from: "" = exact, "sketch", "min_max", "stats".
Result = tuple[Any, ...]

_STATUS = {
    "ok": "compared",
    "no_data": "no_data",
    "truncated": "unreadable",
    "short": "unreadable",
    "unsupported": "unsupported",
}
_EQUAL_BYTES = {name: of_equal for name, *_, of_equal in _core.metrics}
_CHUNK = 64


def open_batch(step: PairedStep, *, threads: int, access: str, single_sums: bool) -> Any:
    """A running comparison of a step: `_core.StepBatch`, or its like if any file is reduced."""
    if step.has_reduced:
        return ReducedBatch(step, threads=threads, access=access, single_sums=single_sums)
    return step.rows.batch(
        threads=threads, access=access, single_sums=single_sums, headers=step.headers
    )


def _is_reduced(job: Job) -> bool:
    return any(side is not None and side.kind != "dump" for side in job)


class _Chunk(NamedTuple):
    """Pairs that one thread compares, and what it finds."""

    jobs: Sequence[Job]
    results: Future[list[Result]]


class ReducedBatch:
    """Fills the rows of a step; iterates over the number of those done, like `_core.StepBatch`."""

    def __init__(self, step: PairedStep, *, threads: int, access: str, single_sums: bool) -> None:
        self._rows = step.rows
        jobs: list[Job] = [
            (pair.my, None if pair.status else pair.golden)
            for pair in step.pairs.pairs
            if pair.my.io
        ]
        self._sources = Sources(threads, access)
        self._is_reduced = [_is_reduced(job) for job in jobs]
        full = [job for job, reduced in zip(jobs, self._is_reduced) if not reduced]
        self._full = _core.Batch(full, threads=threads, access=access, single_sums=single_sums)
        self._full_ready: list[Result] = []
        reduced_jobs = [job for job, reduced in zip(jobs, self._is_reduced) if reduced]
        self._chunks = deque(
            _Chunk(reduced_jobs[start : start + _CHUNK], Future())
            for start in range(0, len(reduced_jobs), _CHUNK)
        )
        self._reduced_ready: list[Result] = []
        self._next = 0
        self._waiting = deque(self._chunks)
        n_threads = min(threads, len(self._chunks))
        self._threads = start_threads(n_threads, self._work, "ait-cmp-reduced")

    def _work(self) -> None:
        """Compare the chunks that nobody has begun, one after the other."""
        while True:
            try:
                chunk = self._waiting.popleft()
            except IndexError:
                return
            try:
                results = [compare_or_unreadable(*job, sources=self._sources) for job in chunk.jobs]
                chunk.results.set_result(results)
            except BaseException as error:  # raised again where the results are awaited
                chunk.results.set_exception(error)

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if self._next == len(self._is_reduced):
            raise StopIteration
        chunk: list[Result] = []
        for reduced in self._is_reduced[self._next : self._next + _CHUNK]:
            chunk.append(self._next_reduced() if reduced else self._next_full())
            self._next += 1
        self._rows.take(chunk)
        return self._rows.n_done

    def _next_reduced(self) -> Result:
        if not self._reduced_ready:
            if not self._threads:  # the system gives none: the work is done here
                self._work()
            self._reduced_ready = self._chunks.popleft().results.result()
        return self._reduced_ready.pop(0)

    def _next_full(self) -> Result:
        if not self._full_ready:
            self._full_ready = list(next(self._full))
        return self._full_ready.pop(0)

    def take_ready(self) -> None:
        """Nothing: what is done is in the rows."""

    def stop(self) -> None:
        """Finish what is in hand, no more."""
        self._waiting.clear()
        self._is_reduced = self._is_reduced[: self._next]
        self._full.stop()

    def close(self) -> None:
        """End the threads."""
        self._waiting.clear()
        for thread in self._threads:
            thread.join()
        self._full.close()


def compare_or_unreadable(
    my: TensorRef | None, golden: TensorRef | None, *, sources: Sources
) -> Result:
    """`compare_pair`, whose every error is a row of its own, never the end of a run."""
    try:
        return compare_pair(my, golden, sources=sources)
    except MemoryError:
        reason = "not enough memory for this tensor."
    except Exception as error:  # the one place where an error of reduced files becomes a row
        reason = _sentence(f"{type(error).__name__}: {error}")
    return ("unreadable", reason, None, None, None, 0, None, None, "")


def compare_pair(my: TensorRef | None, golden: TensorRef | None, *, sources: Sources) -> Result:
    """Compare one pair, or describe the one tensor that is given."""
    tensors: list[ReducedTensor | None] = []
    reasons = []
    for side, other in ((my, golden), (golden, my)):
        try:
            tensors.append(_read(side, other, sources))
        except FormatError as error:
            reasons.append(_sentence(str(error)))
        except OSError as error:
            reasons.append(_sentence(f"{error.filename}: {error.strerror}"))
    if reasons:
        return ("unreadable", " ".join(reasons), None, None, None, 0, None, None, "")
    mine, theirs = tensors
    status, sentences = _check(mine, theirs)
    if mine is None or theirs is None or status != "compared":
        return (status, " ".join(sentences), _side(mine), _side(theirs), None, 0, None, None, "")
    if "unsupported" in (mine.state, theirs.state):
        return _compare_bytes(mine, theirs, sentences)
    counts = mine.n_values, theirs.n_values
    if None not in counts and counts[0] != counts[1]:
        shapes = f"(my {mine.shape}, golden {theirs.shape})"
        sentences.append(f"data shape doesn't match. {shapes}")
        reason = " ".join(sentences)
        return ("shape_mismatch", reason, _side(mine), _side(theirs), None, 0, None, None, "")
    if None not in (mine.shape, theirs.shape) and mine.shape != theirs.shape:
        shapes = f"my {mine.shape}, golden {theirs.shape}"
        sentences.append(f"Shapes differ, element counts agree: {shapes}.")
    found = estimate(mine, theirs)
    sentences += [
        sentence
        for sentence in (found.note, _nonfinite("golden", theirs), _nonfinite("my", mine))
        if sentence
    ]
    return (
        "compared",
        " ".join(sentences),
        _side(mine),
        _side(theirs),
        found.metrics,
        found.mismatches,
        found.worst,
        found.figures,
        found.source,
    )


def _read(
    side: TensorRef | None, other: TensorRef | None, sources: Sources
) -> ReducedTensor | None:
    """A side; its order is changed where that is easier than changing the other side's.

    The buckets of a sketch cannot be rearranged. What the views of the other side do to its sketch
    is undone on this side instead.
    """
    if side is None:
        return None
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


def _check(mine: ReducedTensor | None, theirs: ReducedTensor | None) -> tuple[str, list[str]]:
    """Status of what can be said at once, and the sentences of both sides."""
    status = "compared"
    sentences = []
    is_raw_pair = all(side is None or side.state == "unsupported" for side in (mine, theirs))
    for name, side in (("my", mine), ("golden", theirs)):
        if side is None:
            continue
        if side.note:
            sentences.append(_sentence(f"{name}: {side.note}"))
        own = _STATUS.get(side.state, "unreadable")
        if own == "unsupported" and is_raw_pair and side.content is not None:
            continue
        if status == "compared":
            status = own
    return status, sentences


def _compare_bytes(mine: ReducedTensor, theirs: ReducedTensor, sentences: list[str]) -> Result:
    if mine.content == theirs.content:
        reason = " ".join([*sentences, "Compared as bytes: equal."])
        return ("compared", reason, _side(mine), _side(theirs), _EQUAL_BYTES, 0, None, {}, "")
    sentences.append(f"Values of {mine.dtype} have no public coding; as bytes they differ.")
    return ("unsupported", " ".join(sentences), _side(mine), _side(theirs), None, 0, None, None, "")


def _side(tensor: ReducedTensor | None) -> tuple[Any, ...] | None:
    if tensor is None:
        return None
    return (tensor.dtype, tensor.shape, tensor.sums)


def _nonfinite(name: str, tensor: ReducedTensor) -> str:
    assert tensor.sums is not None
    n, n_nan, n_positive_inf, n_negative_inf, largest, smallest, _ = tensor.sums
    if n_nan is None or n_positive_inf is None or n_negative_inf is None:
        values = [value for value in (largest, smallest) if value is not None]
        is_bad = any(not math.isfinite(value) for value in values)
        return f"{name}_data includes NAN or inf." if is_bad else ""
    if n_nan + n_positive_inf + n_negative_inf == 0:
        return ""
    return (
        f"{name}_data includes NAN or inf. "
        f"({n_nan} NaN, {n_positive_inf} inf, {n_negative_inf} -inf of {n})"
    )


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
