"""Small aten programs, one a line: what torchair makes of each is evaluated by our references."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch.nn import functional as F


class Program(NamedTuple):
    """A function of tensors, and what it is given."""

    run: Callable[..., Any]
    inputs: Sequence[torch.Tensor]


def _floats(*shapes: tuple[int, ...]) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(len(shapes) + sum(map(len, shapes)))
    return [torch.randn(shape, generator=generator) for shape in shapes]


def _integers(*shape: int, high: int = 4) -> torch.Tensor:
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(3))


X = _floats((4, 6))
XY = _floats((4, 6), (4, 6))
XROW = _floats((4, 6), (6,))
POSITIVE = [X[0].abs() + 0.1]
POSITIVES = [one.abs() + 0.1 for one in XY]
UNIT = [torch.tanh(X[0])]
CUBE = _floats((2, 3, 8))
AB = _floats((4, 6), (6, 5))
BATCH = _floats((2, 4, 6), (2, 6, 5))
IMAGE = _floats((2, 4, 8, 8), (6, 4, 3, 3))
INTS = [_integers(4, 6, high=9) + 1, _integers(4, 6, high=5) + 1]
ROWS = [*_floats((7, 5)), _integers(4, high=7)]
FLAGS = [X[0] > 0, XY[1] < 0.5]

UNARY = {
    "abs": (torch.abs, X),
    "acos": (torch.acos, UNIT),
    "asin": (torch.asin, UNIT),
    "atan": (torch.atan, X),
    "ceil": (torch.ceil, X),
    "cos": (torch.cos, X),
    "cosh": (torch.cosh, X),
    "erf": (torch.erf, X),
    "exp": (torch.exp, X),
    "expm1": (torch.expm1, X),
    "floor": (torch.floor, X),
    "isfinite": (torch.isfinite, X),
    "isinf": (torch.isinf, X),
    "log": (torch.log, POSITIVE),
    "log1p": (torch.log1p, POSITIVE),
    "log2": (torch.log2, POSITIVE),
    "neg": (torch.neg, X),
    "reciprocal": (torch.reciprocal, POSITIVE),
    "relu": (torch.relu, X),
    "round": (torch.round, X),
    "rsqrt": (torch.rsqrt, POSITIVE),
    "sigmoid": (torch.sigmoid, X),
    "sign": (torch.sign, X),
    "silu": (F.silu, X),
    "sin": (torch.sin, X),
    "sinh": (torch.sinh, X),
    "sqrt": (torch.sqrt, POSITIVE),
    "square": (torch.square, X),
    "tan": (torch.tan, UNIT),
    "tanh": (torch.tanh, X),
    "gelu": (F.gelu, X),
    "gelu_tanh": (lambda x: F.gelu(x, approximate="tanh"), X),
    "mish": (F.mish, X),
    "elu": (F.elu, X),
    "leaky_relu": (lambda x: F.leaky_relu(x, 0.1), X),
    "hardswish": (F.hardswish, X),
    "hardsigmoid": (F.hardsigmoid, X),
    "relu6": (F.relu6, X),
    "logsigmoid": (F.logsigmoid, X),
    "clamp": (lambda x: x.clamp(-0.5, 0.7), X),
    "clamp_min": (lambda x: x.clamp(min=0.1), X),
    "pow_2": (lambda x: x**2, X),
    "pow_half": (lambda x: x**0.5, POSITIVE),
    "rsub": (lambda x: torch.rsub(x, 1.5, alpha=0.5), X),
    "mul_scalar": (lambda x: x * 0.3, X),
    "div_scalar": (lambda x: x / 7, X),
    "add_scalar": (lambda x: x + 3, X),
    "logical_not": (torch.logical_not, FLAGS[:1]),
    "bitwise_not": (torch.bitwise_not, INTS[:1]),
}
BINARY = {
    "add": (torch.add, XY),
    "add_alpha": (lambda x, y: torch.add(x, y, alpha=0.5), XY),
    "add_row": (torch.add, XROW),
    "sub": (torch.sub, XY),
    "mul": (torch.mul, XY),
    "div": (torch.div, XY),
    "floor_divide": (torch.floor_divide, INTS),
    "remainder": (torch.remainder, INTS),
    "maximum": (torch.maximum, XY),
    "minimum": (torch.minimum, XY),
    "pow": (torch.pow, POSITIVES),
    "eq": (torch.eq, INTS),
    "ne": (torch.ne, INTS),
    "lt": (torch.lt, XY),
    "le": (torch.le, XY),
    "gt": (torch.gt, XY),
    "ge": (torch.ge, XY),
    "logical_and": (torch.logical_and, FLAGS),
    "logical_or": (torch.logical_or, FLAGS),
    "bitwise_and": (torch.bitwise_and, INTS),
    "bitwise_or": (torch.bitwise_or, INTS),
    "where": (lambda c, x, y: torch.where(c, x, y), [FLAGS[0], *XY]),
    "masked_fill": (lambda x, c: x.masked_fill(c, -1e4), [*X, FLAGS[0]]),
    "addcmul": (lambda x, y: torch.addcmul(x, x, y, value=0.5), XY),
    "lerp": (lambda x, y: torch.lerp(x, y, 0.3), XY),
}
SUMS = {
    "sum": (torch.sum, X),
    "sum_dim": (lambda x: x.sum(-1), X),
    "sum_keep": (lambda x: x.sum((0, 1), keepdim=True), X),
    "mean": (torch.mean, X),
    "mean_dim": (lambda x: x.mean(-1, keepdim=True), X),
    "max_dim": (lambda x: x.max(-1), X),
    "argmax": (lambda x: x.argmax(-1), X),
    "any": (lambda x: x.any(-1), FLAGS[:1]),
    "all": (torch.all, FLAGS[:1]),
    "cumsum": (lambda x: x.cumsum(-1), X),
    "softmax": (lambda x: x.softmax(-1), X),
    "softmax_0": (lambda x: x.softmax(0), X),
    "log_softmax": (lambda x: x.log_softmax(-1), X),
    "logsumexp": (lambda x: x.logsumexp(-1), X),
    "topk": (lambda x: x.topk(3, -1), X),
    "sort": (lambda x: x.sort(-1), X),
    "norm": (lambda x: torch.linalg.vector_norm(x, dim=-1), X),
    "layer_norm": (lambda x, w: F.layer_norm(x, (6,), w, w), XROW),
    "rms_norm_by_hand": (
        lambda x, w: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * w,
        XROW,
    ),
    "group_norm": (lambda x: F.group_norm(x, 2), IMAGE[:1]),
}
PRODUCTS = {
    "mm": (torch.mm, AB),
    "matmul_turned": (lambda x, y: x @ y.t(), XY),
    "bmm": (torch.bmm, BATCH),
    "bmm_turned": (lambda x: torch.bmm(x, x.transpose(1, 2)), CUBE),
    "addmm": (lambda b, x, y: torch.addmm(b, x, y), [*_floats((5,)), *AB]),
    "linear": (F.linear, _floats((2, 4, 6), (5, 6))),
    "linear_bias": (F.linear, _floats((4, 6), (5, 6), (5,))),
    "einsum": (lambda x, y: torch.einsum("bij,bjk->bik", x, y), BATCH),
    "conv2d": (F.conv2d, IMAGE),
    "attention_by_hand": (
        lambda q, k: torch.softmax(q @ k.transpose(-1, -2) * 0.3, -1) @ k,
        _floats((2, 3, 5, 8), (2, 3, 5, 8)),
    ),
    "conv2d_stride": (lambda x, w: F.conv2d(x, w, stride=2, padding=1), IMAGE),
}
MOVES = {
    "reshape": (lambda x: x.reshape(3, 8) + 1, X),
    "transpose": (lambda x: x.t() + 1, X),
    "permute": (lambda x: x.permute(2, 0, 1).contiguous(), CUBE),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(1) + 1, X),
    "expand": (lambda x: x.expand(5, 4, 6) * 2, X),
    "repeat": (lambda x: x.repeat(2, 3), X),
    "cat": (lambda x, y: torch.cat([x, y], -1), XY),
    "stack": (lambda x, y: torch.stack([x, y], 1), XY),
    "split": (lambda x: [part + 1 for part in torch.split(x, [2, 4], -1)], X),
    "chunk": (lambda x: [part + 1 for part in torch.chunk(x, 3, -1)], X),
    "unbind": (lambda x: [part + 1 for part in x.unbind(0)], CUBE),
    "slice": (lambda x: x[1:3, ::2] * 1, X),
    "select": (lambda x: x[:, 2] * 1, X),
    "flip": (lambda x: x.flip(-1), X),
    "pad": (lambda x: F.pad(x, (1, 2), value=0.5), X),
    "triu": (lambda x: x.triu(1), X),
    "tril": (lambda x: x.tril(), X),
    "embedding": (lambda table, i: F.embedding(i, table), ROWS),
    "index_select": (lambda x, i: x.index_select(0, i), ROWS),
    "index": (lambda x, i: x[i], ROWS),
    "gather": (lambda x, i: x.gather(-1, i), [*X, _integers(4, 3)]),
    "scatter": (lambda x, i, y: x.scatter(-1, i, y[:, :2]), [X[0], _integers(4, 2), XY[1]]),
    "arange": (lambda x: torch.arange(6, dtype=x.dtype) + x, X),
    "full": (lambda x: torch.full((4, 6), 0.25, dtype=x.dtype) + x, X),
    "zeros_like": (lambda x: torch.zeros_like(x) + x, X),
    "ones_like": (lambda x: torch.ones_like(x) + x, X),
    "to_int": (lambda x: x.to(torch.int32), X),
    "int_to_float": (lambda x: x.to(torch.float32) * 0.5, INTS[:1]),
    "rotate_half": (lambda x: torch.cat((-x[..., 3:], x[..., :3]), -1) * 0.5 + x, X),
    "new_empty": (lambda x: x.new_zeros(4, 6) + x, X),
    "diff": (lambda x: x[:, 1:] - x[:, :-1], X),
    "upper_mask": (lambda x: torch.full((4, 6), -65504.0, dtype=x.dtype).triu(1) + x, X),
    "glu": (lambda x: F.glu(x, -1), X),
    "swiglu": (lambda x: F.silu(x[..., :3]) * x[..., 3:], X),
}  # fmt: skip

PROGRAMS = {
    name: Program(run, inputs)
    for table in (UNARY, BINARY, SUMS, PRODUCTS, MOVES)
    for name, (run, inputs) in table.items()
}
