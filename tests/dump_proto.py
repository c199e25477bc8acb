"""The messages of a GE dump header as google.protobuf classes."""

from __future__ import annotations

from proto_schema import build_messages

#: Classes by name: DumpData, OpInput, OpOutput, ...
MESSAGES = build_messages(
    "toolkit.dumpdata",
    {
        "Shape": [(1, "dim", "repeated uint64")],
        "DimRange": [(1, "dim_start", "uint64"), (2, "dim_end", "uint64")],
        "OriginalOp": [
            (1, "name", "string"),
            (2, "output_index", "uint32"),
            (3, "data_type", "int32"),
            (4, "format", "int32"),
        ],
        "OpOutput": [
            (1, "data_type", "int32"),
            (2, "format", "int32"),
            (3, "shape", "Shape"),
            (4, "original_op", "OriginalOp"),
            (5, "data", "bytes"),
            (6, "size", "uint64"),
            (7, "original_shape", "Shape"),
            (8, "sub_format", "int32"),
            (9, "address", "uint64"),
            (10, "dim_range", "repeated DimRange"),
            (11, "offset", "uint64"),
            (12, "arg_index", "uint32"),
        ],
        "OpInput": [
            (1, "data_type", "int32"),
            (2, "format", "int32"),
            (3, "shape", "Shape"),
            (4, "data", "bytes"),
            (5, "size", "uint64"),
            (6, "original_shape", "Shape"),
            (7, "sub_format", "int32"),
            (8, "address", "uint64"),
            (9, "offset", "uint64"),
            (10, "arg_index", "uint32"),
            (11, "input_type", "uint32"),
        ],
        "OpBuffer": [(1, "buffer_type", "int32"), (2, "data", "bytes"), (3, "size", "uint64")],
        "Workspace": [(1, "type", "int32"), (2, "data", "bytes"), (3, "size", "uint64")],
        "OpAttr": [(1, "name", "string"), (2, "value", "string")],
        "DumpData": [
            (1, "version", "string"),
            (2, "dump_time", "uint64"),
            (3, "output", "repeated OpOutput"),
            (4, "input", "repeated OpInput"),
            (5, "buffer", "repeated OpBuffer"),
            (6, "op_name", "string"),
            (7, "attr", "repeated OpAttr"),
            (8, "space", "repeated Workspace"),
            (9, "dfx_message", "string"),
        ],
    },
    enums={},
    oneofs={},
)
