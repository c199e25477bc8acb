"""References that move, choose, gather, or hold several ops give what torch gives in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
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
    positive,
    run,
)
from torch.nn import functional


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
