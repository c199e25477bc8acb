"""The readers in Python under hypothesis: `python tests/fuzz/fuzz_readers.py SECONDS` of all.

Inputs are good files with changes that keep their form, so that they come far: other JSON values,
members with a right check sum, cells of a table. What must hold: tensors, each of which can
be asked for, or a FormatError that names the file; no other error, no warning, little memory.
"""

from __future__ import annotations

import io
import json
import random
import resource
import struct
import sys
import tempfile
import time
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from ait_cmp import FormatError
from ait_cmp.discover.file_names import read_mapping
from ait_cmp.info.info_file import pack_npz, read_info
from ait_cmp.info.members import load_members
from ait_cmp.info.stats_csv import read_stats
from reduced_dump import convert_all, ge_folder, random_values, write_ge

_EXAMPLES = 500  # a round; then the next seed
_MOST_MB = 64
_MEMBERS = ("header", "sketches", "values32", "values64")

_ODD: st.SearchStrategy[object] = st.sampled_from(
    [
        *(None, True, -1, 0, 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**19, 0.5, -0.0, 1e308, 1e400),
        *("", "ok", "fine", "inputs", "torch.float32", "ffffffffffffffff", "\ud800", "9" * 30),
        *([], {}),
    ]
)
_JSON = st.recursive(
    _ODD | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=8,
)
_CELL = st.sampled_from(
    [
        *("Input", "output", "0", "1", "00", "-1", "2532", "DT_FLOAT", "BF16", "ND", "3x211", "x"),
        *("NA", "", "-", "nan", "inf", "-1e400", "1_0", " 7 ", "\u0663", '"a', '""', f"{2**63}"),
    ]
) | st.text(max_size=5)
_COLUMNS = (
    *("Input/Output", "Index", "Data Size", "Data Type", "Shape", "Max Value", "Min", "NaN"),
    *("Mean Value", "Count", "L2Norm", "Positive Inf Count", "what"),
)
_NAME = "12345678901234567890"


class Reader(NamedTuple):
    """A reader, what it is called, and inputs for it."""

    name: str
    inputs: st.SearchStrategy[bytes]
    read: Callable[[Path], object]


def info_file() -> bytes:
    """An info file of a small and a large tensor."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_ge(ge_folder(root), "Add_1", (random_values(1, 40),), (random_values(2, 3000),))
        convert_all(root)
        (path,) = root.rglob("*_info.npz")
        return path.read_bytes()


def members_of(content: bytes) -> dict[str, Any]:
    with np.load(io.BytesIO(content)) as stored:
        return {name: stored[name] for name in stored.files}


@st.composite
def headers(draw: st.DrawFn, intact: bytes) -> bytes:
    """An info file some of whose JSON values, keys or members are others."""
    members = members_of(intact)
    header = json.loads(members["header"].tobytes())
    for _ in range(draw(st.integers(1, 3))):
        _change_inside(draw, header)
    text = json.dumps(header).encode()
    return pack_npz({**members, "header": np.frombuffer(text, np.uint8)})


def _change_inside(draw: st.DrawFn, whole: Any) -> None:
    """Remove or replace something at any depth of JSON."""
    places = list(_places(whole))
    if not places:
        return
    inside, key = draw(st.sampled_from(places))
    if draw(st.integers(0, 5)) == 0:
        del inside[key]
    else:
        inside[key] = draw(_ODD | _JSON)


def _places(inside: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key of JSON."""
    keys = list(inside) if isinstance(inside, dict) else range(len(inside))
    for key in keys:
        yield inside, key
        if isinstance(inside[key], (dict, list)):
            yield from _places(inside[key])


@st.composite
def archives(draw: st.DrawFn, intact: bytes) -> bytes:
    """An `.npz` with other arrays, or one whose bytes, check sums repaired or not, are others."""
    content = bytearray(intact)
    if draw(st.booleans()):
        members = members_of(intact)
        for name in draw(st.lists(st.sampled_from(_MEMBERS), min_size=1, max_size=3)):
            dtype = draw(
                st.sampled_from(["<f4", ">f4", "<f8", "|u1", "<i8", "|b1", "<c8", "<M8[s]"])
            )
            shape = draw(st.lists(st.integers(0, 4), max_size=3))
            members[name] = np.zeros(shape, dtype)
        content = bytearray(pack_npz(members))
    for _ in range(draw(st.integers(0, 3))):
        _edit(draw, content)
    if draw(st.booleans()):
        _repair_sums(content)
    return bytes(content)


def _edit(draw: st.DrawFn, content: bytearray) -> None:
    # Headers and the directory are a small part of the file: half of the edits go there.
    places = [at for at in range(len(content) - 3) if content[at : at + 2] == b"PK"]
    start = draw(st.sampled_from([0, *places]))
    end = min(start + 200, len(content)) if draw(st.booleans()) else len(content)
    at = draw(st.integers(start, max(end, start)))
    what = draw(st.integers(0, 3))
    if what == 0:
        content[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
    elif what == 1:
        content[at : at + 4] = struct.pack("<I", draw(st.sampled_from([0, 1, 2**31, 2**32 - 1])))
    elif what == 2:
        del content[at : at + draw(st.integers(1, 40))]
    else:
        content[at:at] = draw(st.binary(max_size=8))


def _repair_sums(content: bytearray) -> None:
    """The check sums of the directory become those of the members, as far as it can be read."""
    at = content.find(b"PK\1\2")
    while at >= 0 and at + 46 <= len(content):
        size, n_name = struct.unpack_from("<I", content, at + 20)[0], content[at + 28]
        start = struct.unpack_from("<I", content, at + 42)[0] + 30 + n_name
        content[at + 16 : at + 20] = struct.pack("<I", zlib.crc32(content[start : start + size]))
        at = content.find(b"PK\1\2", at + 46)


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """Statistics: columns in any order, lines of odd cells."""
    columns = draw(st.lists(st.sampled_from(_COLUMNS), max_size=13))
    lines = [",".join(draw(st.permutations(["Input/Output", "Index", *columns])))]
    for index in range(draw(st.integers(0, 5))):
        good = ["Input", str(index), "8", "DT_FLOAT", "2", "1", "0", "0.5", "2", "0", "0", "0"]
        cells = [cell if draw(st.integers(0, 3)) else draw(_CELL) for cell in good]
        lines.append(",".join(cells))
    content = draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines)
    return content.encode("utf-8", "surrogatepass")


def mappings() -> st.SearchStrategy[bytes]:
    """Lines of a `mapping.csv`, some far too long."""
    part = st.sampled_from(
        [_NAME, "Add.Add_1.1.6.1706596911888001", ",", "\n", "\r\n", "\0", "\xff"]
    )
    long = st.sampled_from(["x" * 8191, "x" * 8192, "y" * 20000])
    parts = st.lists(part | long | st.text(max_size=4), max_size=12)
    return parts.map(lambda texts: "".join(texts).encode("utf-8", "surrogatepass"))


def _read_info(path: Path) -> object:
    return [tensor.tensor.sums for tensor in read_info(str(path)).tensors]


def _read_stats(path: Path) -> object:
    return [tensor.tensor.known_shape for tensor in read_stats(str(path)).tensors]


def _read_mapping(path: Path) -> object:
    found = read_mapping(str(path), [_NAME])
    assert found.keys() <= {_NAME}, found
    assert all(name and name == name.strip() and "\n" not in name for name in found.values())
    return found


def readers() -> list[Reader]:
    intact = info_file()
    return [
        Reader("info header", headers(intact), _read_info),
        Reader("members", archives(intact), lambda path: load_members(str(path), _MEMBERS)),
        Reader("statistics", tables(), _read_stats),
        Reader("mapping.csv", mappings(), _read_mapping),
    ]


def peak_mb() -> int:
    """The most memory that this process had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def fuzz(reader: Reader, seconds: float, folder: Path) -> Counter[str]:
    """Read inputs until the time is over; AssertionError or another error where it must not be."""
    path = folder / "Add.Add_1.1.6.1706596911888001"
    found: Counter[str] = Counter()

    def check(content: bytes) -> None:
        path.write_bytes(content)
        before = peak_mb()
        told = f"{path} is good"
        try:
            reader.read(path)
        except FormatError as error:
            told = str(error)
            found["refused"] += 1
        assert str(path) in told
        assert peak_mb() - before < _MOST_MB
        found["inputs"] += 1

    limits = settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seed(random.getrandbits(32))(limits(given(reader.inputs)(check)))()
    return found


def main() -> None:
    seconds = float(sys.argv[1])
    warnings.simplefilter("error")
    all_readers = readers()
    with tempfile.TemporaryDirectory() as folder:
        for reader in all_readers:
            found = fuzz(reader, seconds / len(all_readers), Path(folder))
            refused = found["refused"]
            print(f"{reader.name:11} {found['inputs']} inputs, {refused} refused", flush=True)


if __name__ == "__main__":
    main()
