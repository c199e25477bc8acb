"""The rows of a step of which some files are reduced, like `_core.StepBatch`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Union

from ait_cmp import _core
from ait_cmp.compare.reduced_pair import compare_or_unreadable
from ait_cmp.config import start_threads
from ait_cmp.info.results import ReducedResult, Result, result_of
from ait_cmp.info.source import Sources
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.tensor_ref import Job

# The tensor under test and its reference; one of the two may be missing.
_CHUNK = 64


def open_batch(step: PairedStep, *, threads: int, access: str, single_sums: bool) -> StepBatch:
    """A running comparison of a step: `_core.StepBatch`, or its like if any file is reduced."""
    if step.has_reduced:
        return ReducedBatch(step, threads=threads, access=access, single_sums=single_sums)
    return step.rows.batch(
        threads=threads, access=access, single_sums=single_sums, headers=step.headers
    )


def _is_reduced(job: Job) -> bool:
    return any(side is not None and side.kind != "dump" for side in job)


def _as_reduced(found: Result) -> ReducedResult:
    return ReducedResult(
        found.status,
        found.sentences,
        found.my,
        found.golden,
        found.metrics,
        found.n_mismatch,
        found.worst,
        found.figures,
    )


class _Chunk(NamedTuple):
    """Pairs that one thread compares, and what it finds."""

    jobs: Sequence[Job]
    results: Future[list[ReducedResult]]


class ReducedBatch:
    """Fills the rows of a step; iterates over the number of those done, like `_core.StepBatch`."""

    def __init__(self, step: PairedStep, *, threads: int, access: str, single_sums: bool) -> None:
        self._rows = step.rows
        jobs: list[Job] = [
            Job(pair.my, None if pair.status else pair.golden)
            for pair in step.pairs.pairs
            if pair.my.io
        ]
        self._sources = Sources(threads, access)
        self._is_reduced = [_is_reduced(job) for job in jobs]
        full = [job for job, reduced in zip(jobs, self._is_reduced) if not reduced]
        self._full = _core.Batch(full, threads=threads, access=access, single_sums=single_sums)
        self._full_ready: list[ReducedResult] = []
        reduced_jobs = [job for job, reduced in zip(jobs, self._is_reduced) if reduced]
        self._chunks = deque(
            _Chunk(reduced_jobs[start : start + _CHUNK], Future())
            for start in range(0, len(reduced_jobs), _CHUNK)
        )
        self._reduced_ready: list[ReducedResult] = []
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
        chunk: list[ReducedResult] = []
        for reduced in self._is_reduced[self._next : self._next + _CHUNK]:
            chunk.append(self._next_reduced() if reduced else self._next_full())
            self._next += 1
        self._rows.take(chunk)
        return self._rows.n_done

    def _next_reduced(self) -> ReducedResult:
        if not self._reduced_ready:
            if not self._threads:  # the system gives none: the work is done here
                self._work()
            self._reduced_ready = self._chunks.popleft().results.result()
        return self._reduced_ready.pop(0)

    def _next_full(self) -> ReducedResult:
        if not self._full_ready:
            self._full_ready = [_as_reduced(found) for found in map(result_of, next(self._full))]
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


StepBatch = Union[_core.StepBatch, ReducedBatch]
