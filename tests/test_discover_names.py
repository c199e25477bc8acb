"""Names made of random parts are taken apart into the same parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ait_cmp.discover.file_names import parse_fx_name, parse_ge_name

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
