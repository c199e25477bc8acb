"""How a person names a tensor: FILE, or FILE,inputs|outputs,INDEX as the report writes it."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import NamedTuple

from ait_cmp import _core
from ait_cmp.config import expanded
from ait_cmp.errors import ConfigError
from ait_cmp.file_kinds import is_array_name, kind_of_named
from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import Io, io_of

_SPEC = re.compile(r"(?P<path>.+),(?P<io>inputs|outputs),(?P<index>[0-9]{1,9})", re.DOTALL)


class TensorSpec(NamedTuple):
    """A file, and the tensor in it that is meant.

    Attributes:
        path: The file.
        io: "inputs", "outputs", or "" when no tensor is named.
        index: Position within io; None when no tensor is named.
    """

    path: str
    io: Io
    index: int | None

    @property
    def is_npy(self) -> bool:
        """Whether the file is a single array."""
        return is_array_name(self.path)

    def address(self) -> TensorRef:
        """The tensor as the core addresses it; of a file with one output alone that one.

        Raises:
            ConfigError: No tensor of a GE dump is named, or another one than an array has.
        """
        if not self.is_npy:
            if self.index is None:
                return TensorRef(self.path, "outputs", self._only_output())
            return TensorRef(self.path, self.io, self.index)
        if self.io == "inputs" or self.index:
            message = f"{self.path}: an .npy file is one tensor, there is no {self.io} {self.index}"
            raise ConfigError(message)
        return TensorRef(self.path, "", 0)

    def _only_output(self) -> int:
        n_outputs = len(_core.read_ge(self.path).outputs)
        if n_outputs == 1:
            return 0
        message = (
            f"{self.path}: which tensor? It has {n_outputs} outputs: FILE,inputs,INDEX or "
            "FILE,outputs,INDEX expected"
        )
        raise ConfigError(message)


def parse_tensor_spec(text: str, *, with_values: bool = True) -> TensorSpec:
    """Read FILE or FILE,inputs|outputs,INDEX; a file of that very name comes first.

    Args:
        text: What a person wrote; `~` is filled in.
        with_values: Whether the file must be one that holds all values.

    Raises:
        ConfigError: There is no such file, or it is of a reduced dump and must not.
    """
    text = str(expanded(text)) if text.startswith("~") else text
    match = None if _exists(text) else _SPEC.fullmatch(text)
    spec = TensorSpec(match["path"], io_of(match["io"]), int(match["index"])) if match else None
    spec = spec or TensorSpec(text, "", None)
    if with_values and kind_of_named(spec.path) != "dump":
        message = (
            f"{spec.path}: a file of a reduced dump, in which most values are left out; what it "
            "tells is in ait-cmp show and in the rows of ait-cmp --my-path ... --golden-path ..."
        )
        raise ConfigError(message)
    if Path(spec.path).is_dir():
        message = (
            f"{spec.path}: this is a folder; expected a file of a dump (folders are compared with "
            "ait-cmp --my-path ... --golden-path ...)"
        )
        raise ConfigError(message)
    if not Path(spec.path).is_file():
        message = f"{spec.path}: no such file (FILE or FILE,inputs|outputs,INDEX expected)"
        raise ConfigError(message)
    return spec


def _exists(text: str) -> bool:
    """Whether there is a file of this name, which may be that of a long one and more."""
    try:
        return Path(text).exists()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False
