"""What the files of two steps say of each other: shapes of tensors, values of graph inputs.

Alignment asks it where names and numbers leave a choice; a few files of each step are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.discover.tree import FxFile, FxFileName, GeFile, GeFileName
from ait_cmp.errors import FormatError
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import GeOp, GeStep, read_ge_step
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.index import DATA_TYPES
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.readers import Readers
from ait_cmp.tensor_ref import FileRef, TensorRef
from ait_cmp.terms import Io

# Tensors whose shapes are held against each other, the first ones of the step and some behind.
_N_SHAPES = 12
# Graph inputs whose values are, whole numbers (ids, positions) before others, and how many values.
_N_INPUTS = 8
_N_VALUES = 4096
# Steps whose files are all remembered: those that are held against each other.
_N_STEPS = 4
# Graphs that are held against many others: those whose files, and a few headers, are remembered.
_N_FX_STEPS = 32
_N_HEADS = 256
# Values that agree: the coarsest dtype that runs are compared in is bfloat16.
_TOLERANCE = 2.0**-6

Shape = tuple[int, ...]


_FileName = Union[GeFileName, FxFileName]


class _Input(NamedTuple):
    """A tensor in any step: the name of its file without path and times, and where it is."""

    file: _FileName
    io: Io
    number: int


class _Probe(NamedTuple):
    """A graph input that both sides have a tensor of, in any step."""

    my: _Input
    golden: _Input


class FileEvidence:
    """Evidence for the alignment of two dumps; every answer is worked out once.

    Args:
        my: Dump under test.
        golden: Reference.
        context_of: The graph of a my step, None without a text.
        pair: Pairs two steps as the comparison would.
        readers: What reads headers and values.
    """

    def __init__(
        self,
        my: DumpTree,
        golden: DumpTree,
        context_of: Callable[[StepKey], GraphContext | None],
        pair: Callable[[StepKey, StepKey], StepPairs],
        readers: Readers,
    ) -> None:
        self._my = my
        self._golden = golden
        self._context_of = context_of
        self._pair = pair
        self._readers = readers
        self._probes: dict[tuple[int, str, int, str], tuple[_Probe, ...]] = {}
        self._files_of = lru_cache(maxsize=_N_STEPS)(self._make_files)
        # (whether of my side, step, name) -> the file, for the few names that are asked for.
        self._files: dict[tuple[bool, StepKey, _FileName], FileRef | None] = {}
        self._values = lru_cache(maxsize=1024)(self._read_values)
        self._fx_step = lru_cache(maxsize=_N_FX_STEPS)(lambda key: FxStep(golden.fx[key]))
        self._heads = lru_cache(maxsize=_N_HEADS)(self._read_heads)

    def forget(self) -> None:
        """Let go all that was read; nothing can be asked any more.

        What remembers answers makes a circle, and those of a run are never looked for.
        """
        vars(self).clear()

    def shapes(self, my: StepKey, golden: StepKey) -> float | None:
        """Share of tensors whose shapes agree, of some that both have; None if there are none."""
        fx = self._golden.kind == "fx"
        found = self._fx_shapes(my, golden) if fx else self._ge_shapes(my, golden)
        agree = [_is_alike(mine, theirs) for mine, theirs in found]
        return sum(agree) / len(agree) if agree else None

    def values(self, my: StepKey, golden: StepKey) -> float | None:
        """Share of graph inputs whose values agree; None if none is on both sides."""
        agree = [self._agree(my, golden, probe) for probe in self._probes_of(my, golden)]
        told = [answer for answer in agree if answer is not None]
        return sum(told) / len(told) if told else None

    def same_inputs(self, my: StepKey, golden: StepKey) -> bool | None:
        """Whether the steps were given the same values; None if no graph input tells."""
        whole: list[bool] = []
        others: list[bool] = []
        for probe in self._probes_of(my, golden):
            answer = self._agree(my, golden, probe)
            if answer is not None:
                is_whole = self._value_of(True, my, probe).dtype.kind in "iub"
                (whole if is_whole else others).append(answer)
        # A cache may hold anything where nothing was written yet: ids and positions come first.
        told = whole or others
        return all(told) if told else None

    def _fx_shapes(self, my: StepKey, golden: StepKey) -> list[tuple[Shape, Shape]]:
        context = self._context_of(my)
        if context is None:
            return []
        graph, fx = context.graph, self._fx_step(golden)
        dumped: dict[
            str, list[tuple[int, FileRef]]
        ] = {}  # file name of an op -> outputs that FX has
        for (number, index), names in graph.fx_names.items():
            found = next((hit for hit in map(fx.find, names) if hit is not None), None)
            if found is not None and not found.view:
                dumped.setdefault(graph.ops[number].name, []).append((index, found.file.ref))
        by_file = {
            name: outputs
            for name in graph.by_file_name
            if (outputs := dumped.get(graph.ops[graph.by_file_name[name][0]].name))
        }
        files = [file for file in self._my.ge[my] if file.op_name in by_file]
        pairs = [
            (head.shape, file)
            for op in self._heads(my, tuple(_some(files)))
            for index, file in by_file[op.file.op_name]
            if op.error is None and index < len(op.outputs)
            for head in (op.outputs[index],)
            if head.has_shape
        ]
        return self._with_fx_shapes(pairs)

    def _read_heads(self, my: StepKey, files: tuple[GeFile, ...]) -> tuple[GeOp, ...]:
        return read_ge_step(files, self._context_of(my), self._readers).ops

    def _with_fx_shapes(self, pairs: Sequence[tuple[Shape, FileRef]]) -> list[tuple[Shape, Shape]]:
        scans = self._readers.scan_npy([file for _, file in pairs], self._readers.threads)
        return [(shape, scan.shape) for (shape, _), scan in zip(pairs, scans) if scan.error is None]

    def _ge_shapes(self, my: StepKey, golden: StepKey) -> list[tuple[Shape, Shape]]:
        theirs = {file.op_name: file for file in self._golden.ge[golden] if file.op_name}
        mine = {file.op_name: file for file in self._my.ge[my] if file.op_name in theirs}
        names = _some(list(mine))
        steps: list[GeStep] = [
            read_ge_step([files[name] for name in names], None, self._readers)
            for files in (mine, theirs)
        ]
        return [
            (head.shape, other.shape)
            for op, its_like in zip(steps[0].ops, steps[1].ops)
            for head, other in zip(op.outputs, its_like.outputs)
            if head.has_shape and other.has_shape
        ]

    def _probes_of(self, my: StepKey, golden: StepKey) -> tuple[_Probe, ...]:
        """Graph inputs of two graphs, found where their first steps are paired."""
        key = (my.rank, my.graph, golden.rank, golden.graph)
        if key not in self._probes:
            my_name = {file.path: name for name, file in self._files_of(True, my).items()}
            golden_name = {file.path: name for name, file in self._files_of(False, golden).items()}
            probes = dict.fromkeys(
                _Probe(
                    _Input(my_name[mine.path], mine.io, mine.index),
                    _Input(golden_name[theirs.path], theirs.io, theirs.index),
                )
                for mine, theirs in self._input_pairs(my, golden)
                if mine.path in my_name and theirs.path in golden_name
            )
            whole_first = sorted(
                probes, key=lambda probe: self._value_of(True, my, probe).dtype.kind not in "iub"
            )
            self._probes[key] = tuple(whole_first[:_N_INPUTS])
        return self._probes[key]

    def _input_pairs(self, my: StepKey, golden: StepKey) -> list[tuple[TensorRef, TensorRef]]:
        """Graph inputs that are paired and read as they are stored."""
        return [
            (pair.my, pair.golden)
            for pair in self._pair(my, golden).pairs
            if pair.golden is not None
            and not (pair.status or pair.my.view or pair.golden.view)
            and (pair.match == "argument" or (pair.op_type in DATA_TYPES and pair.io == "outputs"))
        ]

    def _make_files(self, is_my: bool, key: StepKey) -> dict[_FileName, FileRef]:
        """Names of the files of a step, without what differs from step to step -> files."""
        tree = self._my if is_my else self._golden
        files: Sequence[GeFile | FxFile] = tree.ge[key] if tree.kind == "ge" else tree.fx[key]
        return {file.name: file.ref for file in files}

    def _agree(self, my: StepKey, golden: StepKey, probe: _Probe) -> bool | None:
        mine, theirs = self._value_of(True, my, probe), self._value_of(False, golden, probe)
        if not mine.size or not theirs.size:
            return None
        if mine.size != theirs.size:
            return False
        if mine.dtype.kind in "iub" and theirs.dtype.kind in "iub":
            return bool(np.array_equal(mine, theirs))
        x, y = mine.astype(np.float64), theirs.astype(np.float64)
        both = np.isfinite(x) & np.isfinite(y)
        scale = np.sqrt(np.mean(y[both] ** 2)) if both.any() else 0.0
        return bool(np.all(np.abs(x - y)[both] <= _TOLERANCE * (np.abs(y[both]) + scale)))

    def _value_of(self, is_my: bool, key: StepKey, probe: _Probe) -> NDArray[Any]:
        asked = probe.my if is_my else probe.golden
        name = (is_my, key, asked.file)
        if name not in self._files:
            self._files[name] = self._files_of(is_my, key).get(asked.file)
        file = self._files[name]
        if file is None:
            return np.empty(0)
        return self._values(TensorRef(file.path, asked.io, asked.number, kind=file.kind))

    def _read_values(self, ref: TensorRef) -> NDArray[Any]:
        try:
            return self._readers.read_values(ref, 0, _N_VALUES)
        except (FormatError, OSError):
            return np.empty(0)


def _is_alike(mine: Shape, theirs: Shape) -> bool:
    """Whether two shapes are the same but for dimensions of one element."""
    return [n for n in mine if n != 1] == [n for n in theirs if n != 1]


def _some(things: Sequence[Any]) -> list[Any]:
    """A few of them from the first to the last, the first ones for certain."""
    if len(things) <= _N_SHAPES:
        return list(things)
    head = _N_SHAPES // 2
    step = (len(things) - 1 - head) / (_N_SHAPES - head - 1)
    return [*things[:head], *(things[head + round(i * step)] for i in range(_N_SHAPES - head))]
