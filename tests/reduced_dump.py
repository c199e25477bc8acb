"""Small dumps with values on disk, to be converted and compared."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

import make_dump
from ait_cmp.convert import convert_dir

Arrays = npt.NDArray[np.generic]
TIME = 1706596911888000

#: Converts files, too, that grow by it: those of tests are small.
convert_all = partial(convert_dir, force=True)


def ge_folder(root: Path) -> Path:
    """The step folder of a GE dump below `root`."""
    folder = root / "20261122113000" / "0" / "graph_1" / "1" / "0"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_ge(
    folder: Path,
    name: str,
    inputs: tuple[Arrays | make_dump.DumpTensor, ...] = (),
    outputs: tuple[Arrays | make_dump.DumpTensor, ...] = (),
    *,
    number: int = 1,
) -> Path:
    """One GE dump file of an op."""
    sanitised = name.replace("/", "_").replace(".", "_")
    path = folder / f"Add.{sanitised}.{number}.6.{TIME + number}"
    path.write_bytes(ge_bytes(name, inputs, outputs))
    return path


def ge_bytes(
    name: str,
    inputs: tuple[Arrays | make_dump.DumpTensor, ...],
    outputs: tuple[Arrays | make_dump.DumpTensor, ...],
) -> bytes:
    """The bytes of a GE dump file."""

    def tensors(arrays: tuple[Arrays | make_dump.DumpTensor, ...]) -> tuple[object, ...]:
        return tuple(
            array if isinstance(array, make_dump.DumpTensor) else make_dump.tensor_of(array)
            for array in arrays
        )

    dump = make_dump.Dump(inputs=tensors(inputs), outputs=tensors(outputs), op_name=name)
    return dump.file_bytes()


def bf16(values: Arrays) -> make_dump.DumpTensor:
    """A bfloat16 tensor of float32 values that it holds exactly."""
    words = (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    return make_dump.DumpTensor(27, values.shape, words.tobytes(), None, values.shape)


def write_fx(folder: Path, node: str, io: str, index: int, values: object) -> Path:
    """One `.npy` file as the FX dumper names it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{node}-aten.op.default.{io}.{index}.20261122112547986840.npy"
    with path.open("wb") as file:
        np.save(file, np.asarray(values), allow_pickle=True)
    return path


def random_values(seed: int, *shape: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
