"""Writes what a device executed as a folder of GE dump files; equal files are one file on disk."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.dump_files import StoredTensor, ge_file_start
from benchmarks.truth import fusion
from benchmarks.truth.evaluate import Executed
from benchmarks.truth.ge_graph import DTYPES

RUN_FOLDER = "worldsize1_global_rank0/20261127120000/0/graph_1/1"
GRAPH_TEXT = "dynamo_original_graph_1_rank_0_pid_1_ts_20261127115959000000.txt"
FIRST_TIME_US = 1_764_244_800_000_000
NUMBERS = {dtype: number for number, dtype in DTYPES.items()}


class Store:
    """Files by their content: the second file of the same bytes is a link."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        """Write a file, or link to one of the same bytes."""
        kept = self._folder / hashlib.blake2b(data, digest_size=16).hexdigest()
        if not kept.exists():
            draft = kept.with_suffix(f".{os.getpid()}")
            draft.write_bytes(data)
            draft.replace(kept)
        os.link(kept, path)

    def link_tree(self, folder: Path) -> None:
        """Make the equal files of a tree one."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                data = path.read_bytes()
                path.unlink()
                self.write(path, data)

    def forget(self) -> None:
        """Leave the files to their folders."""
        shutil.rmtree(self._folder, ignore_errors=True)


def tensor_bytes(tensor: torch.Tensor) -> bytes:
    """As it lies in memory."""
    flat = tensor.detach().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b""


def _stored(tensor: torch.Tensor, size: int, *, tells_shape: bool) -> StoredTensor:
    shape = tuple(tensor.shape)
    return StoredTensor(NUMBERS[tensor.dtype], shape, size, 2, shape if tells_shape else ())


def write_step(
    store: Store,
    folder: Path,
    step: int,
    executed: Sequence[Executed],
    *,
    mode: str,
    silent: frozenset[str],
) -> None:
    """Write the files of one step.

    Args:
        store: Where equal files meet.
        folder: My side.
        step: Number.
        executed: What ran.
        mode: `outputs`, or `all` with the inputs.
        silent: Graph ops that write no file.
    """
    place = folder / RUN_FOLDER / str(step)
    place.mkdir(parents=True)
    for number, done in enumerate(executed):
        if {op.name for op in done.group} & silent:
            continue
        op_type, name = fusion.name(done.group)
        time_us = FIRST_TIME_US + step * 1_000_000 + number * 311
        inputs = [t for _, t in done.inputs] if mode == "all" else []
        outputs = [t for _, t in done.outputs]
        data = [tensor_bytes(t) for t in (*inputs, *outputs)]
        sizes = [len(part) for part in data]
        tells_shape = op_type != "Data"
        header = ge_file_start(
            name,
            time_us,
            [_stored(t, n, tells_shape=True) for t, n in zip(inputs, sizes)],
            [_stored(t, n, tells_shape=tells_shape) for t, n in zip(outputs, sizes[len(inputs) :])],
        )
        path = place / f"{op_type}.{name}.{number + 1}.6.{time_us}"
        store.write(path, header + b"".join(data))
