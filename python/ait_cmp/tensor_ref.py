"""Addresses of files, and of tensors in them; and what holds our records against the core's."""

from __future__ import annotations

from typing import Literal, NamedTuple

from ait_cmp import _core
from ait_cmp.file_kinds import FileKind
from ait_cmp.terms import Io


class ViewStep(NamedTuple):
    """One step from a stored tensor to the order of its counterpart.

    Attributes:
        kind: What is done; the first step may be "stored": it names the shape of the bytes in the
            file where the header has that of a whole of which they are a slice; or "original": the
            original shape of a tensor in a device format whose header lacks it.
        numbers: New dims, permutation, (index on the first axis,) or (axis, begin, end).
    """

    kind: Literal["reshape", "transpose", "select", "slice", "stored", "original"]
    numbers: tuple[int, ...]


class FileRef(NamedTuple):
    """A file of a dump.

    Attributes:
        path: Absolute path.
        kind: What kind of file it is; its name need not tell.
    """

    path: str
    kind: FileKind = "dump"


class Address(NamedTuple):
    """Which tensor of which file: the first fields of a `TensorRef`."""

    path: str
    io: Io
    index: int


class TensorRef(NamedTuple):
    """Address of one tensor in a file, and how it is seen.

    Attributes:
        path: Absolute path of the file.
        io: Whether it is an input or an output of a GE dump; "" for an `.npy` file.
        index: Position within `io`, 0 for an `.npy` file.
        view: Steps applied to the logical tensor, first one first; () = as it is stored.
        kind: What kind of file it is; its name need not tell.
    """

    path: str
    io: Io
    index: int
    view: tuple[ViewStep, ...] = ()
    kind: FileKind = "dump"

    @property
    def address(self) -> Address:
        """Which tensor it is, however it is seen."""
        return Address(self.path, self.io, self.index)

    @property
    def file(self) -> FileRef:
        """The file that holds it."""
        return FileRef(self.path, self.kind)


class Job(NamedTuple):
    """What the core compares: a tensor and its reference; of one alone it tells what it holds."""

    my: TensorRef | None
    golden: TensorRef | None


def check_fields(record: type[NamedTuple], name: str) -> None:
    """See that a named tuple begins with the fields that the core has under this name.

    The core and this package are built together: this is for who changes one of the two.

    Raises:
        ImportError: They differ.
    """
    wanted = _core.record_fields[name]
    fields = record._fields
    if fields[: len(wanted)] != wanted:
        message = f"{record.__name__} has the fields {', '.join(fields)}; the core has those of "
        message += f"{name}: {', '.join(wanted)}"
        raise ImportError(message)


check_fields(ViewStep, "view_step")
check_fields(TensorRef, "tensor_ref")
check_fields(Job, "job")
