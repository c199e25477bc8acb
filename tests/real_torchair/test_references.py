"""Every reference that torch has a function for gives what torch gives in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn import functional

from ait_cmp.replay.references import REFERENCES, Given, Value, bind

Array = np.ndarray[Any, Any]
DTYPES = {"f": "torch.float64", "i": "torch.int64", "b": "torch.bool"}

many = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple)
SEEDS = st.integers(0, 2**31)


def run(
    type_: str,
    inputs: dict[str, Any],
    attributes: dict[str, Any] | None = None,
    *,
    out_shapes: Sequence[tuple[int, ...]] = (),
    outputs: Sequence[Array] = (),
    out_dtypes: Sequence[str] = (),
    form: int = 0,
) -> list[Array]:
    """What our reference gives for inputs named as in `input_desc`."""
    arrays = {name: np.asarray(value) for name, value in inputs.items()}
    fed = [(name, array.shape) for name, array in arrays.items()]
    binding = bind(REFERENCES[type_], fed, attributes or {})
    dtypes = {
        name: DTYPES.get(next(iter(arrays.values())).dtype.kind, "torch.float64")
        for name in binding.places
    }
    known = Given(dtypes, out_dtypes, out_shapes, outputs)
    result = binding.evaluate(dict(enumerate(arrays.values())), known, form)
    parts = (
        list(result)
        if isinstance(result, (tuple, list)) and not isinstance(result, Value)
        else [result]
    )
    return [np.asarray(part.value) if isinstance(part, Value) else part for part in parts]


def assert_same(found: Sequence[Any], expected: Any) -> None:
    """Equal to 1e-6 of the largest value, exactly for integers and flags."""
    wanted = list(expected) if isinstance(expected, (tuple, list)) else [expected]
    assert len(found) >= len(wanted)
    for ours, theirs in zip(found, wanted):
        array = theirs.numpy()
        assert ours.shape == array.shape
        if array.dtype.kind in "iub":
            np.testing.assert_array_equal(ours, array)
        else:
            np.testing.assert_allclose(ours, array, rtol=1e-6, atol=1e-9)


def normal(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


def both(x: Array) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(x))


def positive(x: Array) -> Array:
    return np.abs(x) + 0.1


def plain(x: Array) -> Array:
    return x


def unit(x: Array) -> Array:
    return np.tanh(x)


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


@many
@given(shape=SHAPES, seed=SEEDS, data=st.data())
def test_moves(shape: tuple[int, ...], seed: int, data: Any) -> None:
    x = normal(seed, *shape)
    t, n = both(x), len(shape)
    perm = data.draw(st.permutations(range(n)))
    axis = data.draw(st.integers(-n, n - 1))
    size = shape[axis]
    assert_same(run("Transpose", {"x": x, "perm": np.array(perm)}), t.permute(*perm))
    flat = {"x": x, "shape": np.array([-1])}
    assert_same(run("Reshape", flat, out_shapes=[(x.size,)]), t.reshape(-1))
    joined = {"x0": x, "x1": x + 1, "concat_dim": np.array(axis)}
    assert_same(run("ConcatV2", joined, {"N": 2}), torch.cat([t, t + 1], axis))
    assert_same(
        run("ConcatD", {"x0": x, "x1": x + 1}, {"concat_dim": axis, "N": 2}),
        torch.cat([t, t + 1], axis),
    )
    stacked = run("Pack", {"x0": x, "x1": x + 1}, {"axis": axis, "N": 2})
    assert_same(stacked, torch.stack([t, t + 1], axis))
    assert_same(run("Unpack", {"x": x}, {"num": size, "axis": axis}), t.unbind(axis))
    first = data.draw(st.integers(0, size))
    cut = {"x": x, "size_splits": np.array([first, -1]), "split_dim": np.array(axis)}
    assert_same(run("SplitV", cut, {"num_split": 2}), t.split([first, size - first], axis))
    even = run("Split", {"split_dim": np.array(axis), "x": x}, {"num_split": size})
    assert_same(even, t.split(1, axis))
    begin = [data.draw(st.integers(0, d - 1)) for d in shape]
    sliced = run("Slice", {"x": x, "offsets": np.array(begin), "size": np.array([-1] * n)})
    assert_same(sliced, t[tuple(slice(b, None) for b in begin)])
    step = data.draw(st.integers(1, 3))
    strided = {
        "x": x,
        "begin": np.array([first]),
        "end": np.array([2**31]),
        "axes": np.array([axis]),
    }
    strided = {**strided, "strides": np.array([step])}
    place = [slice(None)] * n
    place[axis] = slice(first, None, step)
    assert_same(run("StridedSliceV2", strided), t[tuple(place)])
    times = [data.draw(st.integers(1, 3)) for _ in shape]
    assert_same(run("Tile", {"x": x, "multiples": np.array(times)}), t.tile(times))
    wide = (3, *shape)
    spread = {"x": x, "shape": np.array(wide)}
    assert_same(run("BroadcastTo", spread, out_shapes=[wide]), t.expand(wide))
    assert_same(run("Expand", spread, out_shapes=[wide]), t.expand(wide))
    widths = [(data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for _ in shape]
    padded = {"x": x, "paddings": np.array(widths), "constant_values": np.array(2.0)}
    backwards = [width for pair in reversed(widths) for width in pair]
    assert_same(run("PadV3", padded), functional.pad(t, backwards, value=2.0))
    assert_same(
        run("Fill", {"dims": np.array(shape), "value": np.array(3.0)}),
        torch.full(shape, 3.0).double(),
    )
    assert_same(run("ReverseV2", {"x": x, "axis": np.array([axis])}), t.flip(axis))
    assert_same(run("Shape", {"x": x}), torch.tensor(shape))


@many
@given(shape=st.tuples(*[st.integers(1, 6)] * 3), seed=SEEDS, diagonal=st.integers(-4, 4))
def test_triangles(shape: tuple[int, ...], seed: int, diagonal: int) -> None:
    x = normal(seed, *shape)
    assert_same(run("Triu", {"x": x}, {"diagonal": diagonal}), both(x).triu(diagonal))
    assert_same(run("Tril", {"x": x}, {"diagonal": diagonal}), both(x).tril(diagonal))


@many
@given(start=st.integers(-9, 9), count=st.integers(1, 9), step=st.sampled_from([-2, -1, 1, 3]))
def test_ranges(start: int, count: int, step: int) -> None:
    limit = start + count * step
    fed = {"start": np.array(start), "limit": np.array(limit), "delta": np.array(step)}
    assert_same(run("Range", fed), torch.arange(start, limit, step))
    floats = {name: value * 0.25 for name, value in fed.items()}
    assert_same(
        run("Range", floats), torch.arange(start * 0.25, limit * 0.25, step * 0.25).double()
    )


@many
@given(seed=SEEDS)
def test_one_hot_and_strides(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 5, (3, 4))
    fed = {"x": x, "depth": np.array(5), "on_value": np.array(1), "off_value": np.array(0)}
    assert_same(run("OneHot", fed), functional.one_hot(both(x), 5))
    y = normal(seed, 4, 6)
    seen = {"x": y, "size": np.array([3, 2]), "stride": np.array([2, 3])}
    seen["storage_offset"] = np.array(1)
    assert_same(run("AsStrided", seen), both(y).as_strided((3, 2), (2, 3), 1))


@many
@given(shape=SHAPES, seed=SEEDS, data=st.data())
def test_indexing(shape: tuple[int, ...], seed: int, data: Any) -> None:
    rng = np.random.default_rng(seed)
    x, n = normal(seed, *shape), len(shape)
    t, axis = both(x), data.draw(st.integers(0, n - 1))
    index = rng.integers(0, shape[axis], (3, 2))
    gathered = run("GatherV2", {"x": x, "indices": index, "axis": np.array(axis)})
    expected = t.index_select(axis, both(index.reshape(-1)))
    assert_same(gathered, expected.reshape(*shape[:axis], 3, 2, *shape[axis + 1 :]))
    assert_same(run("Gather", {"x": x, "indices": index % shape[0]}), t[both(index % shape[0])])
    along = rng.integers(0, shape[axis], shape)
    elements = run("GatherElements", {"x": x, "index": along}, {"dim": axis})
    assert_same(elements, t.gather(axis, both(along)))
    places = np.stack([rng.integers(0, size, 4) for size in shape[:2]], -1)
    pointed = t[tuple(both(places[:, i]) for i in range(places.shape[1]))]
    assert_same(run("GatherNd", {"x": x, "indices": places}), pointed)
    rows = rng.permutation(shape[0])[:2].reshape(-1, 1)
    updates = normal(seed + 1, len(rows), *shape[1:])
    written = t.clone()
    written[both(rows[:, 0])] = both(updates)
    fed = {"var": x, "indices": rows, "updates": updates}
    assert_same(run("ScatterNdUpdate", fed, {"use_locking": False}), written)
    assert_same(run("TensorScatterUpdate", {"x": x, "indices": rows, "updates": updates}), written)
    assert_same(run("ScatterUpdate", {**fed, "indices": rows[:, 0]}), written)
    added = t.index_add(0, both(rows[:, 0]), both(updates))
    assert_same(run("ScatterNdAdd", fed), added)
    assert_same(run("ScatterAdd", {**fed, "indices": rows[:, 0]}), added)
    values = normal(seed + 2, *shape)
    turned = np.argsort(normal(seed + 3, *shape), axis)
    scattered = {"data": x, "indices": turned, "updates": values}
    assert_same(
        run("ScatterElements", scattered, {"axis": axis}),
        t.scatter(axis, both(turned), both(values)),
    )
    summed = run("ScatterElements", scattered, {"axis": axis, "reduction": "add"})
    assert_same(summed, t.scatter_add(axis, both(turned), both(values)))
    picked = rng.integers(0, shape[-1], 3)
    masked = run(
        "IndexByTensor", {"x": x, "indices0": picked}, {"indices_mask": [0] * (n - 1) + [1]}
    )
    assert_same(masked, t[..., both(picked)])


@many
@given(shape=SHAPES, seed=SEEDS, data=st.data(), is_tied=st.booleans())
def test_choices(shape: tuple[int, ...], seed: int, data: Any, is_tied: bool) -> None:
    x = normal(seed, *shape)
    x = np.round(x) if is_tied else x
    t, axis = both(x), data.draw(st.integers(0, len(shape) - 1))
    largest = data.draw(st.booleans())
    k = data.draw(st.integers(1, shape[axis]))
    values, places = torch.topk(t, k, axis, largest)
    options = {"dim": axis, "largest": largest}
    found = run(
        "TopKV2", {"x": x, "k": np.array(k)}, options, outputs=[values.numpy(), places.numpy()]
    )
    assert_same(found, [values, places])
    values, places = torch.sort(t, dim=axis, descending=largest)
    options = {"axis": axis, "descending": largest}
    assert_same(
        run("Sort", {"x": x}, options, outputs=[values.numpy(), places.numpy()]), [values, places]
    )
    values, places = torch.sort(t, dim=axis, descending=largest, stable=True)
    assert_same(run("Sort", {"x": x}, {**options, "stable": True}), [values, places])
    best = t.argmax(axis)
    fed = {"x": x, "dimension": np.array(axis)}
    assert_same(run("ArgMaxV2", fed, {"dtype": 9}, outputs=[best.numpy()]), best)
    assert_same(run("ArgMin", fed, outputs=[t.argmin(axis).numpy()]), t.argmin(axis))
    value, place = t.max(axis)
    found = run(
        "ArgMaxWithValue", {"x": x}, {"dimension": axis}, outputs=[place.numpy(), value.numpy()]
    )
    assert_same(found, [place, value])


@many
@given(rows=st.integers(1, 6), experts=st.integers(2, 9), k=st.integers(1, 2), seed=SEEDS)
def test_gating(rows: int, experts: int, k: int, seed: int) -> None:
    x = normal(seed, rows, experts)
    values, places = both(x).softmax(-1).topk(k)
    y, index, row = run(
        "MoeGatingTopKSoftmax", {"x": x}, {"k": k}, outputs=[values.numpy(), places.numpy()]
    )
    assert_same([y, index], [values, places])
    assert_same([row], torch.arange(rows * k).reshape(k, rows).T)


@many
@given(shape=st.tuples(*[st.integers(1, 3)] * 3), pairs=st.integers(1, 4), seed=SEEDS)
def test_rotary(shape: tuple[int, ...], pairs: int, seed: int) -> None:
    x = normal(seed, *shape, 2 * pairs)
    angle = normal(seed + 1, shape[-1], pairs)
    halves = np.concatenate([angle, angle], -1)
    first, second = both(x).chunk(2, -1)
    turned = torch.view_as_real(torch.complex(first, second) * torch.exp(1j * both(angle)))
    expected = torch.cat([turned[..., 0], turned[..., 1]], -1)
    cos, sin = np.cos(halves), np.sin(halves)
    assert_same(run("RotaryMul", {"x": x, "r1": cos, "r2": sin}), expected)
    both_turned = run("ApplyRotaryPosEmb", {"query": x, "key": 2 * x, "cos": cos, "sin": sin})
    assert_same(both_turned, [expected, 2 * expected])
    interleaved = np.stack(np.split(x, 2, -1), -1).reshape(x.shape)
    assert_same(run("InterleaveRope", {"x": interleaved, "cos": cos, "sin": sin}), expected)


@many
@given(
    batch=st.integers(1, 2),
    kv_heads=st.integers(1, 2),
    group=st.integers(1, 3),
    tokens=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    layout=st.sampled_from(["BSH", "BSND", "BNSD"]),
    is_masked=st.booleans(),
    seed=SEEDS,
)
def test_attention(
    batch: int, kv_heads: int, group: int, tokens: tuple[int, int], layout: str, is_masked: bool,
    seed: int,
) -> None:  # fmt: skip
    heads, width = kv_heads * group, 4
    q = normal(seed, batch, heads, tokens[0], width)
    k, v = (normal(seed + i, batch, kv_heads, tokens[1], width) for i in (1, 2))
    mask = np.random.default_rng(seed).random((tokens[0], tokens[1])) < 0.4
    mask[:, 0] = False
    hidden = ~both(mask) if is_masked else None
    expected = functional.scaled_dot_product_attention(
        both(q), both(k), both(v), hidden, scale=0.25, enable_gqa=True
    )

    def laid_out(x: Array) -> Array:
        swapped = x if layout == "BNSD" else np.swapaxes(x, 1, 2)
        return swapped.reshape(*swapped.shape[:2], -1) if layout == "BSH" else swapped

    wanted = both(laid_out(expected.numpy()))
    fed = {"query": laid_out(q), "key": laid_out(k), "value": laid_out(v)}
    options = {"num_heads": heads, "num_key_value_heads": kv_heads, "input_layout": layout}
    masked = {"atten_mask": mask[None, None]} if is_masked else {}
    no_band = {"pre_tokens": 2147483647, "next_tokens": 2147483647}
    prompt = run(
        "PromptFlashAttention", {**fed, **masked}, {**options, **no_band, "scale_value": 0.25}
    )
    assert_same(prompt, wanted)
    listed = {f"{name}0" if name != "query" else name: x for name, x in fed.items()}
    fused = run(
        "FusedInferAttentionScore", {**listed, **masked}, {**options, **no_band, "scale": 0.25}
    )
    assert_same(fused[:1], wanted)
    incremental = run("IncreFlashAttention", {**listed, **masked}, {**options, "scale_value": 0.25})
    assert_same(incremental, wanted)


@many
@given(sizes=st.tuples(*[st.integers(1, 9)] * 3), seed=SEEDS, turned=st.booleans())
def test_quantised_products(sizes: tuple[int, ...], seed: int, turned: bool) -> None:
    m, k, n = sizes
    rng = np.random.default_rng(seed)
    x1 = rng.integers(-128, 128, (m, k), dtype=np.int8)
    x2 = rng.integers(-128, 128, (n, k) if turned else (k, n), dtype=np.int8)
    scale, per_token = positive(normal(seed, n)), positive(normal(seed + 1, m))
    right = both(x2).T if turned else both(x2)
    exact = torch._int_mm(both(x1), right) if m > 16 else both(x1).int() @ right.int()
    options = {"dtype": 27, "transpose_x2": turned}
    found = run("QuantBatchMatmulV3", {"x1": x1, "x2": x2, "scale": scale}, options)
    assert_same(found, exact * both(scale))
    words = scale.astype(np.float32).view(np.uint32).astype(np.uint64)
    packed = run("QuantBatchMatmulV3", {"x1": x1, "x2": x2, "scale": words}, options)
    assert_same(packed, exact * both(scale).float().double())
    fed = {"x1": x1, "x2": x2, "scale": scale, "pertoken_scale": per_token}
    assert_same(
        run("QuantBatchMatmulV3", fed, options), exact * both(scale) * both(per_token)[:, None]
    )
    fed = {"x1": x1, "x2": x2, "x1_scale": per_token, "x2_scale": scale}
    assert_same(
        run("QuantBatchMatmulV4", fed, options), exact * both(scale) * both(per_token)[:, None]
    )


@many
@given(rows=st.integers(1, 5), width=st.integers(1, 9), seed=SEEDS)
def test_quantising(rows: int, width: int, seed: int) -> None:
    x, scale = normal(seed, rows, width), positive(normal(seed + 1, width))
    t = both(x)
    scaled = torch.clamp(torch.round(t * both(scale)), -128, 127)
    found = run("AscendQuantV2", {"x": x, "scale": scale}, {"axis": -1}, out_dtypes=["torch.int8"])
    assert_same(found, scaled)
    largest = t.abs().amax(-1) / 127
    codes, scales = run("DynamicQuant", {"x": x}, out_dtypes=["torch.int8", "torch.float32"])
    assert_same([codes, scales], [torch.round(t / largest[:, None]), largest])


CASTS = {1: torch.float16, 27: torch.bfloat16, 0: torch.float32, 3: torch.int32, 12: torch.bool}


@many
@given(shape=SHAPES, seed=SEEDS, number=st.sampled_from(sorted(CASTS)))
def test_casts(shape: tuple[int, ...], seed: int, number: int) -> None:
    x = 100.0 * normal(seed, *shape)
    (found,) = run("Cast", {"x": x}, {"dst_type": number})
    expected = both(x).to(CASTS[number])
    assert torch.equal(both(np.asarray(found)).to(CASTS[number]), expected)
