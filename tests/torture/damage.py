"""Damages one file of each kind in every way: cuts, flipped bits, seeded edits. `nox -s torture`.

Every damaged file goes through its reader, every few of them through a whole comparison and a
conversion. What must hold: tensors or a sentence with the path, totals that add up, no other error,
bounded time and memory. Run alone it prints the counts.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import small_model
from ait_cmp import ConfigError, FormatError, _core, compare_dirs, open_dump
from ait_cmp.convert import convert_dir
from ait_cmp.discover.file_names import read_mapping
from ait_cmp.info.source import read_reduced
from ait_cmp.tensor_ref import FileRef

N_EDITS = 2000
# Bits of so many bytes at either end are flipped one by one: headers, and directories of archives.
_HEAD_BYTES, _TAIL_BYTES = 320, 320
# Every so many damages go through a comparison, and through a conversion.
COMPARED, CONVERTED = 7, 31
# A run of some kilobytes; a limit that only something endless reaches.
_MOST_SECONDS = 20.0


class Kind(NamedTuple):
    """A kind of file: what makes a dump with one of it, where it lies, and what reads it.

    Attributes:
        name: What it is called.
        prepare: Writes ge and fx into a folder and returns the file.
        read: Its reader alone.
    """

    name: str
    prepare: Callable[[Path], Path]
    read: Callable[[Path], object]


def _written(root: Path) -> None:
    small_model.write_dumps(root, tokens=1)


def _first(root: Path, pattern: str) -> Path:
    return min(root.rglob(pattern))


def _made(side: str, pattern: str, info: str | None = None) -> Callable[[Path], Path]:
    """Writes the dumps, converts a side if `info` says to what, and returns a file of that side."""

    def prepare(root: Path) -> Path:
        _written(root)
        if info is not None:
            convert_dir(root / side, settle=0, force=True, info=info)
        return _first(root / side, pattern)

    return prepare


def _statistics(root: Path) -> Path:
    _written(root)
    dump = _first(root / "ge", "Mul.*")
    made = dump.with_name(dump.name + ".csv")
    dump.unlink()
    made.write_text(
        "Input/Output,Index,Data Size,Data Type,Format,Shape,Max Value,Min Value,Avg Value,Count\n"
        "Input,0,2532,DT_FLOAT,ND,3x211,2.0,0.5,1.2,633\n"
        "Input,1,2532,DT_FLOAT,ND,3x211,2.0,0.5,1.2,633\n"
        "Output,0,2532,DT_FLOAT,ND,3x211,4.0,0.25,1.6,633\n"
    )
    return made


def _mapping(root: Path) -> Path:
    _written(root)
    dump = _first(root / "ge", "Mul.*")
    made = dump.with_name("mapping.csv")
    made.write_text(f"12345678901234567890,{dump.name}\n")
    dump.rename(dump.with_name("12345678901234567890"))
    return made


def _read_ge_reduced(kind: str) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        found = read_reduced(FileRef(str(path), kind), "ge")
        return [list(found.of(io)) for io in ("inputs", "outputs")]

    return read


def _read_fx_reduced(kind: str) -> Callable[[Path], object]:
    return lambda path: read_reduced(FileRef(str(path), kind), "fx")


KINDS = (
    Kind("GE dump", _made("ge", "Mul.*"), open_dump),
    Kind("FX output", _made("fx", "mul*OUTPUT*"), open_dump),
    Kind("FX input", _made("fx", "mul*INPUT.1*"), open_dump),
    Kind("graph text", _made("ge", "dynamo*"), lambda path: _core.read_graph(str(path))),
    Kind("info file of GE", _made("ge", "Mul*_info.npz", "sketch"), _read_ge_reduced("sketch")),
    Kind(
        "info file of FX", _made("fx", "mul*OUTPUT*_info.npz", "sketch"), _read_fx_reduced("sketch")
    ),
    Kind("extrema of GE", _made("ge", "Mul*_min_max.npz", "min_max"), _read_ge_reduced("min_max")),
    Kind(
        "extrema of FX",
        _made("fx", "mul*OUTPUT*_min_max.npy", "min_max"),
        _read_fx_reduced("min_max"),
    ),
    Kind("statistics", _statistics, _read_ge_reduced("stats")),
    Kind("mapping.csv", _mapping, lambda path: read_mapping(str(path), ["12345678901234567890"])),
)


def damages(content: bytes, seed: int, share: float) -> Iterator[bytes]:
    """Cuts, flipped bits and edits of a file; of each a share."""
    chosen = random.Random(seed)
    for n in range(len(content)):
        if chosen.random() < share:
            yield content[:n]
    tail = range(max(_HEAD_BYTES, len(content) - _TAIL_BYTES), len(content))
    for at in (*range(min(_HEAD_BYTES, len(content))), *tail):
        for bit in range(8):
            if chosen.random() < share:
                yield content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]
    for _ in range(int(N_EDITS * share)):
        yield _edited(content, chosen)


def _edited(content: bytes, chosen: random.Random) -> bytes:
    """Several edits at once: bytes changed, removed, repeated, swapped, large numbers put in."""
    made = bytearray(content)
    for _ in range(chosen.randint(1, 6)):
        at, n = chosen.randrange(len(made) + 1), chosen.choice((1, 1, 2, 4, 8, 40))
        what = chosen.randrange(5)
        if what == 0:
            made[at : at + n] = chosen.randbytes(n)
        elif what == 1:
            del made[at : at + n]
        elif what == 2:
            made[at:at] = made[at : at + n] * chosen.randint(1, 30)
        elif what == 3:
            made[at : at + n] = chosen.choice((b"\xff", b"\0", b"\x7f", b"9", b"[")) * n
        else:
            other = chosen.randrange(len(made) + 1)
            made[at:at] = made[other : other + n]
        if not made:
            made += b"\0"
    return bytes(made)


def torture(
    kind: Kind,
    root: Path,
    *,
    share: float,
    seed: int = 1,
    compared: int = COMPARED,
    converted: int = CONVERTED,
) -> Counter[str]:
    """Damage a file of a kind; AssertionError or another error where something does not hold."""
    file = kind.prepare(root)
    found: Counter[str] = Counter()
    for number, damaged in enumerate(damages(file.read_bytes(), seed, share)):
        _overwrite(file, damaged, number)
        start = time.monotonic()
        found["damaged"] += 1
        try:
            kind.read(file)
            found["read"] += 1
        except FormatError as error:
            found["refused"] += 1
            said = str(error)
            assert str(file) in said, said
        if number % compared == 0:
            _compare(root, found)
        if number % converted == 0:
            _convert(file, found)
        assert time.monotonic() - start < _MOST_SECONDS, (kind.name, number)
    return found


def _overwrite(file: Path, content: bytes, number: int) -> None:
    """Give a file other bytes, and another time of change: what was kept of it counts no more."""
    with file.open("r+b", buffering=0) as to:  # not emptied first: some systems flush it then
        to.write(content)
        to.truncate(len(content))
    os.utime(file, ns=(0, 10**18 + number * 10**9))


def _compare(root: Path, found: Counter[str]) -> None:
    found["compared"] += 1
    try:
        result = compare_dirs(root / "ge", root / "fx")
    except ConfigError:  # a graph text that names nothing
        found["nothing to compare"] += 1
        return
    assert result.counts.total == len(result.rows)
    assert sum(result.counts.misses.values()) == result.counts["unmatched"]
    bad = [row for row in result.rows if row.status not in ("compared", "unmatched")]
    assert all(row.cmp_fail_reason for row in bad)
    with_metrics = [row for row in result.rows if row.status == "compared"]
    assert all(
        row.cosine_similarity is not None or row.max_absolute_error is not None or row.my_data_path
        for row in with_metrics
    )
    found["unreadable rows"] += result.counts["unreadable"]


def _convert(file: Path, found: Counter[str]) -> None:
    """Convert the folder of the file: it, and sound ones beside it. It removes second names."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(file.parent, Path(folder) / "copy", copy_function=os.link))
        convert_dir(copy, settle=0, force=True)
    found["converted"] += 1


def main() -> None:
    """Everything, with the counts."""
    share = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    for kind in KINDS:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            found = torture(kind, Path(folder) / "dump", share=share)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        told = ", ".join(f"{number} {what}" for what, number in found.items())
        print(
            f"{kind.name:16} {told}; {time.monotonic() - start:.0f} s, peak {peak >> 10} MB "
            f"(+{peak - before >> 10})",
            flush=True,
        )


if __name__ == "__main__":
    main()
