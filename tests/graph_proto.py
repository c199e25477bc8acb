"""The messages of a graph text (ge_ir.proto) as google.protobuf classes."""

from __future__ import annotations

from proto_schema import build_messages

#: The first names of the enum DataType; a value beyond them prints as a number.
DATA_TYPES = [
    "DT_UNDEFINED",
    "DT_FLOAT",
    "DT_FLOAT16",
    "DT_INT8",
    "DT_UINT8",
    "DT_INT16",
    "DT_UINT16",
    "DT_INT32",
    "DT_INT64",
    "DT_UINT32",
    "DT_UINT64",
    "DT_BOOL",
    "DT_DOUBLE",
]

#: Classes by name: GraphDef, ModelDef, OpDef, ...
MESSAGES = build_messages(
    "ge.proto",
    {
        "ShapeDef": [(1, "dim", "repeated int64")],
        "TensorDef": [(1, "desc", "TensorDescriptor"), (2, "data", "bytes")],
        "TensorDescriptor": [
            (1, "name", "string"),
            (2, "dtype", "DataType"),
            (3, "shape", "ShapeDef"),
            (4, "layout", "string"),
            (5, "attr", "map AttrDef"),
            (10, "size", "int64"),
            (14, "device_type", "string"),
        ],
        "ListValue": [
            (2, "s", "repeated bytes"),
            (3, "i", "repeated int64"),
            (4, "f", "repeated float"),
            (5, "b", "repeated bool"),
            (8, "td", "repeated TensorDescriptor"),
        ],
        "NamedAttrs": [(1, "name", "string"), (2, "attr", "map AttrDef")],
        "AttrDef": [
            (1, "list", "ListValue"),
            (2, "s", "bytes"),
            (3, "i", "int64"),
            (4, "f", "float"),
            (5, "b", "bool"),
            (7, "bt", "bytes"),
            (10, "func", "NamedAttrs"),
            (11, "td", "TensorDescriptor"),
            (12, "t", "TensorDef"),
            (13, "g", "GraphDef"),
        ],
        "OpDef": [
            (1, "name", "string"),
            (2, "type", "string"),
            (5, "input", "repeated string"),
            (10, "attr", "map AttrDef"),
            (21, "id", "int64"),
            (32, "is_input_const", "repeated bool"),
            (33, "input_desc", "repeated TensorDescriptor"),
            (34, "output_desc", "repeated TensorDescriptor"),
        ],
        "GraphDef": [
            (1, "name", "string"),
            (4, "input", "repeated string"),
            (5, "output", "repeated string"),
            (6, "op", "repeated OpDef"),
            (11, "attr", "map AttrDef"),
        ],
        "ModelDef": [
            (1, "name", "string"),
            (2, "version", "uint32"),
            (7, "graph", "repeated GraphDef"),
            (11, "attr", "map AttrDef"),
        ],
    },
    enums={"DataType": DATA_TYPES},
    oneofs={"AttrDef": "value"},
)
