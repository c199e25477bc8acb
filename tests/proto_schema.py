"""Message classes of google.protobuf from a table of fields: an oracle with no code of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

Field = tuple[int, str, str]

_SCALARS = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "bytes": descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
    "int32": descriptor_pb2.FieldDescriptorProto.TYPE_INT32,
    "int64": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "uint32": descriptor_pb2.FieldDescriptorProto.TYPE_UINT32,
    "uint64": descriptor_pb2.FieldDescriptorProto.TYPE_UINT64,
    "float": descriptor_pb2.FieldDescriptorProto.TYPE_FLOAT,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}


def build_messages(
    package: str,
    messages: Mapping[str, Sequence[Field]],
    *,
    enums: Mapping[str, Sequence[str]],
    oneofs: Mapping[str, str],
) -> dict[str, Any]:
    """Classes by message name.

    Args:
        package: Name of the proto package, one per table.
        messages: (number, name, type) per field; the type is a scalar, a message or an enum, with
            "repeated " before it for a list and "map " for a map from strings.
        enums: Value names by enum, numbered from 0.
        oneofs: Messages all of whose singular fields form one oneof, and its name.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for enum_name, values in enums.items():
        enum = file.enum_type.add(name=enum_name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
    for message_name, fields in messages.items():
        message = file.message_type.add(name=message_name)
        if message_name in oneofs:
            message.oneof_decl.add(name=oneofs[message_name])
        for number, name, kind in fields:
            _add_field(package, message, (number, name, kind), enums, message_name in oneofs)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


def _add_field(
    package: str, message: Any, row: Field, enums: Mapping[str, Sequence[str]], in_oneof: bool
) -> None:
    number, name, kind = row
    label, _, base = kind.rpartition(" ")
    field = message.field.add(name=name, number=number)
    field.label = field.LABEL_REPEATED if label else field.LABEL_OPTIONAL
    if label == "map":
        entry_name = "".join(part.capitalize() for part in name.split("_")) + "Entry"
        entry = message.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        _add_field(package, entry, (1, "key", "string"), enums, False)
        _add_field(package, entry, (2, "value", base), enums, False)
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{package}.{message.name}.{entry_name}"
    elif base in _SCALARS:
        field.type = _SCALARS[base]
    else:
        field.type = field.TYPE_ENUM if base in enums else field.TYPE_MESSAGE
        field.type_name = f".{package}.{base}"
    if in_oneof and not label:
        field.oneof_index = 0
