"""Attributes of a graph text, read on demand: what google.protobuf prints is read as it is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import _core
from ait_cmp.errors import FormatError
from graph_proto import MESSAGES

FLOATS = st.floats(width=32, allow_nan=False)
VALUES = st.one_of(
    st.tuples(st.just("i"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("b"), st.booleans()),
    st.tuples(st.just("f"), FLOATS),
    st.tuples(st.just("s"), st.text(st.characters(codec="utf-8"), max_size=8)),
    st.tuples(st.just("li"), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4)),
    st.tuples(st.just("lf"), st.lists(FLOATS, min_size=1, max_size=4)),
    st.tuples(st.just("lb"), st.lists(st.booleans(), min_size=1, max_size=4)),
    st.tuples(st.just("ls"), st.lists(st.text(max_size=4), min_size=1, max_size=4)),
)


def set_value(attr: Any, kind: str, value: Any) -> None:
    if kind == "s":
        attr.s = value.encode()
    elif kind == "ls":
        attr.list.s.extend(item.encode() for item in value)
    elif kind[0] == "l":
        attr.list.SetInParent()
        getattr(attr.list, kind[1]).extend(value)
    else:
        setattr(attr, kind, value)


def write(folder: Path, message: Any) -> str:
    path = folder / "graph.txt"
    path.write_text(text_format.MessageToString(message), encoding="utf-8")
    return str(path)


@given(values=st.dictionaries(st.text("abc_", min_size=1, max_size=6), VALUES, max_size=6))
def test_every_kind_of_attribute_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, tuple[str, Any]]
) -> None:
    graph = MESSAGES["GraphDef"](name="graph_1")
    op = graph.op.add(name="Op", type="Some")
    for key, (kind, value) in values.items():
        set_value(op.attr[key], kind, value)
    found = _core.read_graph_attributes(write(tmp_path_factory.getbasetemp(), graph), 0, {"Op"})
    attributes, constant = found["Op"]
    assert constant is None
    assert set(attributes) == set(values)
    for key, (kind, value) in values.items():
        if kind in ("f", "lf"):
            theirs = [value] if kind == "f" else value
            ours = [attributes[key]] if kind == "f" else attributes[key]
            # Printed short: the float32 is the same.
            assert [np.float32(one) for one in ours] == [np.float32(one) for one in theirs]
        else:
            assert attributes[key] == value
            assert type(attributes[key]) is type(value)


def test_only_the_named_ops_are_read_and_constants_whole(tmp_path: Path) -> None:
    graph = MESSAGES["GraphDef"](name="graph_1")
    for name in ("A", "B"):
        op = graph.op.add(name=name, type="Const")
        op.attr["value"].t.data = bytes(range(256)) * 20
    path = write(tmp_path, graph)
    assert _core.read_graph(path)[0].ops[0].const[2] is None  # 5 KB: passed over by a comparison
    found = _core.read_graph_attributes(path, 0, {"B", "C"})
    assert list(found) == ["B"]
    assert found["B"] == ({"value": None}, bytes(range(256)) * 20)


def test_the_first_of_equal_names_counts(tmp_path: Path) -> None:
    graph = MESSAGES["GraphDef"]()
    for value in (1, 2):
        graph.op.add(name="A").attr["k"].i = value
    assert _core.read_graph_attributes(write(tmp_path, graph), 0, {"A"})["A"][0] == {"k": 1}


def test_graphs_of_a_model_are_told_apart(tmp_path: Path) -> None:
    model = MESSAGES["ModelDef"](name="m")
    for value in (1, 2):
        model.graph.add().op.add(name="A").attr["k"].i = value
    path = write(tmp_path, model)
    for graph in (0, 1):
        found = _core.read_graph_attributes(path, graph, {"A"})
        assert found["A"][0] == {"k": graph + 1}
    assert _core.read_graph_attributes(path, 2, {"A"}) == {}


def test_the_value_may_stand_before_its_key(tmp_path: Path) -> None:
    path = tmp_path / "graph.txt"
    path.write_text('op { name: "A" attr { value { f: inf } key: "k" } }')
    assert _core.read_graph_attributes(str(path), 0, {"A"})["A"][0] == {"k": math.inf}


@pytest.mark.parametrize("broken", ["f: x1", "i: 1.5", 't { data: "'])
def test_damage_is_named_by_line(tmp_path: Path, broken: str) -> None:
    path = tmp_path / "graph.txt"
    path.write_text(f'name: "g"\nop {{ name: "A" attr {{ key: "k" value {{ {broken} }} }} }}')
    with pytest.raises(FormatError, match=r"graph\.txt: line 2"):
        _core.read_graph_attributes(str(path), 0, {"A"})
