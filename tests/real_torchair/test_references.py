"""Every reference that torch has a function for gives what torch gives in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reference_calls import (
    SEEDS,
    SHAPES,
    Array,
    assert_same,
    both,
    many,
    normal,
    plain,
    positive,
    run,
    unit,
)
from torch.nn import functional

# type -> (parameter, what its argument is made like, torch)
UNARY: dict[str, tuple[str, Callable[[Array], Array], Callable[[torch.Tensor], torch.Tensor]]] = {
    "Rsqrt": ("x", positive, torch.rsqrt),
    "Sqrt": ("x", positive, torch.sqrt),
    "Square": ("x", plain, torch.square),
    "Neg": ("x", plain, torch.neg),
    "Abs": ("x", plain, torch.abs),
    "Sign": ("x", plain, torch.sign),
    "Exp": ("x", plain, torch.exp),
    "Expm1": ("x", plain, torch.expm1),
    "Log": ("x", positive, torch.log),
    "Log1p": ("x", positive, torch.log1p),
    "Reciprocal": ("x", positive, torch.reciprocal),
    "Sigmoid": ("x", plain, torch.sigmoid),
    "LogSigmoid": ("x", plain, functional.logsigmoid),
    "Tanh": ("x", plain, torch.tanh),
    "Sinh": ("x", plain, torch.sinh),
    "Cosh": ("x", plain, torch.cosh),
    "Cos": ("x", plain, torch.cos),
    "Sin": ("x", plain, torch.sin),
    "Tan": ("x", plain, torch.tan),
    "Acos": ("x", unit, torch.acos),
    "Asin": ("x", unit, torch.asin),
    "Atan": ("x", plain, torch.atan),
    "Erf": ("x", plain, torch.erf),
    "Floor": ("x", plain, torch.floor),
    "Ceil": ("x", plain, torch.ceil),
    "Round": ("x", plain, torch.round),
    "Rint": ("x", plain, torch.round),
    "Trunc": ("input_x", plain, torch.trunc),
    "Relu": ("x", plain, torch.relu),
    "Relu6": ("x", plain, functional.relu6),
    "LeakyRelu": ("x", plain, lambda x: functional.leaky_relu(x, 0.0)),
    "Elu": ("x", plain, functional.elu),
    "Mish": ("x", plain, functional.mish),
    "HardSwish": ("x", plain, functional.hardswish),
    "Swish": ("x", plain, functional.silu),
    "FastGelu": ("x", plain, lambda x: x * torch.sigmoid(1.702 * x)),
    "Softplus": ("x", plain, functional.softplus),
    "SoftplusV2": ("x", plain, functional.softplus),
    "Gelu": ("x", plain, functional.gelu),
    "GeluV2": ("x", plain, functional.gelu),
    "Identity": ("x", plain, torch.clone),
    "TensorMove": ("x", plain, torch.clone),
    "TransData": ("src", plain, torch.clone),
    "ZerosLike": ("x", plain, torch.zeros_like),
    "OnesLike": ("x", plain, torch.ones_like),
    "IsNan": ("x", plain, torch.isnan),
    "IsInf": ("x", plain, torch.isinf),
    "IsFinite": ("x", plain, torch.isfinite),
}


@pytest.mark.parametrize("type_", UNARY)
@many
@given(shape=SHAPES, seed=SEEDS)
def test_functions_of_one_tensor(type_: str, shape: tuple[int, ...], seed: int) -> None:
    name, make, function = UNARY[type_]
    x = make(3.0 * normal(seed, *shape))
    assert_same(run(type_, {name: x}), function(both(x)))


@many
@given(shape=SHAPES, seed=SEEDS)
def test_both_forms_of_gelu(shape: tuple[int, ...], seed: int) -> None:
    x = normal(seed, *shape)
    tanh = functional.gelu(both(x), approximate="tanh")
    assert_same(run("Gelu", {"x": x}, form=1), tanh)
    assert_same(run("GeluV2", {"x": x}, {"approximate": "tanh"}), tanh)


BINARY: dict[str, tuple[Callable[[Array], Array], Callable[..., torch.Tensor]]] = {
    "Add": (plain, torch.add),
    "AddV2": (plain, torch.add),
    "Sub": (plain, torch.sub),
    "Mul": (plain, torch.mul),
    "Div": (positive, torch.div),
    "RealDiv": (positive, torch.div),
    "DivNoNan": (positive, torch.div),
    "Maximum": (plain, torch.maximum),
    "Minimum": (plain, torch.minimum),
    "Pow": (positive, torch.pow),
    "FloorDiv": (positive, lambda a, b: torch.div(a, b, rounding_mode="floor")),
    "FloorMod": (plain, torch.remainder),
    "Mod": (plain, torch.fmod),
    "SquaredDifference": (plain, lambda a, b: (a - b) ** 2),
    "Atan2": (plain, torch.atan2),
    "Equal": (np.round, torch.eq),
    "NotEqual": (np.round, torch.ne),
    "Less": (np.round, torch.lt),
    "LessEqual": (np.round, torch.le),
    "Greater": (np.round, torch.gt),
    "GreaterEqual": (np.round, torch.ge),
}


@pytest.mark.parametrize("type_", BINARY)
@many
@given(shape=SHAPES, seed=SEEDS, is_vector=st.booleans())
def test_functions_of_two_tensors_that_broadcast(
    type_: str, shape: tuple[int, ...], seed: int, is_vector: bool
) -> None:
    make, function = BINARY[type_]
    x1 = make(normal(seed, *shape))
    x2 = make(normal(seed + 1, *(shape[-1:] if is_vector else shape)))
    assert_same(run(type_, {"x1": x1, "x2": x2}), function(both(x1), both(x2)))


INTEGERS: dict[str, Callable[..., torch.Tensor]] = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Maximum": torch.maximum,
    "FloorDiv": lambda a, b: torch.div(a, b, rounding_mode="floor"),
    "FloorMod": torch.remainder,
    "Equal": torch.eq,
    "Less": torch.lt,
    "BitwiseAnd": torch.bitwise_and,
    "BitwiseOr": torch.bitwise_or,
    "BitwiseXor": torch.bitwise_xor,
}


@pytest.mark.parametrize("type_", INTEGERS)
@many
@given(shape=SHAPES, seed=SEEDS)
def test_integers_are_exact(type_: str, shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x1 = (
        rng.integers(-(2**60), 2**60, shape)
        if type_ in ("Add", "Sub")
        else rng.integers(-99, 99, shape)
    )
    x2 = rng.integers(1, 9, shape)
    assert_same(run(type_, {"x1": x1, "x2": x2}), INTEGERS[type_](both(x1), both(x2)))


@many
@given(shape=SHAPES, seed=SEEDS)
def test_other_elementwise_functions(shape: tuple[int, ...], seed: int) -> None:
    a, b, c = (normal(seed + i, *shape) for i in range(3))
    x, y, z = both(a), both(b), both(c)
    low, high = np.array(-0.5), np.array(0.75)
    clipped = {"x": a, "clip_value_min": low, "clip_value_max": high}
    assert_same(run("ClipByValueV2", clipped), torch.clamp(x, -0.5, 0.75))
    assert_same(run("ClipByValue", clipped), torch.clamp(x, -0.5, 0.75))
    assert_same(run("Muls", {"x": a}, {"value": 0.5}), x * 0.5)
    assert_same(run("Adds", {"x": a}, {"value": 0.5}), x + 0.5)
    assert_same(run("Axpy", {"x1": a, "x2": b}, {"alpha": 0.5}), torch.add(x, y, alpha=0.5))
    two = np.array(2.0)
    assert_same(run("AxpyV2", {"x1": a, "x2": b, "alpha": two}), torch.add(x, y, alpha=2.0))
    added = {"input_data": a, "x1": b, "x2": positive(c), "value": two}
    assert_same(run("Addcmul", added), torch.addcmul(x, y, both(positive(c)), value=2.0))
    assert_same(run("Addcdiv", added), torch.addcdiv(x, y, both(positive(c)), value=2.0))
    assert_same(run("Lerp", {"start": a, "end": b, "weight": c}), torch.lerp(x, y, z))
    assert_same(run("AddN", {"x0": a, "x1": b, "x2": c}), x + y + z)
    assert_same(run("FusedMulAdd", {"x1": a, "x2": b, "x3": c}), x * y + z)
    assert_same(
        run("LeakyRelu", {"x": a}, {"negative_slope": 0.25}), functional.leaky_relu(x, 0.25)
    )
    hard = run("HardSigmoid", {"input_x": a})
    assert_same(hard, torch.clamp(x * float(np.float32(1 / 6)) + 0.5, 0, 1))
    flags = {"x1": a > 0, "x2": b > 0}
    assert_same(run("LogicalAnd", flags), torch.logical_and(x > 0, y > 0))
    assert_same(run("LogicalOr", flags), torch.logical_or(x > 0, y > 0))
    assert_same(run("LogicalNot", {"x": a > 0}), torch.logical_not(x > 0))
    chosen = {"condition": a > 0, "then": b, "else": c}
    assert_same(run("SelectV2", chosen), torch.where(x > 0, y, z))
    filled = {"x": a, "mask": b > 0, "value": np.array(-7.0)}
    assert_same(run("MaskedFill", filled), x.masked_fill(y > 0, -7.0))


@many
@given(shape=st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3)), seed=SEEDS)
def test_swiglu(shape: tuple[int, int, int], seed: int) -> None:
    x = normal(seed, shape[0], shape[1], 2 * shape[2])
    first, second = both(x).chunk(2, -1)
    assert_same(run("SwiGlu", {"x": x}, {"dim": -1}), functional.silu(first) * second)


@many
@given(shape=SHAPES, seed=SEEDS, data=st.data())
def test_reductions(shape: tuple[int, ...], seed: int, data: Any) -> None:
    x = normal(seed, *shape)
    axes = data.draw(st.lists(st.integers(0, len(shape) - 1), min_size=1, unique=True))
    keep = data.draw(st.booleans())
    t, fed = both(x), {"x": x, "axes": np.array(axes)}
    options = {"keep_dims": keep}
    assert_same(run("ReduceSum", fed, options), t.sum(axes, keepdim=keep))
    assert_same(run("ReduceMean", fed, options), t.mean(axes, keepdim=keep))
    assert_same(run("ReduceMax", fed, options), t.amax(axes, keepdim=keep))
    assert_same(run("ReduceMin", fed, options), t.amin(axes, keepdim=keep))
    assert_same(run("ReduceSumD", {"x": x}, {**options, "axes": axes}), t.sum(axes, keepdim=keep))
    flags = {"x": x > 0, "axes": np.array(axes[:1])}
    assert_same(run("ReduceAny", flags, options), (t > 0).any(axes[0], keepdim=keep))
    assert_same(run("ReduceAll", flags, options), (t > 0).all(axes[0], keepdim=keep))
    axis = {"x": x, "axis": np.array(axes[0])}
    assert_same(run("Cumsum", axis), t.cumsum(axes[0]))
    backwards = t.flip(axes[0]).cumsum(axes[0]).flip(axes[0])
    assert_same(run("Cumsum", axis, {"reverse": True}), backwards)
    assert_same(run("SoftmaxV2", {"x": x}, {"axes": [axes[0]]}), t.softmax(axes[0]))
    assert_same(run("LogSoftmaxV2", {"logits": x}, {"axes": [axes[0]]}), t.log_softmax(axes[0]))


@many
@given(shape=SHAPES, seed=SEEDS)
def test_norms(shape: tuple[int, ...], seed: int) -> None:
    x, r = normal(seed, *shape), normal(seed + 3, *shape)
    gamma, beta = normal(seed + 1, shape[-1]), normal(seed + 2, shape[-1])
    t, g, b = both(x), both(gamma), both(beta)
    eps = float(np.float32(1e-3))
    size = np.array([shape[-1]])
    normed = functional.layer_norm(t, shape[-1:], g, b, eps)
    fed = {"x": x, "normalized_shape": size, "gamma": gamma, "beta": beta}
    y, mean, _ = run("LayerNormV4", fed, {"epsilon": 1e-3})
    assert_same([y, mean], [normed, t.mean(-1, keepdim=True)])
    plain_norm = run("LayerNormV4", {"x": x, "normalized_shape": size}, {"epsilon": 1e-3})
    assert_same(plain_norm, functional.layer_norm(t, shape[-1:], eps=eps))
    v3 = run(
        "LayerNormV3",
        {"x": x, "gamma": gamma, "beta": beta},
        {"begin_norm_axis": -1, "epsilon": 1e-3},
    )
    assert_same(v3, normed)
    rms = functional.rms_norm(t, shape[-1:], g, eps)
    assert_same(run("RmsNorm", {"x": x, "gamma": gamma}, {"epsilon": 1e-3}), rms)
    added = run("AddRmsNorm", {"x1": x, "x2": r, "gamma": gamma}, {"epsilon": 1e-3})
    total = t + both(r)
    assert_same([added[0], added[2]], [functional.rms_norm(total, shape[-1:], g, eps), total])


@many
@given(
    sizes=st.tuples(*[st.integers(1, 6)] * 3),
    batch=st.lists(st.integers(1, 3), max_size=2),
    seed=SEEDS,
    turned=st.tuples(st.booleans(), st.booleans()),
    is_shared=st.booleans(),
)
def test_matrix_products(
    sizes: tuple[int, ...], batch: list[int], seed: int, turned: tuple[bool, bool], is_shared: bool
) -> None:
    m, k, n = sizes
    x1 = normal(seed, *batch, *((k, m) if turned[0] else (m, k)))
    x2 = normal(seed + 1, *([] if is_shared else batch), *((n, k) if turned[1] else (k, n)))
    bias = normal(seed + 2, n)
    left, right = (both(x).mT if flag else both(x) for x, flag in zip((x1, x2), turned))
    for type_, names in (
        ("MatMul", ("transpose_x1", "transpose_x2")),
        ("MatMulV2", ("transpose_x1", "transpose_x2")),
        ("BatchMatMul", ("adj_x1", "adj_x2")),
        ("BatchMatMulV2", ("adj_x1", "adj_x2")),
    ):
        options = dict(zip(names, turned))
        assert_same(run(type_, {"x1": x1, "x2": x2}, options), left @ right)
        biased = run(type_, {"x1": x1, "x2": x2, "bias": bias}, options)
        assert_same(biased, left @ right + both(bias))


@many
@given(
    seed=SEEDS,
    groups=st.integers(1, 2),
    size=st.integers(5, 8),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    pad=st.integers(0, 2),
    dilation=st.integers(1, 2),
)
def test_convolutions(
    seed: int, groups: int, size: int, kernel: int, stride: int, pad: int, dilation: int
) -> None:
    x, w = (
        normal(seed, 2, 2 * groups, size, size + 1),
        normal(seed + 1, 3 * groups, 2, kernel, kernel),
    )
    bias = normal(seed + 2, 3 * groups)
    found = run(
        "Conv2D",
        {"x": x, "filter": w, "bias": bias},
        {
            "strides": [1, 1, stride, stride],
            "pads": [pad] * 4,
            "dilations": [1, 1, dilation, dilation],
            "groups": groups,
            "data_format": "NCHW",
        },
    )
    assert_same(
        found, functional.conv2d(both(x), both(w), both(bias), stride, pad, dilation, groups)
    )
