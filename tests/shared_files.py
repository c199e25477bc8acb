"""Files that tests share: second names of one that is there already, folders that are lent.

Making a file costs more than many tests do with it.
"""

from __future__ import annotations

import io
import lzma
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

#: Larger files are rarely the same, and would stay in memory.
_MAX_BYTES = 1 << 16

#: Content -> where it lies, when it was written.
_kept: dict[bytes, tuple[Path, int]] = {}


def put(path: Path, content: bytes) -> None:
    """Make a file that is not there yet and that nobody writes into: see `change`."""
    if content in _kept:
        first, written = _kept[content]
        try:
            is_unchanged = first.stat().st_mtime_ns == written
            assert is_unchanged, f"a test wrote into {first}, which others share: use change()"
            os.link(first, path)
        except OSError:  # its test removed it, or it has as many names as a file can have
            pass
        else:
            return
    with path.open("xb", buffering=0) as file:
        file.write(content)
    if len(content) <= _MAX_BYTES:
        _kept[content] = path, path.stat().st_mtime_ns


def change(path: Path, content: bytes) -> None:
    """Give a file other bytes; what has the old ones under another name keeps them."""
    _kept.pop(path.read_bytes(), None)  # which may lie here
    path.unlink()
    path.write_bytes(content)


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack the plain files of a tar.xz, of which many are the same; returns the folder."""
    packed = lzma.decompress(archive.read_bytes())
    made = set()
    with tarfile.open(fileobj=io.BytesIO(packed)) as members:
        for member in members:
            if not member.isfile():
                continue
            path = folder / member.name
            if (parent := member.name.rpartition("/")[0]) not in made:
                path.parent.mkdir(parents=True, exist_ok=True)
                made.add(parent)
            put(path, packed[member.offset_data : member.offset_data + member.size])
    return folder


def unchanged(folder: Path) -> Iterator[Path]:
    """Lends a folder; an error that names what was written there."""

    def files() -> set[tuple[str, int, int]]:
        states = {str(path): path.stat() for path in folder.rglob("*")}
        return {(path, state.st_size, state.st_mtime_ns) for path, state in states.items()}

    before = files()
    yield folder
    changed = sorted(path for path, *_ in files() ^ before)
    assert not changed, f"tests wrote into what all share: {changed[:5]}"
