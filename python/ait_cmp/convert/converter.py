"""Threads that read dump files, and threads that put their info files in place."""

from __future__ import annotations

import queue
import resource
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ait_cmp import _core
from ait_cmp.config import start_threads
from ait_cmp.convert.groups import Groups
from ait_cmp.convert.one_file import Claim, Outcome, Prepared, claim_files, prepare_file
from ait_cmp.convert.place import put_in_place
from ait_cmp.convert.result import Pace
from ait_cmp.convert.shares import Shares
from ait_cmp.errors import AitCmpError, ConfigError
from ait_cmp.file_kinds import FileKind
from ait_cmp.terms import Writer

# A file of this size is worth all threads; smaller ones are spread over them.
_LARGE_FILE_BYTES = 256 << 20
# Threads that wait for the disk; on a network file system every step of a file is a wait.
_WRITERS = 4
# Files that a reader takes at once, where there are many.
_BATCH_FILES = 16
# A claimed file is open, perhaps a second time to be read, and so is its info file; as many again
# are for all else that this process does.
_OPEN_PER_CLAIM = 4


class DiskFullError(AitCmpError):
    """No space is left for an info file; every original is still there."""


class Candidate(NamedTuple):
    """A file whose name is that of a dump.

    Attributes:
        path: The file.
        writer: Who wrote it.
        quiet_s: Seconds for which it has been seen unchanged.
    """

    path: str
    writer: Writer
    quiet_s: float = 0.0


@dataclass(frozen=True)
class Settings:
    """How files are converted.

    Attributes:
        kind: "sketch" or "min_max".
        keep: Whether originals stay.
        force: Whether files are converted that are smaller than their info files.
        settle_s: Seconds without a change after which a file counts as written whose size does not
            say so.
        threads: Worker threads.
        max_rate: Bytes to read per second at most, None for no limit.
    """

    kind: FileKind
    keep: bool
    force: bool
    settle_s: float
    threads: int
    max_rate: float | None

    def __post_init__(self) -> None:
        if not self.settle_s >= 0:
            message = f"settle: seconds from 0 on expected, found {self.settle_s}"
            raise ConfigError(message)
        if self.max_rate is not None and not self.max_rate > 0:
            message = f"max_rate: a rate above 0 expected, found {self.max_rate}"
            raise ConfigError(message)


class Converter:
    """Converts files until it is told to stop."""

    def __init__(self, settings: Settings, stop: threading.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._pace = Pace(settings.max_rate)

    def outcomes(self, candidates: Sequence[Candidate]) -> Iterator[Outcome]:
        """What became of every file, as it is known; after `stop` only of those in hand.

        Raises:
            DiskFullError: No space is left; files in hand are finished first.
        """
        return _Pass(self._settings, self._stop, self._pace, candidates).outcomes()


class _Pass:
    """One pass over some files.

    Readers take candidates and hand over what they prepared; a writer takes all that waits as one
    group. Whoever waits for the disk does not keep the others from reading.
    """

    def __init__(
        self,
        settings: Settings,
        stop: threading.Event,
        pace: Pace,
        candidates: Sequence[Candidate],
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._pace = pace
        self._candidates = candidates
        self._n_taken = 0
        self._taking = threading.Lock()
        self._one_large_file = threading.Lock()
        self._disk = Shares(_WRITERS)
        self._claims = Shares(_most_claims())
        self._prepared = Groups(self._claims.total)
        # None: all threads have ended.
        self._done: queue.SimpleQueue[list[Outcome] | None] = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._is_over = False
        self._has_writers = False

    def outcomes(self) -> Iterator[Outcome]:
        """What became of every file, as it is known."""
        threads = start_threads(1, self._run, "ait-cmp-convert")
        try:
            if not threads:
                self._run()
            for outcomes in iter(self._done.get, None):
                for outcome in outcomes:
                    if outcome.status == "full":
                        self._fail(DiskFullError(outcome.reason))
                    yield outcome
        finally:
            self._is_over = True
            for thread in threads:
                thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        """All readers and writers, to their end.

        On a thread of its own, where no Ctrl-C comes between: nobody else has to end them.
        """
        try:
            writers = start_threads(_WRITERS, self._write, "ait-cmp-convert-write")
            self._has_writers = bool(writers)
            try:
                n_more = self._settings.threads - 1 if writers else 0
                readers = start_threads(n_more, self._read, "ait-cmp-convert-read")
                self._read()
                for reader in readers:
                    reader.join()
            finally:
                self._prepared.close()
                for writer in writers:
                    writer.join()
        except BaseException as error:  # raised again by outcomes(), on the thread of the caller
            self._fail(error)
        finally:
            self._done.put(None)

    def _fail(self, failure: BaseException) -> None:
        """End after the files in hand."""
        self._failure = self._failure or failure
        self._is_over = True

    def _read(self) -> None:
        try:
            while batch := self._take():
                self._read_batch(batch)
                if not self._has_writers:  # the one thread that there is does it all
                    while self._prepared:
                        self._write_group(self._prepared.take())
        except BaseException as error:  # raised again by outcomes()
            self._fail(error)

    def _read_batch(self, batch: Sequence[Candidate]) -> None:
        n_held = len(batch)
        claims: list[Claim] = []
        self._claims.take(n_held)
        try:
            claims = claim_files([candidate.path for candidate in batch])
            for at, candidate in enumerate(batch):
                found = self._prepare(candidate, claims[at])
                if isinstance(found, Prepared):
                    claims[at] = claims[at]._replace(descriptor=-1)
                    n_held -= 1
                    self._prepared.put(found)
                else:
                    self._done.put([found])
        finally:
            _core.close_files([at.descriptor for at in claims if at.descriptor >= 0])
            self._claims.give_back(n_held)

    def _write(self) -> None:
        while group := self._prepared.take():
            self._write_group(group)

    def _write_group(self, group: Sequence[Prepared]) -> None:
        try:
            self._done.put(put_in_place(group, self._disk))
        except BaseException as error:  # raised again by outcomes()
            self._fail(error)
        finally:
            self._claims.give_back(len(group))

    def _take(self) -> Sequence[Candidate]:
        """Some files, fewer towards the end, so that all readers end together."""
        with self._taking:
            if self._must_end():
                return []
            n_left = len(self._candidates) - self._n_taken
            most = 1 if self._settings.max_rate else _BATCH_FILES
            n_threads = self._settings.threads
            # Half of the claims are for the writers.
            n = max(1, min(most, n_left // (4 * n_threads), self._claims.total // (2 * n_threads)))
            batch = self._candidates[self._n_taken : self._n_taken + n]
            self._n_taken += len(batch)
            return batch

    def _must_end(self) -> bool:
        return self._is_over or self._stop.is_set()

    def _prepare(self, candidate: Candidate, claim: Claim) -> Outcome | Prepared:
        settings = self._settings
        with self._taking:
            pause_s = self._pace.pause_s(claim.identity.size_bytes)
        if pause_s > 0:
            self._stop.wait(pause_s)
        if self._must_end():
            return Outcome(candidate.path, "waiting")

        def prepare(threads: int) -> Outcome | Prepared:
            return prepare_file(
                candidate.path,
                claim,
                writer=candidate.writer,
                kind=settings.kind,
                keep=settings.keep,
                force=settings.force,
                settle_s=settings.settle_s,
                quiet_s=candidate.quiet_s,
                threads=threads,
            )

        if claim.identity.size_bytes < _LARGE_FILE_BYTES:
            return prepare(1)
        with self._one_large_file:
            return prepare(settings.threads)


def _most_claims() -> int:
    """How many files may be claimed at a time, by what this process may open."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, (sys.maxsize if limit == resource.RLIM_INFINITY else limit) // _OPEN_PER_CLAIM)
