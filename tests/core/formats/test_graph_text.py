"""Graph texts: what google.protobuf prints or accepts is read, and damage is named by line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp import _core
from ait_cmp.errors import FormatError
from graph_proto import DATA_TYPES, MESSAGES

MAX_CONST_BYTES = 1024


def printable(raw: bytes) -> str:
    """Text as the reader hands it out."""
    return raw.decode("utf-8", "backslashreplace")


def string_attr(attrs: Any, key: str) -> str | None:
    """The string of a map of attributes, or None."""
    if key not in attrs or attrs[key].WhichOneof("value") != "s":
        return None
    return printable(attrs[key].s)


def expected_desc(desc: Any) -> tuple[Any, ...]:
    """(fx name, shape, dtype, origin, unfed) of a TensorDescriptor."""
    index = (
        desc.attr["_datadump_origin_output_index"].i
        if "_datadump_origin_output_index" in (desc.attr)
        else -1
    )
    origin = string_attr(desc.attr, "_datadump_origin_name")
    return (
        string_attr(desc.attr, "_fx_tensor_name"),
        tuple(desc.shape.dim) if desc.HasField("shape") else None,
        DATA_TYPES[desc.dtype] if desc.dtype else "",
        (origin, index) if origin else None,
        "_is_unfed_optional" in desc.attr and desc.attr["_is_unfed_optional"].i != 0,
    )


def expected_op(op: Any) -> dict[str, Any]:
    """What the reader says about an OpDef."""
    inputs = [expected_desc(desc) for desc in op.input_desc]
    outputs = [expected_desc(desc) for desc in op.output_desc]
    const = None
    if "value" in op.attr and op.attr["value"].WhichOneof("value") == "t":
        tensor = op.attr["value"].t
        data = tensor.data if len(tensor.data) <= MAX_CONST_BYTES else None
        dtype = DATA_TYPES[tensor.desc.dtype] if tensor.desc.dtype else ""
        const = (dtype, tuple(tensor.desc.shape.dim), data)
    names: list[str] = []
    if "_datadump_original_op_names" in op.attr:
        names = [printable(s) for s in op.attr["_datadump_original_op_names"].list.s]
    return {
        "name": op.name,
        "type": op.type,
        "inputs": list(op.input),
        "input_names": [desc[0] for desc in inputs],
        "output_names": [desc[0] for desc in outputs],
        "input_desc_names": [desc.name for desc in op.input_desc],
        "output_desc_names": [desc.name for desc in op.output_desc],
        "input_shapes": [desc[1] for desc in inputs],
        "output_shapes": [desc[1] for desc in outputs],
        "input_dtypes": [desc[2] for desc in inputs],
        "output_dtypes": [desc[2] for desc in outputs],
        "output_origins": [desc[3] for desc in outputs],
        "unfed": [desc[4] for desc in inputs],
        "index": op.attr["index"].i if "index" in op.attr else -1,
        "const": const,
        "readable_value": string_attr(op.attr, "_readable_value"),
        "original_op_names": names,
    }


FIELDS = tuple(expected_op(MESSAGES["OpDef"]()))


def assert_is_read(path: Path, graph: Any, read: _core.Graph) -> None:
    """The reader says of `read` what google.protobuf says of `graph`."""
    assert read.name == graph.name, path
    expected = [expected_op(op) for op in graph.op]
    assert [{key: getattr(op, key) for key in FIELDS} for op in read.ops] == expected


# Bytes that upset a parser that does not tokenise come up often.
STRINGS = st.binary(max_size=12) | st.lists(
    st.sampled_from(
        [b'"', b"'", b"\\", b"{", b"}", b"<", b">", b"#", b"\n", b": ", b"\x80?", b"0"]
    ),
    max_size=8,
).map(b"".join)
NAMES = st.text(max_size=8)
UP_TO_2_NAMES = st.lists(NAMES, max_size=2)
KEYS = st.sets(st.sampled_from(["_fx_tensor_name", "_datadump_origin_name", "_meta"]))
SHAPES = st.none() | st.lists(st.integers(-2, 2**63 - 1), max_size=4)


@st.composite
def descriptors(draw: st.DrawFn) -> Any:
    """A TensorDescriptor with known and unknown attributes."""
    desc = MESSAGES["TensorDescriptor"](
        name=draw(NAMES),
        dtype=draw(st.integers(0, len(DATA_TYPES) - 1)),
        layout=draw(st.sampled_from(["", "ND", "FRACTAL_NZ"])),
        size=draw(st.integers(-(2**63), 2**63 - 1)),
    )
    dims = draw(SHAPES)
    if dims is not None:
        desc.shape.SetInParent()
        desc.shape.dim.extend(dims)
    for key in draw(KEYS):
        desc.attr[key].s = draw(STRINGS)
    if draw(st.booleans()):
        desc.attr["_is_unfed_optional"].i = draw(st.integers(0, 1))
        desc.attr["_datadump_origin_output_index"].i = draw(st.integers(-1, 9))
    desc.attr[draw(NAMES)].f = draw(st.floats(width=32))
    return desc


# Made once: a strategy that is made for each draw is checked for each.
DESCRIPTOR = descriptors()
UP_TO_1_DESCRIPTOR, UP_TO_2_DESCRIPTORS = (st.lists(DESCRIPTOR, max_size=n) for n in (1, 2))
UP_TO_3_STRINGS = st.lists(STRINGS, max_size=3)


@st.composite
def operators(draw: st.DrawFn) -> Any:
    """An OpDef with constants, fused names, and things that the reader passes over."""
    op = MESSAGES["OpDef"](name=draw(NAMES), type=draw(NAMES), input=draw(UP_TO_2_NAMES), id=3)
    op.input_desc.extend(draw(UP_TO_1_DESCRIPTOR))
    op.output_desc.extend(draw(UP_TO_2_DESCRIPTORS))
    if draw(st.booleans()):
        op.attr["index"].i = draw(st.integers(-(2**63), 2**63 - 1))
        op.attr["_readable_value"].s = draw(STRINGS)
        op.attr["_datadump_original_op_names"].list.s.extend(draw(UP_TO_3_STRINGS))
    if draw(st.booleans()):
        tensor = op.attr["value"].t
        tensor.desc.CopyFrom(draw(DESCRIPTOR))
        tensor.data = draw(STRINGS) * draw(st.sampled_from([1, 86, 200]))
    op.attr[draw(NAMES)].func.attr[draw(NAMES)].g.op.add(name="inner", type="Data")
    op.attr["list"].list.f.extend([1.5, float("inf"), float("nan")])
    return op


UP_TO_2_OPERATORS = st.lists(operators(), max_size=2)


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """A GraphDef."""
    graph = MESSAGES["GraphDef"](name=draw(NAMES), output=draw(UP_TO_2_NAMES))
    graph.op.extend(draw(UP_TO_2_OPERATORS))
    graph.attr["_output_dtypes"].list.i.extend([1, 2])
    return graph


@given(
    models=st.lists(graphs(), min_size=1, max_size=2),
    style=st.fixed_dictionaries(
        {
            "as_one_line": st.booleans(),
            "use_short_repeated_primitives": st.booleans(),
            "pointy_brackets": st.booleans(),
            "as_utf8": st.booleans(),
        }
    ),
)
def test_graphs_printed_by_google_protobuf_are_read_alone_and_in_a_model(
    tmp_path_factory: pytest.TempPathFactory, models: list[Any], style: dict[str, bool]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any_graph.txt"
    path.write_bytes(text_format.MessageToString(models[0], **style).encode())
    (read,) = _core.read_graph(path)
    assert_is_read(path, models[0], read)
    model = MESSAGES["ModelDef"](name="model", version=1, graph=models)
    path.write_bytes(text_format.MessageToString(model).encode())
    reads = _core.read_graph(path)
    assert len(reads) == len(models)
    for graph, read in zip(models, reads):
        assert_is_read(path, graph, read)


#: Legal forms that no printer uses; google.protobuf confirms that each is legal.
LEGAL = [
    "op { name: 'single \\'quoted\\' \"' type: \"a\" 'b' \"c\" }",
    'op { name: "\\a\\b\\f\\n\\r\\t\\v\\\\\\\'\\"\\x41\\x4\\101\\1010" }',
    "op < name: 'x' > op: { name: 'y' } op: < name: 'z' >",
    "op { name: 'x', type: 'y'; input: 'a'; input: 'b', }",
    "# { comment\nop { # } \"\n name: 'x' # '\n}# end",
    "op { input: ['a', 'b' 'c', ''] input: [] input: [] input: 'd' }",
    "op [{ name: 'a' }, < name: 'b' >]",
    "op { input_desc { shape { dim: [1, -2] dim: 0x10 dim: -0x10 dim: 010 dim: -1 } } }",
    "op { attr { value { s: 'fx' } key: '_readable_value' } }",
    "op { attr { value { i: 7 } key: 'index' } attr { value { list { s: ['a', 'b'] } } "
    "key: '_datadump_original_op_names' } name: 'after' }",
    "op { output_desc { attr < value < s: '}' > key: '_fx_tensor_name' > } }",
    "op { attr { key: 'value' value { t { data: '\\000\\377' '\\x00' desc { dtype: 8 } } } } }",
    "op { attr { key: 'a' value { f: -1.5e-05 } } attr { key: 'b' value { f: -inf } } id: 0x7F }",
    "op { attr { key: 'f' value { func { attr { key: '}{' value { s: '\\\\' } } } } } name: 'x' }",
    "name:\t'g'\r\n\v\fop\n{\nname\n:\n'x'\n}",
    "",
]


@pytest.mark.parametrize("text", LEGAL)
def test_every_legal_form_is_read(tmp_path: Path, text: str) -> None:
    graph = text_format.Parse(text, MESSAGES["GraphDef"]())
    path = tmp_path / "graph.txt"
    path.write_bytes(text.encode())
    (read,) = _core.read_graph(path)
    assert_is_read(path, graph, read)


@pytest.mark.parametrize("n_bytes", [0, 1, 1023, 1024, 1025, 5000])
@pytest.mark.parametrize("byte", [b"a", b"\x00", b'"'])
def test_a_constant_is_decoded_up_to_its_limit(tmp_path: Path, n_bytes: int, byte: bytes) -> None:
    graph = MESSAGES["GraphDef"]()
    op = graph.op.add(name="Const", type="Const")
    op.attr["value"].t.data = byte * n_bytes
    path = tmp_path / "graph.txt"
    path.write_text(text_format.MessageToString(graph))
    ((read,),) = ([op.const for op in graph.ops] for graph in _core.read_graph(path))
    assert read == ("", (), byte * n_bytes if n_bytes <= MAX_CONST_BYTES else None)


def test_an_escaped_question_mark_is_one(tmp_path: Path) -> None:
    path = tmp_path / "graph.txt"
    path.write_text(r"name: 'a\?b'")
    assert _core.read_graph(path)[0].name == "a?b"


def test_an_unknown_dtype_is_a_number(tmp_path: Path) -> None:
    path = tmp_path / "graph.txt"
    path.write_text("op { output_desc { dtype: 4711 } }")
    assert _core.read_graph(path)[0].ops[0].output_dtypes == ["4711"]


def test_the_meta_of_the_first_output_stands_for_the_operator(tmp_path: Path) -> None:
    meta = 'attr { key: "_meta" value { s: "Tensor(%s)" } }'
    path = tmp_path / "graph.txt"
    path.write_text(
        f"op {{ output_desc {{ {meta % 'a'} }} output_desc {{ {meta % 'b'} }} }}"
        f"op {{ output_desc {{ {meta % 'a'} }} {meta % 'op'} }}"
    )
    assert [op.meta for op in _core.read_graph(path)[0].ops] == ["Tensor(a)", "Tensor(op)"]


def test_an_operator_outlives_its_graph(tmp_path: Path) -> None:
    path = tmp_path / "graph.txt"
    path.write_text("op { name: 'kept' }")
    op = _core.read_graph(path)[0].ops[0]
    assert op.name == "kept"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("op {\n  name: 'x'\n", "line 3, column 1: the text ends inside a message"),
        ("op { other { a: 1", "line 1, column 18: the text ends inside a message"),
        ("op {\n  name: 'x\n}", "line 2, column 9: a string without end"),
        ('op {\n  other: "x\n y" }', "line 2, column 10: a string without end on its line"),
        ("op { name: 'x\\'", "line 1, column 12: a string without end"),
        ("op { name: '\\q' }", "line 1, column 13: unknown escape"),
        ("op { name: '\\x' }", "line 1, column 13: unknown escape"),
        ("op { name: '\\400' }", "line 1, column 13: unknown escape"),
        ("op { name: 5 }", "line 1, column 12: a string expected"),
        ("op { name { } }", "line 1, column 11: a string expected"),
        ("op: 'x'", "line 1, column 5: '{' expected"),
        ("op { } }", "line 1, column 8: a field expected, found the end of a message"),
        ("op { name: 'x' >", "line 1, column 16: '}' expected"),
        ("op { a < b { > } }", "line 1, column 14: '}' expected"),
        # Who skips a message does not know names of extensions: braces in one would end it.
        ('op { input_desc { [} name: "m" p {] {} } }', "line 1, column 19: ']' expected"),
        ("op { name }", "line 1, column 11: ':' or '{' expected"),
        ("hello world", "line 1, column 7: ':' or '{' expected"),
        ("op", "line 1, column 3: a value expected, the text ends"),
        ("op { input: [", "line 1, column 14: a value expected, the text ends"),
        ("op { input: ['a'", "line 1, column 17: ',' or '\\]' expected"),
        ("op { input: ['a',", "line 1, column 18: a value expected, the text ends"),
        ("op { input: ['a' 5] }", "line 1, column 18: ',' or '\\]' expected"),
        ("op { [a.b: 5 }", "line 1, column 6: '\\]' expected"),
        ("op { = }", "line 1, column 6: a field name expected"),
        ("op { id: = }", "line 1, column 10: a value expected"),
        ("op { input_desc { shape { dim: 1.5 } } }", "column 32: a whole number expected"),
        ("op { input_desc { shape { dim: 9223372036854775808 } } }", "a 64-bit number expected"),
        ("op { input_desc { shape { dim: -9223372036854775809 } } }", "a 64-bit number expected"),
        ("op { input_desc { shape { dim: 0x } } }", "a whole number expected"),
        ("op { input_desc { shape { " + "dim: 1 " * 33 + "} } }", "at most 32 dimensions"),
        ("op { x " + "{ x " * 120, "at most 100 nested messages expected"),
        ("op { x " + "< x " * 1_000_000, "at most 100 nested messages expected"),
    ],
)
def test_a_broken_text_is_refused_by_line_and_column(
    tmp_path: Path, text: str, message: str
) -> None:
    path = tmp_path / "graph.txt"
    path.write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        _core.read_graph(path)
    assert str(caught.value).startswith(f"{path}: line ")


@pytest.mark.parametrize("access", ["auto", "map", "read"])
def test_a_text_larger_than_a_window_is_read_by_every_access(tmp_path: Path, access: str) -> None:
    path = tmp_path / "graph.txt"
    path.write_text("".join(f'op {{ name: "op_{i}" type: "Add" }}\n' for i in range(5_000)))
    (graph,) = _core.read_graph(path, access=access)
    assert [op.name for op in graph.ops] == [f"op_{i}" for i in range(5_000)]
