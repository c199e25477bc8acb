"""A graph side that is padded: its leading rows are compared where golden has fewer.

Static graphs are compiled for batches of certain sizes; 5 requests run in a graph of 8, the rest is
padding. It counts as that if all tensors that differ in shape differ alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import gcd, prod
from typing import NamedTuple

from ait_cmp.discover import GeFile
from ait_cmp.info.source import GeScan
from ait_cmp.pairing.graph.padding import Padding
from ait_cmp.pairing.graph.slots import Shape, TensorHead
from ait_cmp.pairing.pair import Pair, StepPairs
from ait_cmp.pairing.readers import Readers
from ait_cmp.tensor_ref import TensorRef, ViewStep
from ait_cmp.terms import INPUTS_OUTPUTS

# Pairs that are looked at first: steps that are not padded, nearly all, cost no more. Outputs,
# where there are some: weights are never padded.
_N_LOOKED_AT = 12
# So many of the pairs that differ in shape must differ alike.
_MIN_ALIKE = 0.9


class _Trim(NamedTuple):
    """The axis of a my tensor that is longer, and what is compared of it."""

    axis: int
    mine: int
    golden: int


def find_padding(
    step: StepPairs, files: Sequence[GeFile], golden_files: Sequence[GeFile], readers: Readers
) -> Padding | None:
    """What is padded in a step, None if it is not.

    Args:
        step: Its pairs.
        files: GE files of the my side.
        golden_files: Those of the golden side, if it is a GE dump.
        readers: What read their headers.
    """
    shapes = _shapes(files, readers), _shapes(golden_files, readers)
    candidates = _candidates(step)
    looked_at = candidates[:: max(len(candidates) // _N_LOOKED_AT, 1)]
    if _common_padding(_trims(looked_at, shapes, readers)) is None:
        return None
    return _common_padding(_trims(candidates, shapes, readers))


def trim_padding(
    step: StepPairs,
    padding: Padding,
    files: Sequence[GeFile],
    golden_files: Sequence[GeFile],
    readers: Readers,
) -> StepPairs:
    """The pairs of a step, those of padded tensors with a view of the leading rows and a note."""
    shapes = _shapes(files, readers), _shapes(golden_files, readers)
    trims = _trims(_candidates(step), shapes, readers)
    note = f"Padded: {padding}."
    pairs = [
        _trimmed(pair, trim, shapes[0][pair.my], note)
        if (trim := trims.get(pair.my)) is not None and padding.fits(*trim)
        else pair
        for pair in step.pairs
    ]
    return replace(step, pairs=pairs)


def _candidates(step: StepPairs) -> list[Pair]:
    return [
        pair
        for pair in step.pairs
        if pair.golden is not None and not pair.status and not pair.my.view
    ]


def _shapes(files: Sequence[GeFile], readers: Readers) -> dict[TensorRef, Shape]:
    scans = readers.scan_ge([file.ref for file in files], readers.threads)
    return {
        TensorRef(file.path, io, index, kind=file.kind): TensorHead(*head).shape
        for file, scan in zip(files, map(GeScan._make, scans))
        for io, heads in zip(INPUTS_OUTPUTS, (scan.inputs, scan.outputs))
        for index, head in enumerate(heads)
    }


def _trims(
    pairs: Sequence[Pair],
    shapes: tuple[Mapping[TensorRef, Shape], Mapping[TensorRef, Shape]],
    readers: Readers,
) -> dict[TensorRef, _Trim | None]:
    """Pairs whose shapes differ -> by which axis; None if it is not one axis alone."""
    my_shapes, golden_shapes = shapes
    goldens = [pair.golden for pair in pairs if pair.golden is not None]
    arrays = [ref.file for ref in goldens if ref.io == ""]
    scans = iter(readers.scan_npy(arrays, readers.threads))
    trims: dict[TensorRef, _Trim | None] = {}
    for pair, golden in zip(pairs, goldens):
        mine, theirs = my_shapes.get(pair.my), golden_shapes.get(golden._replace(view=()))
        if golden.io == "":
            scan = next(scans)
            theirs = tuple(scan.shape) if scan.error is None else None
        if mine is not None and theirs is not None and -1 not in (*mine, *theirs):
            count = prod(theirs[1:]) if _selects(golden) else prod(theirs)
            if prod(mine) != count:
                trims[pair.my] = _trim_of(mine, theirs, count, has_view=bool(golden.view))
    return trims


def _selects(golden: TensorRef) -> bool:
    return any(name == "select" for name, _ in golden.view)


def _trim_of(mine: Shape, theirs: Shape, count: int, *, has_view: bool) -> _Trim | None:
    if not has_view:
        if len(mine) != len(theirs):
            return None
        axes = [axis for axis, (m, g) in enumerate(zip(mine, theirs)) if m != g]
        if len(axes) != 1 or mine[axes[0]] < theirs[axes[0]]:
            return None
        return _Trim(axes[0], mine[axes[0]], theirs[axes[0]])
    # Behind views the golden shape is another one: the axis that makes the counts equal.
    whole = prod(mine)
    if not 0 < count < whole:
        return None
    fits = [
        _Trim(axis, size, size * count // whole)
        for axis, size in enumerate(mine)
        if size * count % whole == 0
    ]
    return fits[0] if fits else None


def _common_padding(trims: dict[TensorRef, _Trim | None]) -> Padding | None:
    """The numbers of rows that nearly all pairs of different shapes have, None if they differ."""
    known = [trim for trim in trims.values() if trim is not None and trim.golden > 0]
    if not known:
        return None
    ratios = [(t.mine // gcd(t.mine, t.golden), t.golden // gcd(t.mine, t.golden)) for t in known]
    ratio = max(set(ratios), key=ratios.count)
    if ratios.count(ratio) < _MIN_ALIKE * len(trims):
        return None
    fewest = min((t for t, r in zip(known, ratios) if r == ratio), key=lambda trim: trim.mine)
    return Padding(fewest.mine, fewest.golden)


def _trimmed(pair: Pair, trim: _Trim, shape: Shape, note: str) -> Pair:
    assert pair.golden is not None
    cut: tuple[ViewStep, ...] = (ViewStep("slice", (trim.axis, 0, trim.golden)),)
    steps: list[ViewStep] = []
    for kind, dims in pair.golden.view:
        if kind == "reshape" and dims == shape:
            dims = (*shape[: trim.axis], trim.golden, *shape[trim.axis + 1 :])
        elif kind == "reshape" and -1 not in dims:
            dims = _without_padding(dims, trim)
        steps.append(ViewStep(kind, dims))
    return pair._replace(
        my=pair.my._replace(view=(*pair.my.view, *cut)),
        golden=pair.golden._replace(view=tuple(steps)),
        reason=f"{pair.reason} {note}".lstrip(),
    )


def _without_padding(dims: Shape, trim: _Trim) -> Shape:
    """Dimensions of a padded tensor as they are without: the first one that holds its rows."""
    for axis, size in enumerate(dims):
        if size == trim.mine or size * trim.golden % trim.mine == 0:
            return (*dims[:axis], size * trim.golden // trim.mine, *dims[axis + 1 :])
    return dims
