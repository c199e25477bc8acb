"""What device code gets wrong: each change computes an operator in a way that real bugs have.

Every factory gives a `Change`: op, inputs, the right computation and the step -> outputs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.truth import ge_ops
from benchmarks.truth.evaluate import Change
from benchmarks.truth.ge_graph import Op

Values = Callable[[torch.Tensor], torch.Tensor]
Given = Callable[[list[torch.Tensor]], list[torch.Tensor]]


def output(change: Values) -> Change:
    """The right output, spoilt."""

    def changed(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
        first, *rest = compute(op, x)
        return [change(first.clone()), *rest]

    return changed


def inputs(change: Given) -> Change:
    """The right computation of spoilt inputs."""

    def changed(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
        return compute(op, change([t.clone() if t is not None else None for t in x]))

    return changed


def from_step(first: int, change: Change) -> Change:
    """Right before this step."""

    def changed(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, step: int) -> ge_ops.Outputs:
        return change(op, x, compute, step) if step >= first else compute(op, x)

    return changed


# --- of any output --------------------------------------------------------------------------


def scaled(factor: float) -> Change:
    """All elements times a factor."""
    return output(lambda y: y * factor)


def _rows(y: torch.Tensor) -> torch.Tensor:
    """A view (rows, columns)."""
    return y.reshape(-1, y.shape[-1])


def part(change: Values, where: str) -> Change:
    """One row (token), column (channel), 16 x 16 tile or element, in the middle."""

    def spoil(y: torch.Tensor) -> torch.Tensor:
        y = y.contiguous()
        rows = _rows(y)
        i, j = rows.shape[0] // 2, rows.shape[1] // 2
        cut = {
            "row": rows[i : i + 1],
            "column": rows[:, j : j + 1],
            "tile": rows[i : i + 16, j // 16 * 16 : j // 16 * 16 + 16],
            "element": rows[i : i + 1, j : j + 1],
            "tail": rows[:, -max(1, rows.shape[1] % 16 or 8) :],
        }[where]
        cut.copy_(change(cut.clone()))
        return y

    return output(spoil)


def token(change: Values) -> Change:
    """One index of the second axis from the end, in every batch and head."""

    def spoil(y: torch.Tensor) -> torch.Tensor:
        i = y.shape[-2] // 2
        y[..., i, :] = change(y[..., i, :].clone())
        return y

    return output(spoil)


def channel(index: int, change: Values) -> Change:
    """One index of the last axis, everywhere."""

    def spoil(y: torch.Tensor) -> torch.Tensor:
        y[..., index] = change(y[..., index].clone())
        return y

    return output(spoil)


def far_element(y: torch.Tensor) -> torch.Tensor:
    """An element as it cannot be: the largest one of the tensor, its sign turned."""
    flat = y.contiguous().reshape(-1)
    flat[len(flat) // 3] = -3 * flat.abs().max()
    return flat.reshape(y.shape)


def saturated(y: torch.Tensor) -> torch.Tensor:
    """Cut at the size that one element in 200 passes."""
    limit = torch.quantile(y.abs().flatten()[:100_000].float(), 0.995)
    return y.clamp(-limit, limit)


def flushed(y: torch.Tensor) -> torch.Tensor:
    """Small values are zero."""
    return torch.where(y.abs() < 0.1 * y.abs().median(), torch.zeros_like(y), y)


def truncated(dtype: torch.dtype) -> Change:
    """Cut towards zero where it should be rounded."""
    bits = {torch.bfloat16: 16, torch.float16: 13, torch.float32: 16}[dtype]

    def cut(y: torch.Tensor) -> torch.Tensor:
        whole = y.float().contiguous().view(torch.int32)
        return (whole >> bits << bits).view(torch.float32)

    return output(cut)


def coarse_sums(dtype: torch.dtype) -> Change:
    """A product whose partial sums are kept in 16 bits, 16 terms each."""

    def changed(op: Op, x: ge_ops.Inputs, _: ge_ops.Compute, __: int) -> ge_ops.Outputs:
        a, b = x[0], x[1]
        a = a.mT if op.attrs["transpose_x1"].b or op.attrs["adj_x1"].b else a
        b = b.mT if op.attrs["transpose_x2"].b or op.attrs["adj_x2"].b else b
        total = torch.zeros(1, dtype=dtype)
        for k in range(0, a.shape[-1], 16):
            total = (total.float() + a[..., k : k + 16] @ b[..., k : k + 16, :]).to(dtype)
        return [total.float() if len(x) < 3 or x[2] is None else total.float() + x[2]]

    return changed


def not_a_number(y: torch.Tensor) -> torch.Tensor:
    """One element is NaN."""
    flat = y.contiguous().reshape(-1)
    flat[len(flat) // 2] = float("nan")
    return flat.reshape(y.shape)


def infinite_row(y: torch.Tensor) -> torch.Tensor:
    """A row overflows."""
    rows = _rows(y.contiguous())
    rows[rows.shape[0] // 2] = float("inf")
    return rows.reshape(y.shape)


# --- of one part of a model -----------------------------------------------------------------


def shifted(number: int, steps: int, axis: int) -> Change:
    """One input read off by some places."""
    return inputs(lambda x: [t.roll(steps, axis) if i == number else t for i, t in enumerate(x)])


def only(number: int) -> Change:
    """A binary op that gives one of its inputs."""

    def changed(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
        (y,) = compute(op, x)
        return [x[number].expand(y.shape).clone()]

    return changed


def weightless(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
    """A product by a vector that is left out."""
    (y,) = compute(op, x)
    return [next(t for t in x if t.shape == y.shape).clone()]


def only_in_token(number: int) -> Change:
    """The same for one token."""

    def changed(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
        (y,) = compute(op, x)
        y = y.clone()
        i = y.shape[-2] // 2
        y[..., i, :] = x[number].expand(y.shape)[..., i, :]
        return [y]

    return changed


def input_scaled(number: int, factor: float) -> Change:
    """One input times a factor."""
    return inputs(lambda x: [t * factor if i == number else t for i, t in enumerate(x)])


def mask_of_one_head_missing(
    op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int
) -> ge_ops.Outputs:
    """One head sees what is masked."""
    (y,) = compute(op, x)
    y = y.clone()
    y[:, 1] = x[0][:, 1]
    return [y]


def mask_of_last_rows_missing(
    op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int
) -> ge_ops.Outputs:
    """The rows of the second half see what is masked."""
    (y,) = compute(op, x)
    y, half = y.clone(), y.shape[-2] // 2
    y[..., half:, :] = x[0][..., half:, :]
    return [y]


def heads_swapped(y: torch.Tensor) -> torch.Tensor:
    """Heads 0 and 1 exchanged, along axis -3."""
    order = list(range(y.shape[-3]))
    order[0], order[1] = order[1], order[0]
    return y[..., order, :, :]


def heads_in_other_order(y: torch.Tensor) -> torch.Tensor:
    """(batch, heads, times, ...): repeated as a whole instead of each head in turn."""
    batch, heads, times = y.shape[:3]
    order = torch.arange(heads * times).reshape(times, heads).T.reshape(-1) % heads
    each = y[:, :, 0]
    return each[:, order.argsort(stable=True) % heads].reshape(y.shape)


def transposed_weight(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """The weight as it lies in memory, transposed."""
    return [x[0], x[1].mT, *x[2:]]


def without_bias(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """No bias."""
    return x[:2]


def halves_exchanged(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """A Concat of two in the wrong order."""
    return [x[1], x[0], *x[2:]]


def half_zero(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """A Concat whose first part is never written."""
    return [torch.zeros_like(x[0]), *x[1:]]


def wrong_row(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """One id read as its neighbour."""
    ids = x[1].clone()
    ids.reshape(-1)[ids.numel() // 2] += 1
    return [x[0], ids.clamp(max=x[0].shape[0] - 1), *x[2:]]


def without_negation(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """The sign is not turned."""
    return [-x[0]]


def stale_slot(_op: Op, x: ge_ops.Inputs, _: ge_ops.Compute, __: int) -> ge_ops.Outputs:
    """The cache keeps what its slot held."""
    return [x[0].clone()]


def slot_off_by_one(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """New keys are written one slot early."""
    return [x[0], (x[1] - 1).clamp(min=0), x[2]]


def softmax_without_tail(_op: Op, x: ge_ops.Inputs, _: ge_ops.Compute, __: int) -> ge_ops.Outputs:
    """The sum leaves out what does not fill a block of 16."""
    e = torch.exp(x[0] - x[0].amax(-1, keepdim=True))
    whole = max(8, (e.shape[-1] - 1) // 8 * 8)
    return [e / e[..., :whole].sum(-1, keepdim=True)]


def softmax_without_max(_op: Op, x: ge_ops.Inputs, _: ge_ops.Compute, __: int) -> ge_ops.Outputs:
    """exp of raw scores, kept as fp16 would."""
    e = torch.exp(x[0]).clamp(max=65504.0)
    return [e / e.sum(-1, keepdim=True)]


def softmax_of_wrong_axis(_op: Op, x: ge_ops.Inputs, _: ge_ops.Compute, __: int) -> ge_ops.Outputs:
    """Along the rows."""
    return [ge_ops.softmax(x[0], -2)]


def function(of: Values) -> Change:
    """Another function of the first input."""

    def changed(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
        return [of(x[0]), *compute(op, x)[1:]]

    return changed


def mean_of_padded(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
    """Divided by the length rounded up, or by one less."""
    (y,) = compute(op, x)
    n = x[0].shape[-1]
    return [y * (n / (n + 64))]


def mean_of_part(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
    """The last block of 16 is left out."""
    part = x[0].clone()
    part[..., -16:] = 0
    return compute(op, [part, *x[1:]])


def rough_rsqrt(x: torch.Tensor) -> torch.Tensor:
    """One step of Newton from a table of 8 bits: up to 1 % off."""
    y = x.rsqrt()
    return y * (1 + 0.01 * torch.sin(37 * x))


# --- quantised, experts, fused attention ----------------------------------------------------


def codes_clipped(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
    """Codes beyond 64 saturate."""
    codes, scale = compute(op, x)
    return [codes.clamp(-64, 64), scale]


def codes_truncated(op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int) -> ge_ops.Outputs:
    """Cut instead of rounded."""
    _, scale = compute(op, x)
    return [torch.trunc(x[0] / scale[..., None]).clamp(-128, 127).to(torch.int8), scale]


def codes_of_wrong_scale(
    op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int
) -> ge_ops.Outputs:
    """The scale handed on is not the one used."""
    codes, scale = compute(op, x)
    return [codes, scale.roll(1, 0)]


def weights_of_other_expert(x: list[torch.Tensor]) -> list[torch.Tensor]:
    """Experts 2 and 3 exchanged."""
    order = list(range(x[1].shape[0]))
    order[2], order[3] = order[3], order[2]
    return [x[0], x[1][order]]


def second_choice_wrong(
    op: Op, x: ge_ops.Inputs, compute: ge_ops.Compute, _: int
) -> ge_ops.Outputs:
    """Tokens of the second half get their third expert as second."""
    values, places = compute(op, x)
    more, others = x[0].topk(values.shape[-1] + 1, -1)
    values, places, half = values.clone(), places.clone(), len(values) // 2
    values[half:, -1], places[half:, -1] = more[half:, -1], others[half:, -1].to(places.dtype)
    return [values, places]


def attention_scale(factor: float) -> Change:
    """Fused attention with another scale."""

    def changed(op: Op, x: ge_ops.Inputs, _: ge_ops.Compute, __: int) -> ge_ops.Outputs:
        given = ge_ops.named(op, x)
        value = given["value"] if "value" in given else given["value0"]
        scale = op.attrs["scale"].f * factor
        y = ge_ops.attention(given["query"], given["key0"], value, given.get("atten_mask"), scale)
        return [y, torch.zeros(1)]

    return changed


def attention_mask_shifted(op: Op, x: ge_ops.Inputs, _: ge_ops.Compute, __: int) -> ge_ops.Outputs:
    """Fused attention that sees one token too many."""
    given = ge_ops.named(op, x)
    value = given["value"] if "value" in given else given["value0"]
    mask = given["atten_mask"].bool().roll(1, -1)
    mask[..., 0] = False
    y = ge_ops.attention(given["query"], given["key0"], value, mask, op.attrs["scale"].f)
    return [y, torch.zeros(1)]
