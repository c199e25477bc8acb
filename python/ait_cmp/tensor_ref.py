"""The address of one tensor in a dump file, and how to look at it."""

from __future__ import annotations

from typing import NamedTuple

# One step from a stored tensor to the order of its counterpart: ("reshape", new dims),
# ("transpose", permutation), ("select", (index on the first axis,)) or
# ("slice", (axis, begin, end)). A first step ("stored", dims) names the shape of the bytes in the
# file where the header has that of a whole of which they are a slice.
ViewStep = tuple[str, tuple[int, ...]]


class TensorRef(NamedTuple):
    """Address of one tensor in a file.

    Attributes:
        path: Absolute path of the file.
        io: "inputs" or "outputs" of a GE dump, "" for an `.npy` file.
        index: Position within `io`, 0 for an `.npy` file.
        view: Steps applied to the logical tensor, first one first; () = as it is stored.
    """

    path: str
    io: str
    index: int
    view: tuple[ViewStep, ...] = ()
