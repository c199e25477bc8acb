"""How far tensors are apart, computed plainly with torch for the truth beside a dump."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from benchmarks.truth.evaluate import Executed

ROUNDOFF = {torch.float16: 2.0**-11, torch.bfloat16: 2.0**-8, torch.float32: 2.0**-11}
BLOCK, FEWEST, MASKED = 512, 64, -1000.0


@dataclass(frozen=True)
class Error:
    """Relative Euclidean distance, largest error of a block, and the roundoff of the dtype."""

    red: float = 0.0
    block: float = 0.0
    roundoff: float = 2.0**-11

    def growth_over(self, other: Error) -> float:
        """The larger of the two growths, limits of 4 and 3.2 as one of 4."""
        red = self.red / max(other.red, other.roundoff)
        block = self.block / max(other.block, other.roundoff)
        return max(red, block * 4 / 3.2)


def error_of(x: torch.Tensor, y: torch.Tensor) -> Error:
    """Error of x beside y; decisions count where they differ, codes of 8 bits are numbers."""
    if torch.equal(x, y):
        return Error(roundoff=ROUNDOFF.get(x.dtype, 2.0**-11))
    if not x.is_floating_point() and x.dtype != torch.int8:
        share = float((x != y).double().mean()) if x.numel() else 0.0
        return Error(share**0.5, share**0.5)
    roundoff = ROUNDOFF.get(x.dtype, 2.0**-11)
    a, b = x.double().flatten(), y.double().flatten()
    kept = ~((a <= MASKED) & (b <= MASKED))  # a masked score that saturates is masked
    a, b = a[kept], b[kept]
    finite = torch.isfinite(a) & torch.isfinite(b)
    if bool((~finite & (a != b)).any()):
        return Error(float("inf"), float("inf"), roundoff)
    a, b = a[finite], b[finite]
    if not len(a):
        return Error(0.0, 0.0, roundoff)
    size = float(b.square().sum().sqrt())
    difference = float((a - b).square().sum().sqrt())
    red = difference / size if size else (0.0 if difference == 0 else float("inf"))
    return Error(red, _largest_block(a, b), roundoff)


def _largest_block(a: torch.Tensor, b: torch.Tensor) -> float:
    padding = -len(a) % BLOCK
    whole = len(a) // BLOCK
    x, y = (torch.nn.functional.pad(t, (0, padding)).reshape(-1, BLOCK) for t in (a, b))
    sizes = torch.full((len(x), 1), BLOCK, dtype=torch.float64)
    sizes[whole:] = len(a) - whole * BLOCK
    away = (x - y).abs()
    bound = y.abs() + y.abs().sum(-1, keepdim=True) / sizes
    e = torch.where(away == 0, torch.zeros_like(away), (away / bound).clamp(max=1))
    errors = (e.square().sum(-1, keepdim=True) / sizes).sqrt()
    kept = errors[sizes >= FEWEST] if whole else errors
    return float(kept.max())


def ancestors_largest(
    step: Sequence[Executed], exact: Mapping[str, torch.Tensor]
) -> dict[str, Error]:
    """Edge -> the largest error among the tensors from which it was computed, the own left out.

    Decisions (indices, masks) have none: what was computed by them shows it.
    """
    own: dict[str, Error] = {}
    given: dict[str, Error] = {}
    for done in step:
        inputs = [edge for edge, _ in done.inputs if edge in own]
        errors = [e for edge in inputs for e in (own[edge], given[edge])]
        worst = Error(
            max((e.red for e in errors), default=0.0),
            max((e.block for e in errors), default=0.0),
            max((e.roundoff for e in errors), default=2.0**-11),
        )
        for edge, value in done.outputs:
            given[edge] = worst
            is_number = value.is_floating_point() or value.dtype == torch.int8
            own[edge] = error_of(value, exact[edge]) if is_number and edge in exact else Error()
    return given
