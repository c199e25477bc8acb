"""Run the peer's `compare --mode torchair` on two folders; started inside its own environment.

usage: peer_runner.py MY GOLDEN OUTPUT

The peer (PyPI package mindstudio-probe) expects a vendor toolkit with its parser scripts and a
native library that turns a GE header into JSON. The scripts lie inside the package; the library is
on no package index. So that one function is replaced by google.protobuf, which is faster than the
original (which writes a temporary file): the replacement favours the peer.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Field number, name, kind ("u64", "i32", "u32", "bytes", "string" or a message), and whether it
# repeats; enums are read as int32, which is the same on the wire.
MESSAGES: dict[str, list[tuple[int, str, str, bool]]] = {
    "Shape": [(1, "dim", "u64", True)],
    "OriginalOp": [
        (1, "name", "string", False),
        (2, "output_index", "u32", False),
        (3, "data_type", "i32", False),
        (4, "format", "i32", False),
    ],
    "OpOutput": [
        (1, "data_type", "i32", False),
        (2, "format", "i32", False),
        (3, "shape", "Shape", False),
        (4, "original_op", "OriginalOp", False),
        (5, "data", "bytes", False),
        (6, "size", "u64", False),
        (7, "original_shape", "Shape", False),
        (8, "sub_format", "i32", False),
        (9, "address", "u64", False),
    ],
    "OpInput": [
        (1, "data_type", "i32", False),
        (2, "format", "i32", False),
        (3, "shape", "Shape", False),
        (4, "data", "bytes", False),
        (5, "size", "u64", False),
        (6, "original_shape", "Shape", False),
        (7, "sub_format", "i32", False),
        (8, "address", "u64", False),
    ],
    "OpBuffer": [
        (1, "buffer_type", "i32", False),
        (2, "data", "bytes", False),
        (3, "size", "u64", False),
    ],
    "OpAttr": [(1, "name", "string", False), (2, "value", "string", False)],
    "Workspace": [
        (1, "type", "i32", False),
        (2, "data", "bytes", False),
        (3, "size", "u64", False),
    ],
    "DumpData": [
        (1, "version", "string", False),
        (2, "dump_time", "u64", False),
        (3, "output", "OpOutput", True),
        (4, "input", "OpInput", True),
        (5, "buffer", "OpBuffer", True),
        (6, "op_name", "string", False),
        (7, "attr", "OpAttr", True),
        (8, "space", "Workspace", True),
        (9, "dfx_message", "string", False),
    ],
}


def header_class() -> Any:
    """The protobuf class of a GE header."""
    descriptor_pb2 = importlib.import_module("google.protobuf.descriptor_pb2")
    descriptor_pool = importlib.import_module("google.protobuf.descriptor_pool")
    message_factory = importlib.import_module("google.protobuf.message_factory")
    field_type = descriptor_pb2.FieldDescriptorProto
    scalar_types = {
        "u64": field_type.TYPE_UINT64,
        "i32": field_type.TYPE_INT32,
        "u32": field_type.TYPE_UINT32,
        "bytes": field_type.TYPE_BYTES,
        "string": field_type.TYPE_STRING,
    }
    file = descriptor_pb2.FileDescriptorProto(name="ge.proto", package="ge", syntax="proto3")
    for message_name, fields in MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for number, name, kind, repeats in fields:
            label = field_type.LABEL_REPEATED if repeats else field_type.LABEL_OPTIONAL
            field = message.field.add(name=name, number=number, label=label)
            if kind in scalar_types:
                field.type = scalar_types[kind]
            else:
                field.type = field_type.TYPE_MESSAGE
                field.type_name = f".ge.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("ge.DumpData"))


def supply_toolkit() -> None:
    """Make the peer find its own parser scripts as a toolkit, and our header reader in them."""
    package = importlib.import_module("msprobe")
    assert package.__file__ is not None
    toolkit = Path(tempfile.mkdtemp(prefix="toolkit"))
    scripts = toolkit / "tools/operator_cmp/compare"
    scripts.parent.mkdir(parents=True)
    scripts.symlink_to(Path(package.__file__).parent / "msaccucmp")
    os.environ["TOOLCHAIN_HOME"] = str(toolkit)
    importlib.import_module("msprobe.infer.utils.acc_cmp").set_msaccucmp_path_from_cann()
    big_dump_data = importlib.import_module("dump_parse.big_dump_data")
    json_format = importlib.import_module("google.protobuf.json_format")
    header = header_class()

    def parse_header(self: Any) -> None:
        with Path(self.dump_file_path).open("rb") as file:
            message = header.FromString(file.read(int.from_bytes(file.read(8), "little")))
        self.dump_json_data = json_format.MessageToDict(
            message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )

    big_dump_data.BigDumpDataParser._parse_dump_to_json = parse_header


def main() -> None:
    my, golden, output = (str(Path(path).resolve()) for path in sys.argv[1:4])
    supply_toolkit()
    peer = importlib.import_module("msprobe.core.compare.torchair_acc_cmp")
    Path(output).mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    peer.compare_torchair_mode(
        argparse.Namespace(target_path=my, golden_path=golden, output_path=output, rank=None)
    )
    print(f"seconds in compare: {time.perf_counter() - start:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
