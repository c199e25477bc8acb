"""Addresses of files, and of tensors in them."""

from __future__ import annotations

from typing import NamedTuple

from ait_cmp.file_kinds import FileKind

# One step from a stored tensor to the order of its counterpart: ("reshape", new dims),
# ("transpose", permutation), ("select", (index on the first axis,)) or
# ("slice", (axis, begin, end)). A first step ("stored", dims) names the shape of the bytes in the
# file where the header has that of a whole of which they are a slice; ("original", dims) is the
# original shape of a tensor in a device format whose header lacks it.
ViewStep = tuple[str, tuple[int, ...]]


class FileRef(NamedTuple):
    """A file of a dump.

    Attributes:
        path: Absolute path.
        kind: What kind of file it is; its name need not tell.
    """

    path: str
    kind: FileKind = "dump"


class TensorRef(NamedTuple):
    """Address of one tensor in a file.

    Attributes:
        path: Absolute path of the file.
        io: "inputs" or "outputs" of a GE dump, "" for an `.npy` file.
        index: Position within `io`, 0 for an `.npy` file.
        view: Steps applied to the logical tensor, first one first; () = as it is stored.
        kind: What kind of file it is; its name need not tell.
    """

    path: str
    io: str
    index: int
    view: tuple[ViewStep, ...] = ()
    kind: FileKind = "dump"

    @property
    def file(self) -> FileRef:
        """The file that holds it."""
        return FileRef(self.path, self.kind)
