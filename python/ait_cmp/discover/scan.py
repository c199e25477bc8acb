"""One walk over a folder, without asking the file system about single files."""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ait_cmp import _core


@dataclass(frozen=True)
class Folder:
    """A folder, the names of its files, and whether it has subfolders."""

    path: str
    files: list[str]
    has_folders: bool


class Remark(NamedTuple):
    """What could not be read, the sentence that says so, and whether it may hold a dump."""

    path: str
    sentence: str
    may_hold_dump: bool


def readable(text: str) -> str:
    """The text with bytes that are no UTF-8 (as Python keeps them in file names) made printable."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def is_of_exceptions(root: str, folder: str) -> bool:
    """Whether a folder below `root` holds exception dumps: they are no part of a graph's run.

    They lie in extra-info/data-dump/{device}; a root within such a folder was meant.
    """
    return "/extra-info/" in f"{folder[len(root) :]}/"


def _identity(path: str) -> tuple[int, int] | str:
    status = os.stat(path)  # noqa: PTH116  # a dump has a hundred thousand folders
    # Some network file systems number no inodes.
    return (status.st_dev, status.st_ino) if status.st_ino else str(Path(path).resolve())


def scan_folders(root: str) -> tuple[list[Folder], list[Remark]]:
    """Every folder at and below `root` (absolute), sorted by path; see `walk_folders`.

    Returns:
        (folders, a remark for each folder that could not be read and each pipe, socket or device)

    Raises:
        OSError: `root` itself cannot be listed.
    """
    remarks: list[Remark] = []
    return sorted(walk_folders(root, remarks), key=lambda folder: folder.path), remarks


def walk_folders(root: str, remarks: list[Remark]) -> Iterator[Folder]:
    """List every folder at and below `root` (absolute), in any order.

    Links to folders are followed after all real folders were seen, each target once, so loops end.
    Hidden folders (names that start with a dot: snapshots, caches) are left out. Only regular files
    and links (to files, or broken) are listed: a pipe would block its reader.

    Args:
        root: The folder.
        remarks: Gets one for each folder that could not be read and each pipe, socket or device.

    Raises:
        OSError: `root` itself cannot be listed.
    """
    # A link upwards would bring in everything beside the root.
    seen = {_identity(str(above)) for above in Path(root).resolve().parents}
    waiting: list[str] = [root]
    links: deque[str] = deque()
    while waiting or links:
        path = waiting.pop() if waiting else links.popleft()
        try:
            identity = _identity(path)
            if identity in seen:
                continue
            seen.add(identity)
            files, below = _list_folder(path, links, remarks)
        except OSError as error:
            if path == root:
                raise
            what = f"this folder could not be read ({error.strerror})"
            remarks.append(Remark(path, _sentence(path, what), may_hold_dump=True))
            continue
        waiting.extend(below)
        yield Folder(path, files, bool(below))


def _list_folder(
    path: str, links: deque[str], remarks: list[Remark]
) -> tuple[list[str], list[str]]:
    """Names of files, paths of real subfolders; paths of links to folders go to `links`."""
    files, below = [], []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                files.append(entry.name)
            elif entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith("."):
                    below.append(entry.path)
            elif entry.is_symlink():
                kind = _kind_behind(entry.path)
                if kind in (stat.S_IFREG, 0):
                    files.append(entry.name)
                elif kind != stat.S_IFDIR:
                    remarks.append(_not_read(entry.path))
                elif not entry.name.startswith("."):
                    links.append(entry.path)
            else:
                remarks.append(_not_read(entry.path))
    return files, below


def _not_read(path: str) -> Remark:
    what = "neither a file nor a folder (a pipe, a socket, a device): not read"
    folder, _, name = path.rpartition("/")
    (cells,) = _core.parse_plain_names(folder, [name])
    return Remark(path, _sentence(path, what), may_hold_dump=cells is not None)


def _sentence(path: str, what: str) -> str:
    return readable(f"{path}: {what}.")


def _kind_behind(link: str) -> int:
    """Kind of file that a link leads to; 0 if nowhere, which opening it will say."""
    try:
        return stat.S_IFMT(Path(link).stat().st_mode)
    except OSError:
        return 0


def size_of(path: str) -> int:
    """Bytes of a file; 0 if it is gone or cannot be looked at, which reading it will tell."""
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0
