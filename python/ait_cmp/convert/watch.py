"""Converts files while a model writes them: looks again whenever something changed."""

from __future__ import annotations

import importlib
import math
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ait_cmp.config import INFO_KIND, SETTLE_S, WATCH_INTERVAL_S
from ait_cmp.convert.converter import Candidate, Converter, Settings
from ait_cmp.convert.folder import (
    Progress,
    checked_folder,
    find_candidates,
    identity_of,
    make_settings,
    remove_left_overs,
    run_pass,
)
from ait_cmp.convert.one_file import TEMPORARY_ENDING
from ait_cmp.convert.result import Conversion
from ait_cmp.discover.scan import scan_folders

# Changes on these are not reported by the kernel of this machine.
_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gpfs", "beegfs", "9p"}
    | {"glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.juicefs", "fuse.dpc", "dpc"}
)
# With notifications the whole folder is still listed once in so many seconds: a queue can overflow.
_FULL_SCAN_S = 30.0


def watch_dir(
    path: str | os.PathLike[str],
    *,
    info: str = INFO_KIND,
    keep: bool = False,
    force: bool = False,
    settle: float = SETTLE_S,
    interval: float = WATCH_INTERVAL_S,
    threads: int | None = None,
    max_rate: float | None = None,
    stop: threading.Event | None = None,
    progress: Progress | None = None,
) -> Conversion:
    """Replace dump files by info files as they are finished, until `stop` is set.

    Args:
        path: Any level of a dump; files and folders may appear at any time.
        interval: Seconds between two looks at the folder, where changes are not notified.
        stop: Set it to end after the files in hand.

    The other arguments, the result and the errors are those of `convert_dir`. A folder that
    vanishes ends the watch.
    """
    settings = make_settings(info, keep, force, settle, threads, max_rate)
    root = checked_folder(path)
    stopped = stop or threading.Event()
    return _Watch(root, settings, interval, stopped, progress).run()


class _Seen(NamedTuple):
    """A file that is still there after it was tried.

    Attributes:
        identity: Its size and time of change then.
        since: When that was, monotonic.
        is_settled: Whether it was tried again after the time to settle.
    """

    identity: tuple[int, int]
    since: float
    is_settled: bool


class _Watch:
    """One watch in progress."""

    def __init__(
        self,
        root: str,
        settings: Settings,
        interval_s: float,
        stop: threading.Event,
        progress: Progress | None,
    ) -> None:
        self._root = root
        self._settings = settings
        self._interval_s = interval_s
        self._stop = stop
        self._progress = progress
        self._result = Conversion()
        self._seen: dict[str, _Seen] = {}

    def run(self) -> Conversion:
        folders, _ = scan_folders(self._root)
        remove_left_overs(folders)
        self._result.already = find_candidates(self._root, folders).n_reduced
        converter = Converter(self._settings, self._stop)
        for _ in self._wake_ups():
            if not self._look(converter):
                self._result.folder_is_gone = True
                break
        self._result.was_stopped = self._stop.is_set()
        return self._result

    def _wake_ups(self) -> Iterator[None]:
        """Something may have changed: at once, then after notifications or every interval."""
        yield
        notified = None if is_network_path(self._root) else _notifications(self._root, self._stop)
        # What changed before notifications began is found by a look right after that.
        last = -math.inf
        while not self._stop.is_set():
            if notified is None:
                self._stop.wait(self._interval_s)
            else:
                try:
                    changed = next(notified, None)
                except OSError:  # the folder is gone, or the kernel watches no more folders
                    changed = None
                if changed is None:
                    notified = None
                is_due = time.monotonic() - last >= _FULL_SCAN_S
                if not (changed or is_due or self._has_waiting()) and Path(self._root).is_dir():
                    continue
                last = time.monotonic()
            yield

    def _look(self, converter: Converter) -> bool:
        """Convert what is finished; False if the folder is gone."""
        try:
            folders, _ = scan_folders(self._root)
        except OSError:
            return False
        found = find_candidates(self._root, folders).candidates
        there = {candidate.path for candidate in found}
        self._seen = {path: seen for path, seen in self._seen.items() if path in there}
        for path in [path for path in self._result.left if path not in there]:
            del self._result.left[path]
        due = [seen for candidate in found if (seen := self._due(candidate)) is not None]
        if due:
            start = time.monotonic() - self._result.read_s
            run_pass(converter, due, self._result, start, self._progress)
        return True

    def _has_waiting(self) -> bool:
        """Whether files were found that may be ready without a further notification."""
        return bool(self._result.left or self._result.busy)

    def _due(self, candidate: Candidate) -> Candidate | None:
        """The file, if it is new, has changed, or has been left alone long enough; else None."""
        identity = identity_of(candidate.path)
        if identity is None:
            return None
        now = time.monotonic()
        seen = self._seen.get(candidate.path)
        if seen is None or seen.identity != identity:
            self._seen[candidate.path] = _Seen(identity, now, False)
            return candidate
        if candidate.path in self._result.busy:
            return candidate
        quiet_s = now - seen.since
        waits = candidate.path in self._result.left and not seen.is_settled
        if waits and quiet_s >= self._settings.settle_s:
            # Once more, now that it counts as written; after that only when it changes.
            self._seen[candidate.path] = seen._replace(is_settled=True)
            return candidate._replace(quiet_s=quiet_s)
        return None


def is_network_path(path: str) -> bool:
    """Whether a path lies on a network file system, by the longest mount point above it."""
    best, kind = "", ""
    try:
        lines = Path("/proc/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    for line in lines.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        _, mounted, file_system, *_ = fields
        point = mounted.replace("\\040", " ")
        if f"{path}/".startswith(f"{point.rstrip('/')}/") and len(point) >= len(best):
            best, kind = point, file_system
    return kind in _NETWORK_FILE_SYSTEMS


def _notifications(root: str, stop: threading.Event) -> Iterator[set[Any]] | None:
    """Changes below a folder as `watchfiles` reports them; None where it is not installed."""
    try:
        watchfiles = importlib.import_module("watchfiles")
    except ImportError:
        return None

    def is_news(_: Any, path: str) -> bool:
        return not path.endswith((TEMPORARY_ENDING, "_info.npz", "_min_max.npz", "_min_max.npy"))

    changes: Iterator[set[Any]] = watchfiles.watch(
        root,
        watch_filter=is_news,
        stop_event=stop,
        debounce=200,
        step=50,
        rust_timeout=1000,
        yield_on_timeout=True,
        raise_interrupt=False,
    )
    return changes
