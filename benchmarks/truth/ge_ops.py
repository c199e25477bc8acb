"""What each GE operator computes, in float32, sums in another order than the CPU's kernels.

A function gets the op and its inputs (half types widened to float32, None where not fed) and gives
outputs that nobody has rounded yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from benchmarks.truth.ge_graph import RUN_TIME_DTYPES, Op

Inputs = Sequence[Any]
Outputs = list[torch.Tensor]
Compute = Callable[[Op, Inputs], Outputs]
#: Products are summed over parts of this length, the last part first.
PART = 64

#: Types that move or choose values: no rounding, no noise.
EXACT_TYPES = frozenset([
    "BroadcastTo", "Cast", "ClipByValueV2", "ConcatV2", "DynamicQuant", "Fill", "GatherV2",
    "Identity", "Maximum", "Neg", "Pack", "Reshape", "ScatterElements", "SplitV", "TopKV2",
    "Transpose", "Unsqueeze",
])  # fmt: skip
#: Types that an element-wise chain may hold.
ELEMENTWISE_TYPES = frozenset([
    "Add", "Cast", "Gelu", "Maximum", "Mul", "Muls", "Neg", "Pow", "RealDiv", "Rsqrt", "Sqrt",
    "Sub", "Swish",
])  # fmt: skip
#: Types that a wider fusion may hold besides.
SUM_TYPES = frozenset(["ReduceMean", "ReduceSum", "SoftmaxV2"])


def ints(tensor: torch.Tensor) -> list[int]:
    """A constant of integers as a list."""
    return [int(value) for value in tensor.reshape(-1)]


def matmul(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """A product whose sum runs over parts, the last part first."""
    length = a.shape[-1]
    total: torch.Tensor | None = None
    for start in reversed(range(0, length, PART)):
        part = a[..., start : start + PART] @ b[..., start : start + PART, :]
        total = part if total is None else total + part
    return a @ b if total is None else total


def _matmul(op: Op, x: Inputs) -> Outputs:
    a, b = x[0], x[1]
    if op.attrs["transpose_x1"].b or op.attrs["adj_x1"].b:
        a = a.mT
    if op.attrs["transpose_x2"].b or op.attrs["adj_x2"].b:
        b = b.mT
    y = matmul(a, b)
    return [y if len(x) < 3 or x[2] is None else y + x[2]]


def _sum(op: Op, x: Inputs) -> Outputs:
    axes = ints(x[1])
    return [x[0].flip(axes).sum(axes, keepdim=op.attrs["keep_dims"].b)]


def _mean(op: Op, x: Inputs) -> Outputs:
    axes = ints(x[1])
    (total,) = _sum(op, x)
    return [total * (total.numel() / x[0].numel())] if axes else [x[0]]


def softmax(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Softmax whose sum runs backwards."""
    e = torch.exp(x - x.amax(axis, keepdim=True))
    return e / e.flip(axis).sum(axis, keepdim=True)


def _softmax(op: Op, x: Inputs) -> Outputs:
    return [softmax(x[0], op.attrs["axes"].list.i[0])]


def _split(_: Op, x: Inputs) -> Outputs:
    sizes, axis = ints(x[1]), int(x[2])
    known = sum(size for size in sizes if size >= 0)
    whole = [size if size >= 0 else x[0].shape[axis] - known for size in sizes]
    return [part.contiguous() for part in x[0].split(whole, axis)]


def _layer_norm(op: Op, x: Inputs) -> Outputs:
    axes = list(range(-len(ints(x[1])), 0))
    count = 1
    for axis in axes:
        count *= x[0].shape[axis]
    mean = x[0].flip(axes).sum(axes, keepdim=True) / count
    centred = x[0] - mean
    rstd = (
        (centred * centred).flip(axes).sum(axes, keepdim=True) / count + op.attrs["epsilon"].f
    ).rsqrt()
    return [centred * rstd * x[2] + x[3], mean, rstd]


def _rms(x: torch.Tensor, gamma: torch.Tensor, eps: float) -> tuple[torch.Tensor, torch.Tensor]:
    rstd = torch.rsqrt((x * x).flip(-1).sum(-1, keepdim=True) / x.shape[-1] + eps)
    return x * rstd * gamma, rstd


def _rms_norm(op: Op, x: Inputs) -> Outputs:
    return [*_rms(x[0], x[1], op.attrs["epsilon"].f or 1e-6)]


def _swiglu(op: Op, x: Inputs) -> Outputs:
    first, second = x[0].chunk(2, op.attrs["dim"].i if "dim" in op.attrs else -1)
    return [torch.nn.functional.silu(first) * second]


def _scatter_elements(op: Op, x: Inputs) -> Outputs:
    return [x[0].scatter(op.attrs["axis"].i, x[1].long(), x[2])]


def _top_k(op: Op, x: Inputs) -> Outputs:
    values, places = x[0].topk(
        int(x[1]), -1, largest=op.attrs["largest"].b if "largest" in op.attrs else True
    )
    return [values, places.to(torch.int32)]


def dynamic_quant(x: torch.Tensor) -> Outputs:
    """int8 codes of each row, and its scale."""
    scale = x.abs().amax(-1) / 127
    codes = torch.round(x * (1 / scale)[..., None]).clamp(-128, 127)
    return [codes.to(torch.int8), scale]


def named(op: Op, x: Inputs) -> dict[str, Any]:
    """Inputs by their names in the IR, unfed ones left out."""
    return {name: value for name, value in zip(op.input_names, x) if value is not None}


def _quant_matmul(op: Op, x: Inputs) -> Outputs:
    given = named(op, x)
    a, b = given["x1"].double(), given["x2"].double()
    if op.attrs["transpose_x2"].b:
        b = b.mT
    total = (a @ b).float() * given["scale"].float()
    if "pertoken_scale" in given:
        total = total * given["pertoken_scale"][..., None]
    return [total]


def _weight_quant_matmul(op: Op, x: Inputs) -> Outputs:
    given = named(op, x)
    weight = given["weight"].float() * given["antiquant_scale"].float()
    weight = weight.mT if op.attrs["transpose_weight"].b else weight
    return [matmul(given["x"], weight)]


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: Any, scale: float
) -> torch.Tensor:
    """Attention in blocks of keys, as flash attention sums it; nothing is rounded inside."""
    scores = q @ k.mT * scale
    if mask is not None:
        scores = scores.masked_fill(mask.bool(), float("-inf"))
    top = scores.amax(-1, keepdim=True)
    e = torch.exp(scores - top)
    return matmul(e, v) / e.flip(-1).sum(-1, keepdim=True)


def _fused_attention(op: Op, x: Inputs) -> Outputs:
    given = named(op, x)
    y = attention(
        given["query"], given["key0"], given["value"] if "value" in given else given["value0"],
        given.get("atten_mask"), op.attrs["scale"].f,
    )  # fmt: skip
    return [y, torch.zeros(1)]


def cast(x: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """To an integer dtype; a float keeps its value, whoever uses it rounds it."""
    return x if dtype.is_floating_point and x.is_floating_point() else x.to(dtype)


def unsqueeze(x: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
    """New axes of length 1 at these places of the result."""
    for axis in sorted(axes):
        x = x.unsqueeze(axis)
    return x


def _lp_norm(op: Op, x: Inputs) -> Outputs:
    axes = list(op.attrs["axes"].list.i)
    return [(x[0] * x[0]).flip(axes).sum(axes, keepdim=op.attrs["keepdim"].b).sqrt()]


def widen(tensor: Any) -> Any:
    """Half types as float32; everything else as it is."""
    is_half = tensor is not None and tensor.dtype in (torch.float16, torch.bfloat16)
    return tensor.float() if is_half else tensor


def _gather(_: Op, x: Inputs) -> Outputs:
    ids = x[1].long()
    return [x[0].index_select(0, ids.reshape(-1)).reshape(*ids.shape, *x[0].shape[1:])]


COMPUTE: dict[str, Compute] = {
    "Reshape": lambda _, x: [x[0].reshape(ints(x[1]))],
    "Identity": lambda _, x: [x[0].clone()],
    "GatherV2": _gather,
    "Cast": lambda op, x: [cast(x[0], RUN_TIME_DTYPES[op.attrs["dst_type"].i])],
    "Pow": lambda _, x: [x[0] ** x[1]],
    "Square": lambda _, x: [x[0] * x[0]],
    "ReduceMean": _mean,
    "ReduceSum": _sum,
    "Add": lambda _, x: [x[0] + x[1]],
    "Sub": lambda _, x: [x[0] - x[1]],
    "Mul": lambda _, x: [x[0] * x[1]],
    "RealDiv": lambda _, x: [x[0] / x[1]],
    "Div": lambda _, x: [x[0] / x[1]],
    "Muls": lambda op, x: [x[0] * op.attrs["value"].f],
    "Maximum": lambda _, x: [torch.maximum(x[0], x[1])],
    "Sqrt": lambda _, x: [x[0].sqrt()],
    "Rsqrt": lambda _, x: [x[0].rsqrt()],
    "Neg": lambda _, x: [-x[0]],
    "Transpose": lambda _, x: [x[0].permute(ints(x[1])).contiguous()],
    "MatMul": _matmul,
    "MatMulV2": _matmul,
    "BatchMatMul": _matmul,
    "Pack": lambda op, x: [torch.stack(list(x), op.attrs["axis"].i)],
    "SplitV": _split,
    "ConcatV2": lambda _, x: [torch.cat(list(x[:-1]), int(x[-1]))],
    "Fill": lambda _, x: [torch.full(ints(x[0]), x[1].item(), dtype=x[1].dtype)],
    "Unsqueeze": lambda op, x: [unsqueeze(x[0], list(op.attrs["axes"].list.i))],
    "BroadcastTo": lambda _, x: [x[0].expand(ints(x[1])).contiguous()],
    "SoftmaxV2": _softmax,
    "Swish": lambda op, x: [x[0] * torch.sigmoid(x[0] * (op.attrs["scale"].f or 1.0))],
    "Gelu": lambda _, x: [torch.nn.functional.gelu(x[0])],
    "LayerNormV4": _layer_norm,
    "RmsNorm": _rms_norm,
    "SwiGlu": _swiglu,
    "ScatterElements": _scatter_elements,
    "TopKV2": _top_k,
    "DynamicQuant": lambda _, x: dynamic_quant(x[0]),
    "QuantBatchMatmulV3": _quant_matmul,
    "WeightQuantBatchMatmulV2": _weight_quant_matmul,
    "FusedInferAttentionScore": _fused_attention,
    "LpNormV2": _lp_norm,
    "ClipByValueV2": lambda _, x: [torch.minimum(torch.maximum(x[0], x[1]), x[2])],
}
