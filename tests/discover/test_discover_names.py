"""Names made of random parts are taken apart into the same parts."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import _core
from ait_cmp.discover import FxFile, GeFile
from ait_cmp.discover.file_names import parse_fx_name, parse_ge_name, parse_overflow_name

_WORD = st.text("ABCxyz019_", min_size=1, max_size=20)
_ID = st.integers(0, 2**16)
# Microseconds since the epoch: 2001 to 2286.
_TIME_US = st.integers(10**15, 10**16 - 1)
_TIME_20 = st.integers(10**19, 10**20 - 1)


@given(_WORD, _WORD, _ID, _ID, _TIME_US, st.sampled_from(["", "4.487.3.0"]))
def test_a_sanitised_ge_name_is_read_back(
    op_type: str, op_name: str, task: int, stream: int, time: int, ffts: str
) -> None:
    name = ".".join(filter(None, [op_type, op_name, str(task), str(stream), str(time), ffts]))
    for ending, kind in (
        ("", "dump"),
        (".csv", "stats"),
        ("_min_max.npz", "min_max"),
        ("_info.npz", "sketch"),
    ):
        found = parse_ge_name("/d", name + ending, {})
        assert found is not None
        base, file = found
        assert base == name
        assert (file.op_type, file.op_name, file.task_id) == (op_type, op_name, task)
        assert (file.stream_id, file.timestamp, file.kind) == (stream, time, kind)
        assert file.thread_id == (3 if ffts else -1)
        assert file.path == f"/d/{name}{ending}"


@given(_WORD, st.lists(_WORD, min_size=1, max_size=5), _ID, _ID, _TIME_US)
def test_a_ge_name_with_dots_is_read_back_unless_a_number_ends_it_early(
    op_type: str, words: list[str], task: int, stream: int, time: int
) -> None:
    op_name = ".".join(words)
    found = parse_ge_name("/d", f"{op_type}.{op_name}.{task}.{stream}.{time}", {})
    assert found is not None
    assert (found[1].op_name, found[1].task_id) == (op_name, task)


@given(
    _WORD,
    st.lists(_WORD, min_size=1, max_size=4),
    st.sampled_from(["INPUT", "OUTPUT"]),
    st.integers(0, 200),
    st.none() | st.integers(0, 200),
    _TIME_20,
)
def test_an_fx_name_is_read_back(
    node: str, words: list[str], io: str, index: int, sub: int | None, time: int
) -> None:
    target = ".".join(words)
    numbers = f"{index}" if sub is None else f"{index}.{sub}"
    for ending, kind in (
        (".npy", "dump"),
        ("_min_max.npy", "min_max"),
        ("_info.npz", "sketch"),
        (".npy_info.npz", "sketch"),
    ):
        file = parse_fx_name("/d", f"{node}-{target}.{io}.{numbers}.{time}{ending}")
        assert file is not None
        assert (file.node, file.target, file.io, file.index) == (node, target, io, index)
        assert (file.sub_index, file.timestamp, file.kind) == (
            -1 if sub is None else sub,
            time,
            kind,
        )


@given(st.text(max_size=60))
def test_any_other_name_is_refused_without_an_error(name: str) -> None:
    parse_fx_name("/d", name)
    parse_ge_name("/d", name, {})


_PARTS = st.sampled_from(
    [
        *("Add", "a-b", "-", "aten", "INPUT", "OUTPUT", "Opdebug", "x_1", "²", "é", "\n", ""),
        *("0", "1", "01", "1706596912161941", "20261122121605497700", "npy", "csv"),
    ]
)
_ENDS = ["", "3.6.1706596912161941", "6.1706596912161941", "OUTPUT.0.20261122121605497700.npy"]


@given(st.lists(_PARTS, min_size=1, max_size=6), st.sampled_from(_ENDS))
def test_a_name_of_the_plain_form_says_what_it_says_to_the_full_parsers(
    parts: list[str], end: str
) -> None:
    name = ".".join([*parts, end])
    (cells,) = _core.parse_plain_names("/d", [name])
    fx, ge = parse_fx_name("/d", name), parse_ge_name("/d", name, {})
    if cells is None:
        return
    if fx is not None:
        assert FxFile._make(cells) == fx
    else:
        assert parse_overflow_name("/d", name) is None
        assert ge is not None
        assert (name, GeFile._make(cells)) == ge


@pytest.mark.parametrize(
    "name",
    [
        "Add.Add_1.3.6.1706596912161941",
        "add_1-aten.add.Tensor.OUTPUT.0.20261122121605497700.npy",
        "cat-aten.cat.INPUT.0.12.20261122121605497700.npy",
    ],
)
def test_names_of_today_are_of_the_plain_form(name: str) -> None:
    assert _core.parse_plain_names("/d", [name]) != [None]


@pytest.mark.parametrize(
    "name",
    [
        "Opdebug.Node_OpDebug.1.2.1706596912161941",
        "oPDEBUG.x.1.2.1706596912161941",
        "exception_info.Add.1.2.1706596912161941",
        "exception_info.x-aten.add.OUTPUT.0.20261122121605497700.npy",
        "Add.Add_1.3.6.1706596912161941.csv",
        "Add.Add.1.3.6.1706596912161941",
        "add-aten.add.OUTPUT.00.20261122121605497700.npy",
        "mapping.csv",
        os.fsdecode(b"Add.\xff.3.6.1706596912161941"),
    ],
)
def test_other_names_are_left_to_the_full_parsers(name: str) -> None:
    assert _core.parse_plain_names("/d", [name]) == [None]
