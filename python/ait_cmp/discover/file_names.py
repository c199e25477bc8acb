"""File names of GE and FX dumps -> what they say, parsed from both ends, not by part counts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ait_cmp.discover.tree import FxFile, GeFile, OverflowFile
from ait_cmp.file_kinds import FILE_KINDS, FX_ENDINGS, FileKind, split_ge_name

# {type}.{name}.{task}[.{stream}].{time}[.{task type}.{context}.{thread}.{device}]
_GE_NAME = re.compile(
    r"(?P<type>[^.]+)\.(?P<name>.+?)\.(?P<task>\d+)(?:\.(?P<stream>\d+))?\.(?P<time>\d{10,20})"
    r"(?:\.\d+\.(?P<context>\d+)\.(?P<thread>\d+)\.\d+)?",
    re.ASCII | re.DOTALL,
)
# {node}-{target}.{INPUT|OUTPUT}.{i}[.{j}].{time}, then what the kind of file adds
_FX_NAME = re.compile(
    r"(?P<node>[^-]+)-(?P<target>.+)\.(?P<io>INPUT|OUTPUT)\.(?P<index>0|[1-9]\d*)"
    r"(?:\.(?P<sub>0|[1-9]\d*))?\.(?P<time>\d{14,20})"
    rf"(?P<ending>{'|'.join(map(re.escape, FX_ENDINGS))})",
    re.ASCII | re.DOTALL,
)
_OVERFLOW_NUMBERS = re.compile(r"\.(\d+)\.(\d+)\.(\d{10,20})$", re.ASCII)
# A 64-bit hash printed in decimal; shorter numbers are names that a person gave.
_HASH_DIGITS = range(8, 21)

# A name on disk has at most 255 bytes, the path that it stands for 4096.
_MOST_LINE = 8192

# Of one tensor's files the most telling one is compared.
KIND_RANK: dict[FileKind, int] = {kind: rank for rank, kind in enumerate(FILE_KINDS)}


def is_number(text: str) -> bool:
    """Whether a name consists of the digits 0 to 9 alone."""
    return text.isascii() and text.isdigit()


def parse_ge_name(folder: str, name: str, mapping: Mapping[str, str]) -> tuple[str, GeFile] | None:
    """Read the name of a GE file.

    Args:
        folder: Absolute path of the folder that holds it.
        name: Name in that folder.
        mapping: Lines of the folder's `mapping.csv`: name on disk -> original name.

    Returns:
        (name of the dump without the endings of reduced files, the file), or None for other names.
    """
    base, kind = split_ge_name(mapping.get(name, name))
    if base in mapping:  # the tool that reduced it knew the name on disk alone
        base, inner = split_ge_name(mapping[base])
        if inner not in ("dump", kind):
            return None
    found = _GE_NAME.fullmatch(base)
    if found is None:
        return None
    return base, GeFile(
        path=f"{folder}/{name}",
        op_type=found["type"],
        op_name=found["name"],
        task_id=int(found["task"]),
        stream_id=int(found["stream"] or -1),
        timestamp=int(found["time"]),
        context_id=int(found["context"] or -1),
        thread_id=int(found["thread"] or -1),
        kind=kind,
    )


def parse_hash_name(folder: str, name: str) -> tuple[str, GeFile] | None:
    """Read the name of a GE file called by a hash that no `mapping.csv` explains; else None."""
    base, kind = split_ge_name(name)
    if kind == "stats":  # a table of the user's; those of GE have the names of their tasks
        return None
    if len(base) not in _HASH_DIGITS or not is_number(base):
        return None
    return base, GeFile(f"{folder}/{name}", "", "", -1, -1, -1, -1, -1, kind)


def parse_fx_name(folder: str, name: str) -> FxFile | None:
    """Read the name of an FX file in the folder of this absolute path; None for other names."""
    found = _FX_NAME.fullmatch(name) if "-" in name else None
    if found is None:
        return None
    node, target, io, index, sub, time, ending = found.groups()
    kind = FX_ENDINGS[ending]
    return FxFile(f"{folder}/{name}", node, target, io, int(index), int(sub or -1), int(time), kind)


def parse_overflow_name(folder: str, name: str) -> OverflowFile | None:
    """Read `Opdebug.{name}.{task}.{stream}.{time}`; None for other names."""
    if not name.lower().startswith("opdebug."):
        return None
    numbers = _OVERFLOW_NUMBERS.search(name)
    ids = [int(n) for n in numbers.groups()] if numbers else [-1, -1, -1]
    return OverflowFile(f"{folder}/{name}", *ids)


def read_mapping(path: str, files: Collection[str]) -> dict[str, str]:
    """Read a `mapping.csv`: {name on disk},{original name} a line; lines may repeat.

    Lines too long for two names of files are left out.

    Args:
        path: The file.
        files: Names of the files beside it; others are left out.

    Raises:
        OSError: The file cannot be read.
    """
    with Path(path).open(encoding="utf-8", errors="surrogateescape", newline="\n") as file:
        lines = iter(lambda: file.readline(_MOST_LINE), "")
        wanted = {*files, *(split_ge_name(name)[0] for name in files)}
        return {short: name for short, name in _pairs(lines) if short in wanted}


def _pairs(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    is_rest = False
    for line in lines:
        is_whole = line.endswith("\n") or len(line) < _MOST_LINE
        short, _, name = line.rstrip("\r\n").partition(",")
        if is_whole and not is_rest and name:
            yield short.strip(), name.strip()
        is_rest = not is_whole
