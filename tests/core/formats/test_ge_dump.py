"""GE dump files: the header, the places of the tensors, and what a damaged file gives."""

from __future__ import annotations

import re
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.pairing.pair import Pair
from ait_cmp.report.row import column
from ait_cmp.tensor_ref import TensorRef
from dump_proto import MESSAGES
from make_dump import Dump, DumpTensor, good_dump, message_field, tensor_of, varint

ACCESSES = ["auto", "map", "read"]

#: The worked example of the format, written out by hand.
WORKED_EXAMPLE = bytes.fromhex(
    "4000000000000000"
    "0a03322e30"
    "1095c9e5f5c0848403"
    "1a13080210021a030a010230043a030a0102488040"
    "2213080110021a030a0102280832030a0102408020"
    "3206436173745f39"
    "0000c03f000000c0"
    "003e00c0"
)


def write(folder: Path, content: bytes) -> Path:
    """A file that no other call has written."""
    path = folder / f"Cast.Cast_9.1.2.{1706596912161941 + len(list(folder.iterdir()))}"
    path.write_bytes(content)
    return path


def places(tensors: list[_core.Tensor]) -> list[tuple[str, int, int]]:
    """(state, first byte, size) of each tensor."""
    return [(t.state, t.offset_bytes, t.size_bytes) for t in tensors]


def stored(path: Path, tensor: _core.Tensor) -> bytes:
    """The bytes of a tensor as the file holds them."""
    content = path.read_bytes()
    return content[tensor.offset_bytes : tensor.offset_bytes + tensor.size_bytes]


def test_the_worked_example_of_the_format_is_read(tmp_path: Path) -> None:
    dump = _core.read_ge(write(tmp_path, WORKED_EXAMPLE))
    assert (dump.version, dump.op_name, dump.dump_time) == ("2.0", "Cast_9", 1706596912161941)
    assert (dump.header_bytes, dump.file_size, dump.notes, dump.is_complete) == (64, 84, [], True)
    (given_in,), (given_out,) = dump.inputs, dump.outputs
    assert (given_in.dtype, given_in.shape, given_in.address) == ("torch.float32", (2,), 4096)
    assert (given_out.dtype, given_out.shape, given_out.address) == ("torch.float16", (2,), 8192)
    assert places(dump.inputs + dump.outputs) == [("ok", 72, 8), ("ok", 80, 4)]


def test_the_test_writer_writes_the_worked_example() -> None:
    assert good_dump().file_bytes() == WORKED_EXAMPLE


DIMS = st.lists(st.integers(0, 5), max_size=4)
TENSORS = st.fixed_dictionaries(
    {
        "data_type": st.integers(0, 60),
        "format": st.integers(0, 54),
        "sub_format": st.integers(-(2**31), 2**31 - 1),
        "address": st.integers(1, 2**64 - 1),
        "size": st.integers(0, 300),
        "dim": st.none() | DIMS,
        "original_dim": st.none() | DIMS,
    }
)


def fill(message: object, values: dict[str, object]) -> None:
    """Sets the fields of an OpInput or OpOutput."""
    for name in ("data_type", "format", "sub_format", "address", "size"):
        setattr(message, name, values[name])
    for name, dims in (("shape", values["dim"]), ("original_shape", values["original_dim"])):
        if dims is not None:
            getattr(message, name).SetInParent()
            getattr(message, name).dim.extend(dims)


@given(
    inputs=st.lists(TENSORS, max_size=4),
    outputs=st.lists(TENSORS, max_size=4),
    op_name=st.text(min_size=1, max_size=20),
    dump_time=st.integers(0, 2**64 - 1),
    attrs=st.lists(st.tuples(st.text(max_size=5), st.text(max_size=9)), max_size=2),
    extra=st.lists(st.integers(0, 30), max_size=3),
    dfx_message=st.text(max_size=5),
)
def test_headers_written_by_google_protobuf_are_read(
    tmp_path_factory: pytest.TempPathFactory,
    inputs: list[dict[str, object]],
    outputs: list[dict[str, object]],
    op_name: str,
    dump_time: int,
    attrs: list[tuple[str, str]],
    extra: list[int],
    dfx_message: str,
) -> None:
    message = MESSAGES["DumpData"](
        version="2.0", op_name=op_name, dump_time=dump_time, dfx_message=dfx_message
    )
    for values in inputs:
        fill(message.input.add(), values)
    for values in outputs:
        fill(message.output.add(), values)
        message.output[-1].dim_range.add(dim_start=1, dim_end=2)
        message.output[-1].original_op.name = "origin"
        message.output[-1].original_op.output_index = 2**32 - 1
    for name, value in attrs:
        message.attr.add(name=name, value=value)
    for size in extra:
        message.buffer.add(size=size)
        message.space.add(size=size)
    header = message.SerializeToString()
    sizes = [int(str(values["size"])) for values in inputs + outputs]
    path = tmp_path_factory.getbasetemp() / "any_header"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(sum(sizes) + 2 * sum(extra)))
    dump = _core.read_ge(path)

    assert (dump.version, dump.op_name, dump.dump_time) == ("2.0", op_name, dump_time)
    assert dump.attrs == attrs
    offset = 8 + len(header)
    for tensor, values in zip(dump.inputs + dump.outputs, inputs + outputs):
        assert tensor.dtype_number == values["data_type"]
        assert tensor.format_number == values["format"]
        assert tensor.sub_format == values["sub_format"]
        assert tensor.address == values["address"]
        assert tensor.storage_shape == (None if values["dim"] is None else tuple(values["dim"]))
        assert tensor.original_shape == (tuple(values["original_dim"] or ()) or None)
        assert (tensor.offset_bytes, tensor.size_bytes) == (offset, values["size"])
        offset += tensor.size_bytes
    assert [t.original_op for t in dump.outputs] == [("origin", -1)] * len(outputs)
    assert [t.original_op for t in dump.inputs] == [None] * len(inputs)


def test_unpacked_dimensions_and_unknown_fields_are_accepted(tmp_path: Path) -> None:
    shape = message_field(1, 2) + message_field(1, 3)
    unknown = (
        message_field(77, 5)
        + message_field(78, b"later")
        + varint(79 << 3 | 1)
        + bytes(8)
        + varint(80 << 3 | 5)
        + bytes(4)
    )
    tensor = message_field(1, 3) + message_field(3, shape) + message_field(5, 6) + unknown
    header = message_field(1, b"2.0") + message_field(4, tensor) + unknown
    path = write(tmp_path, struct.pack("<Q", len(header)) + header + b"abcdef")
    (only,) = _core.read_ge(path).inputs
    assert (only.state, only.shape, stored(path, only)) == ("ok", (2, 3), b"abcdef")


A = np.arange(3, dtype=np.float32)
B = np.arange(5, dtype=np.int64)
SKIPPED = DumpTensor(1, (2,), b"", 8, (2,), address=0)


def test_a_tensor_with_a_null_address_may_have_left_no_bytes(tmp_path: Path) -> None:
    dump = Dump(inputs=(tensor_of(A), SKIPPED), outputs=(tensor_of(B),))
    path = write(tmp_path, dump.file_bytes())
    read = _core.read_ge(path)
    assert [t.state for t in read.inputs + read.outputs] == ["ok", "no_data", "ok"]
    assert "null device address, 8 bytes declared" in read.inputs[1].note
    assert stored(path, read.outputs[0]) == B.tobytes()


def test_a_null_address_alone_does_not_mean_no_bytes(tmp_path: Path) -> None:
    dump = Dump(inputs=(tensor_of(A, address=0),), outputs=(tensor_of(B, address=0),))
    path = write(tmp_path, dump.file_bytes())
    read = _core.read_ge(path)
    assert [stored(path, t) for t in read.inputs + read.outputs] == [A.tobytes(), B.tobytes()]


@pytest.mark.parametrize("spaces", [((16, b""),), ((4, bytes(4)), (16, b""), (8, b""))])
def test_absent_workspaces_at_the_end_are_no_damage(
    tmp_path: Path, spaces: tuple[tuple[int, bytes], ...]
) -> None:
    dump = Dump(inputs=(SKIPPED, tensor_of(A)), outputs=(tensor_of(B),), spaces=spaces)
    path = write(tmp_path, dump.file_bytes())
    read = _core.read_ge(path)
    assert [t.state for t in read.inputs + read.outputs] == ["no_data", "ok", "ok"]
    assert stored(path, read.outputs[0]) == B.tobytes()


@pytest.mark.parametrize("access", ACCESSES)
def test_a_file_cut_short_keeps_its_whole_tensors(tmp_path: Path, access: str) -> None:
    large = np.arange(40_000, dtype=np.float32)
    dump = Dump(inputs=(tensor_of(A), tensor_of(large)), outputs=(tensor_of(B),))
    path = write(tmp_path, dump.file_bytes()[: -len(B.tobytes()) - 60_000])
    read = _core.read_ge(path, access=access)
    assert [t.state for t in read.inputs + read.outputs] == ["ok", "truncated", "truncated"]
    begin = read.inputs[1].offset_bytes
    assert read.inputs[1].note == (
        f"160000 bytes declared, 100000 left at byte {begin} (file cut short?)"
    )
    assert (read.is_complete, stored(path, read.inputs[0])) == (False, A.tobytes())


def test_trailing_bytes_are_noted(tmp_path: Path) -> None:
    read = _core.read_ge(write(tmp_path, good_dump().file_bytes() + b"xyz"))
    assert read.notes == ["3 trailing bytes at byte 84 ignored"]
    assert [t.state for t in read.inputs + read.outputs] == ["ok", "ok"]


@pytest.mark.parametrize("access", ACCESSES)
def test_the_old_form_with_the_bytes_inside_is_read(tmp_path: Path, access: str) -> None:
    large = np.arange(40_000, dtype=np.float32)
    dump = Dump(inputs=(tensor_of(A), tensor_of(large)), outputs=(tensor_of(B),), version="1.0")
    path = write(tmp_path, dump.old_file_bytes())
    read = _core.read_ge(path, access=access)
    assert (read.version, read.op_name, read.header_bytes) == ("1.0", "Cast_9", 0)
    assert read.notes == ["old form: the whole file is one protobuf message"]
    tensors = read.inputs + read.outputs
    assert [t.state for t in tensors] == ["ok", "ok", "ok"]
    assert [stored(path, t) for t in tensors] == [a.tobytes() for a in (A, large, B)]


@pytest.mark.parametrize(
    ("tensor", "state", "note"),
    [
        (
            DumpTensor(1, (2, 3), bytes(20)),
            "short",
            "24 bytes expected for DT_FLOAT of shape (2, 3)",
        ),
        (DumpTensor(1, (2, 3), bytes(32)), "ok", "trailing bytes: 32 declared, the first 24 used"),
        (DumpTensor(1, (2, 3)), "no_data", "no data: 0 bytes declared"),
        (DumpTensor(1, (2, 0)), "ok", ""),
        (DumpTensor(1, (), bytes(4)), "ok", ""),
        (DumpTensor(28, (3,), bytes(2)), "ok", ""),
        (DumpTensor(28, (3,), bytes(1)), "short", "2 bytes expected for DT_INT4"),
        (DumpTensor(1, (2**40, 2**40), bytes(8)), "short", "(1099511627776, 1099511627776) over"),
        (DumpTensor(1, (2**62,), bytes(8)), "short", "overflows 64 bits, 8 bytes declared"),
        (DumpTensor(1, (2**62, 2**62, 0)), "ok", ""),
        (DumpTensor(99, (2,), bytes(2)), "unsupported", "unknown dtype number 99"),
        (DumpTensor(99, (2,)), "no_data", "no data: 0 bytes declared"),
        (DumpTensor(0, (2,), bytes(8)), "unsupported", "DT_UNDEFINED has no public value coding"),
        (DumpTensor(13, (2,), bytes(8)), "unsupported", "DT_STRING has no public value coding"),
    ],
)
def test_what_shape_dtype_and_size_say_together(
    tmp_path: Path, tensor: DumpTensor, state: str, note: str
) -> None:
    (read,) = _core.read_ge(write(tmp_path, Dump(inputs=(tensor,)).file_bytes())).inputs
    assert (read.state, note in read.note, bool(note)) == (state, True, bool(read.note))


@pytest.mark.parametrize("dims", [None, (2**64 - 1, 4), (2**63,)])
def test_a_missing_or_negative_shape_gives_a_row(
    tmp_path: Path, dims: tuple[int, ...] | None
) -> None:
    tensor = DumpTensor(2, dims, bytes(12), original_shape=None)
    (read,) = _core.read_ge(write(tmp_path, Dump(inputs=(tensor,)).file_bytes())).inputs
    assert (read.state, read.storage_shape, read.shape) == ("ok", None, (6,))


@pytest.mark.parametrize(
    ("original", "shape"), [((3, 4), (3, 4)), ((13,), (2, 6)), ((), (2, 6)), (None, (2, 6))]
)
def test_the_original_shape_is_the_logical_one_if_it_counts_the_same(
    tmp_path: Path, original: tuple[int, ...] | None, shape: tuple[int, ...]
) -> None:
    tensor = DumpTensor(3, (2, 6), bytes(12), original_shape=original)
    (read,) = _core.read_ge(write(tmp_path, Dump(inputs=(tensor,)).file_bytes())).inputs
    assert (read.shape, read.storage_shape) == (shape, (2, 6))


def declare_header(n_bytes: int) -> Callable[[bytes], bytes]:
    """Another length before the header."""
    return lambda content: struct.pack("<Q", n_bytes) + content[8:]


def set_byte(at: int, value: int) -> Callable[[bytes], bytes]:
    """Another value of one byte."""
    return lambda content: content[:at] + bytes([value]) + content[at + 1 :]


def with_header(header: bytes) -> Callable[[bytes], bytes]:
    """Another header without tensors behind it."""
    return lambda _: struct.pack("<Q", len(header)) + header


def many(field: bytes, count: int) -> bytes:
    """A header that repeats one field."""
    return message_field(1, b"2.0") + field * count


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: b"", "the file is empty"),
        (lambda content: content[:5], "5 bytes: too few for a length and a header"),
        (lambda content: content[:8], "8 bytes: too few for a length and a header"),
        (
            lambda content: content[:40],
            r"header of 64 bytes declared, 32 left at byte 8 \(file cut",
        ),
        (declare_header(77), "header of 77 bytes declared, 76 left at byte 8"),
        (declare_header(2**64 - 1), "header of 18446744073709551615 bytes declared, 76 left"),
        (declare_header(0), "header of 0 bytes declared"),
        (declare_header(63), "field 6: 6 bytes declared, 5 left at byte 66"),
        (lambda c: c[:8] + b"ZZZZ" + c[12:], "nano .* 5A5A5A5A at byte 8.* not supported"),
        (set_byte(9, 0x7F), "field 1: 127 bytes declared, 62 left at byte 10"),
        (set_byte(8, 0x0B), "field 1: wire type 3 at byte 8"),
        (set_byte(8, 0x02), "field number 0 at byte 8"),
        (set_byte(22, 0x18), 'field 3 "output": a message expected, found wire type 0 at byte 22'),
        (with_header(varint(2 << 3) + b"\xff" * 11), "varint longer than 10 bytes at byte 9"),
        (with_header(varint(2 << 3) + b"\xff"), "1 bytes expected, 0 left at byte 10"),
        (with_header(message_field(99, 1)), "no version, no operator name and no tensor"),
        (with_header(many(message_field(4, b""), 65537)), "more than 65536 tensors"),
        (with_header(many(message_field(7, b""), 4097)), ".* 4096 attributes"),
        (
            with_header(message_field(4, message_field(3, message_field(1, bytes(33))))),
            'field 1 "dim": more than 32 values',
        ),
    ],
)
@pytest.mark.parametrize("access", ACCESSES)
def test_a_broken_file_is_refused(
    tmp_path: Path, change: Callable[[bytes], bytes], message: str, access: str
) -> None:
    path = write(tmp_path, change(good_dump().file_bytes()))
    with pytest.raises(FormatError, match=f"^{re.escape(str(path))}: (header: )?{message}"):
        _core.read_ge(path, access=access)


@pytest.mark.parametrize("n_bytes", range(0, 84))
def test_every_cut_gives_an_error_or_truncated_tensors(tmp_path: Path, n_bytes: int) -> None:
    path = write(tmp_path, good_dump().file_bytes()[:n_bytes])
    if n_bytes < 72:
        with pytest.raises(FormatError):
            _core.read_ge(path)
    else:
        states = [t.state for t in _core.read_ge(path).inputs + _core.read_ge(path).outputs]
        assert states == ["ok" if n_bytes >= 80 else "truncated", "truncated"]


def test_names_that_are_no_utf8_can_be_printed(tmp_path: Path) -> None:
    header = message_field(1, b"2.0") + message_field(6, b"op\xff/\xc3\xa9")
    path = write(tmp_path, struct.pack("<Q", len(header)) + header)
    assert _core.read_ge(path).op_name == "op\\xff/é"


@pytest.mark.parametrize("threads", [0, 1, 2, 7])
def test_a_scan_lists_files_in_order_and_errors_as_text(tmp_path: Path, threads: int) -> None:
    good = write(tmp_path, good_dump().file_bytes())
    large = np.arange(40_000, dtype=np.float32)
    whole = write(tmp_path, Dump(outputs=(tensor_of(large, original_op=("src", 2)),)).file_bytes())
    empty = write(tmp_path, b"")
    paths = [good, empty, whole, tmp_path / "absent", tmp_path] * 3
    rows = list(_core.scan_ge(paths, threads))
    assert rows[:5] == rows[5:10] == rows[10:]
    assert rows[0] == (
        None,
        "Cast_9",
        [("torch.float32", (2,), "ok", "", None, -1, 2)],
        [("torch.float16", (2,), "ok", "", None, -1, 2)],
        [],
    )
    assert rows[2][3] == [("torch.float32", (40_000,), "ok", "", "src", 2, 2)]
    assert rows[1][0] == f"{empty}: the file is empty"
    assert rows[3][0] == f"{tmp_path / 'absent'}: No such file or directory"
    assert rows[4][0] == f"{tmp_path}: a regular file expected, found a directory"


@pytest.mark.parametrize(
    ("changes", "is_like"),
    [
        ({}, True),
        ({"dump_time": 1}, True),
        ({"op_name": "Cast_8"}, False),
        ({"outputs": ()}, False),
        ({"inputs": (tensor_of(np.zeros((2, 1), np.float32)),)}, False),
        ({"inputs": (tensor_of(np.ones(2, np.float16)),)}, False),
    ],
)
def test_headers_are_alike_that_say_the_same(
    tmp_path: Path, changes: dict[str, Any], is_like: bool
) -> None:
    for name, dump in (("a", good_dump()), ("b", replace(good_dump(), **changes))):
        (tmp_path / name).write_bytes(dump.file_bytes())
    a, b = (_core.scan_ge([tmp_path / name], 1) for name in "ab")
    assert a.is_like(b) is is_like
    assert (a[0] == b[0]) is is_like
    assert not a.is_like(_core.scan_ge([tmp_path / "a"] * 2, 1))


def test_a_small_file_that_a_scan_kept_is_compared_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(good_dump().file_bytes())
    headers = _core.scan_ge([path], 1)
    path.unlink()
    my = TensorRef(str(path), "outputs", 0)
    pair = Pair(0, "graph_1", 0, 0, "Cast_9", "Cast", *my[1:3], my, my, "Cast", "name", "", "")
    rows = _core.StepRows([pair], [], [])
    assert list(rows.batch(1, "auto", True, [headers])) == [1]
    assert column(rows, "status") == ["compared"]
