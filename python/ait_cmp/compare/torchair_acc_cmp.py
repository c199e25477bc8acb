"""Names of the replaced tool, for scripts that import them."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ait_cmp.info.dump_file import open_dump
from ait_cmp.info.members import load_members

Arrays = list[NDArray[Any]]


def parse_torchair_dump_data(path: str | os.PathLike[str]) -> tuple[Arrays, Arrays]:
    """The tensors of a dump file as NumPy arrays.

    Args:
        path: A GE dump file, an `.npy` file (one output), or the `.npz` of arrays `inputs` and
            `outputs` that a script has put in the place of a GE dump file.

    Returns:
        (inputs, outputs): arrays of the tensors' logical shapes; bfloat16 and other types that
        NumPy lacks as float32.

    Raises:
        FormatError: The file is damaged, or a tensor has no values.
        OSError: The file cannot be read.

    Example:
        >>> from pathlib import Path
        >>> from ait_cmp.compare.torchair_acc_cmp import parse_torchair_dump_data
        >>> file = next(Path("ait-cmp-demo/ge").rglob("*/0/MatMul.MatMul_3.*"))
        >>> inputs, outputs = parse_torchair_dump_data(file)
        >>> len(inputs), outputs[0].shape
        (2, (8, 32))
    """
    text = os.fspath(path)
    if text.endswith(".npz"):
        members = load_members(text, ("inputs", "outputs"))
        inputs, outputs = (members.get(name, np.empty((0, 2))) for name in ("inputs", "outputs"))
        return list(inputs.copy()), list(outputs.copy())
    dump = open_dump(text)
    return [tensor.numpy() for tensor in dump.inputs], [tensor.numpy() for tensor in dump.outputs]
