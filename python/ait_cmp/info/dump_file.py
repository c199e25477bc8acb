"""One dump file: its operator and tensors."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ait_cmp import _core
from ait_cmp.file_kinds import is_array_name


@dataclass(frozen=True)
class Dump:
    """The tensors that one operator read and wrote in one step, or the array of an .npy file.

    A tensor has `dtype` (as stored, `torch.bfloat16`), `format` (`FRACTAL_NZ`), `shape` (logical),
    `storage_shape`, `original_shape`, `size_bytes`, `state`, `note` and `numpy()`, which gives its
    values in logical order.

    Attributes:
        path: The file.
        op_name: Name in the graph; of an .npy file its name without the suffix.
        dump_time: Microseconds since the epoch; None of an .npy file.
        inputs: In the order of the header.
        outputs: In the order of the header; the one array of an .npy file.
        notes: What the reader of the file should know, one sentence each.

    Example:
        >>> from pathlib import Path
        >>> array = next(Path("ait-cmp-demo/fx").rglob("*/0/mm_3-*.OUTPUT.0.*"))
        >>> dump = ait_cmp.open_dump(array)
        >>> dump.is_array, len(dump.inputs), dump.outputs[0].size_bytes
        (True, 0, 512)
    """

    path: str
    op_name: str
    dump_time: int | None
    inputs: tuple[_core.Tensor, ...]
    outputs: tuple[_core.Tensor, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_array(self) -> bool:
        """Whether it is an .npy file."""
        return self.dump_time is None


def open_dump(path: str | os.PathLike[str]) -> Dump:
    """Open a GE dump file, or an .npy file as a dump with one output.

    Only the header is read; the values are read by `numpy()` of a tensor.

    Args:
        path: The file.

    Returns:
        Its tensors, inputs and outputs.

    Raises:
        FormatError: The file is neither.
        OSError: The file cannot be read.

    Example:
        >>> from pathlib import Path
        >>> file = next(Path("ait-cmp-demo/ge_wrong").rglob("*/0/MatMul.MatMul_3.*"))
        >>> dump = ait_cmp.open_dump(file)
        >>> dump.op_name, [tuple(tensor.shape) for tensor in dump.inputs]
        ('MatMul_3', [(8, 32), (32, 32)])
        >>> dump.outputs[0].dtype, dump.outputs[0].numpy().dtype.name
        ('torch.float16', 'float16')
    """
    name = os.fspath(path)
    if is_array_name(name):
        return Dump(name, Path(name).stem, None, (), (_core.read_npy(name),))
    dump = _core.read_ge(name)
    return Dump(
        name,
        dump.op_name,
        dump.dump_time,
        tuple(dump.inputs),
        tuple(dump.outputs),
        tuple(dump.notes),
    )
