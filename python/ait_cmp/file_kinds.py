"""What kinds of files a dump consists of, and how names end by it.

A name tells the kind once: to `discover`, who knows what `mapping.csv` says of names, or on the
command line, where a name is all there is. From there on the kind goes with the path, as a
`FileRef` or a `TensorRef`.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from ait_cmp.terms import Writer

# Most telling first: of one tensor's files that one is compared.
FileKind = Literal["dump", "sketch", "stats", "min_max"]
FILE_KINDS: tuple[FileKind, ...] = get_args(FileKind)


class _Row(NamedTuple):
    """How the names of files of one kind end.

    Attributes:
        kind: The kind.
        ge: Of GE files, behind the name of the dump; None where GE has no such file.
        fx: Of FX files, in place of `.npy`; None where FX has no such file.
        also_fx: Another one that is read.
        shows_shapes: Whether such a file tells the shapes of its tensors.
    """

    kind: FileKind
    ge: str | None
    fx: str | None
    also_fx: str | None = None
    shows_shapes: bool = True


_TABLE: tuple[_Row, ...] = (
    _Row("dump", "", ".npy"),
    _Row("sketch", "_info.npz", "_info.npz", also_fx=".npy_info.npz"),
    _Row("stats", ".csv", None, shows_shapes=False),
    _Row("min_max", "_min_max.npz", "_min_max.npy", shows_shapes=False),
)
GE_ENDINGS: dict[FileKind, str] = {row.kind: row.ge for row in _TABLE if row.ge is not None}
FX_ENDINGS: dict[str, FileKind] = {
    ending: row.kind for row in _TABLE for ending in (row.fx, row.also_fx) if ending is not None
}
KINDS_WITH_SHAPES = frozenset(row.kind for row in _TABLE if row.shows_shapes)


def split_ge_name(name: str) -> tuple[str, FileKind]:
    """(name of the dump, kind) of a GE file."""
    for kind, ending in GE_ENDINGS.items():
        if ending and name.endswith(ending):
            return name[: -len(ending)], kind
    return name, "dump"


def is_array_name(name: str) -> bool:
    """Whether a file that a person names is a single array."""
    return name.endswith(".npy")


def kind_of_named(path: str) -> FileKind:
    """Kind of a file that a person names: the ending is all there is to tell it by."""
    if is_array_name(path):
        return "min_max" if path.endswith("_min_max.npy") else "dump"
    return split_ge_name(path)[1]


def reduced_path(path: str, writer: Writer, kind: FileKind) -> str:
    """Path of the reduced file of a dump file."""
    if writer == "ge":
        return path + GE_ENDINGS[kind]
    ending = next(ending for ending, known in FX_ENDINGS.items() if known == kind)
    return path[: -len(".npy")] + ending
