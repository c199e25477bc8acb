"""References against sums and loops written out by hand; torch is asked in tests/real_torchair."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ait_cmp.replay.references import REFERENCES, Given, RefusedError, Value, bind
from ait_cmp.replay.references.result import Array


def run(
    type_: str,
    inputs: dict[str, Any],
    attributes: dict[str, Any] | None = None,
    *,
    known: Given | None = None,
    form: int = 0,
) -> list[Any]:
    """Outputs of our reference, values alone."""
    arrays = [np.asarray(value) for value in inputs.values()]
    fed = [(name, array.shape) for name, array in zip(inputs, arrays)]
    binding = bind(REFERENCES[type_], fed, attributes or {})
    given = known or Given(dict.fromkeys(binding.positions, "torch.float32"))
    result = binding.evaluate(dict(enumerate(arrays)), given, form)
    parts = result if isinstance(result, (list, tuple)) else [result]
    parts = [result] if isinstance(result, Value) else parts
    return [part.value if isinstance(part, Value) else part for part in parts]


def random(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(
    ("type_", "x", "y"),
    [
        ("Gelu", 1.0, 0.5 * (1 + math.erf(1 / math.sqrt(2)))),
        ("Mish", 1.0, math.tanh(math.log(1 + math.e))),
        ("FastGelu", 1.0, 1 / (1 + math.exp(-1.702))),
        ("Softplus", -2.0, math.log(1 + math.exp(-2))),
        ("Swish", -2.0, -2 / (1 + math.exp(2))),
        ("Sigmoid", -800.0, 0.0),
        ("Round", 2.5, 2.0),
        ("Erf", 0.5, math.erf(0.5)),
    ],
)
def test_functions_of_one_value(type_: str, x: float, y: float) -> None:
    (found,) = run(type_, {"x": np.array([x])})
    np.testing.assert_allclose(found, [y], rtol=1e-12)


def test_the_second_form_of_gelu_is_the_tanh_one() -> None:
    inner = math.sqrt(2 / math.pi) * (1 + 0.044715)
    for type_, form, options in (("Gelu", 1, {}), ("GeluV2", 0, {"approximate": "tanh"})):
        (found,) = run(type_, {"x": np.array([1.0])}, options, form=form)
        np.testing.assert_allclose(found, [0.5 * (1 + math.tanh(inner))], rtol=1e-12)


def test_int64_stays_exact_beyond_two_to_the_53() -> None:
    (found,) = run("Add", {"x1": np.array([2**53]), "x2": np.array([1])})
    assert found.tolist() == [2**53 + 1]


def test_layer_norm_by_loops() -> None:
    x, gamma, beta = random(3, 5), random(5, seed=1), random(5, seed=2)
    fed = {"x": x, "normalized_shape": [5], "gamma": gamma, "beta": beta}
    y, mean, rstd = run("LayerNormV4", fed, {"epsilon": 0.5})
    for row in range(3):
        m = math.fsum(x[row]) / 5
        variance = math.fsum((value - m) ** 2 for value in x[row]) / 5
        scale = 1 / math.sqrt(variance + 0.5)
        assert mean[row, 0] == pytest.approx(m)
        assert rstd[row, 0] == pytest.approx(scale)
        for column in range(5):
            expected = (x[row, column] - m) * scale * gamma[column] + beta[column]
            assert y[row, column] == pytest.approx(expected)


def test_rms_norm_and_its_sum_by_loops() -> None:
    x1, x2, gamma = random(2, 4), random(2, 4, seed=1), random(4, seed=2)
    y, rstd, x = run("AddRmsNorm", {"x1": x1, "x2": x2, "gamma": gamma}, {"epsilon": 1e-3})
    for row in range(2):
        total = [a + b for a, b in zip(x1[row], x2[row])]
        scale = 1 / math.sqrt(math.fsum(v * v for v in total) / 4 + float(np.float32(1e-3)))
        assert rstd[row, 0] == pytest.approx(scale)
        np.testing.assert_allclose(x[row], total)
        np.testing.assert_allclose(y[row], [v * scale * g for v, g in zip(total, gamma)])


def test_the_sum_of_add_rms_norm_may_be_rounded_first() -> None:
    # 1 + 2^-9 is no number of bfloat16.
    fed = {"x1": [[1.0, 1.0]], "x2": [[2.0**-9, 1.0]], "gamma": [1.0, 1.0]}
    known = Given(dict.fromkeys(fed, "torch.bfloat16"))
    (first, _, _), (second, _, _) = (
        run("AddRmsNorm", fed, known=known, form=form) for form in (0, 1)
    )
    np.testing.assert_allclose(first[0, 0] / first[0, 1], (1 + 2.0**-9) / 2)
    np.testing.assert_allclose(second[0, 0] / second[0, 1], 1 / 2)


def test_softmax_of_a_row_that_is_masked_but_for_one() -> None:
    (y,) = run("SoftmaxV2", {"x": [[-np.inf, 3.0, -np.inf]]})
    assert y.tolist() == [[0.0, 1.0, 0.0]]


def test_products_by_loops() -> None:
    x1, x2, bias = random(3, 4), random(5, 4, seed=1), random(5, seed=2)
    (y,) = run("MatMulV2", {"x1": x1, "x2": x2, "bias": bias}, {"transpose_x2": True})
    for row in range(3):
        for column in range(5):
            expected = math.fsum(x1[row, i] * x2[column, i] for i in range(4)) + bias[column]
            assert y[row, column] == pytest.approx(expected)


def test_a_convolution_by_loops() -> None:
    x, w = random(1, 2, 5, 6), random(3, 2, 2, 3, seed=1)
    options = {"strides": [1, 1, 2, 1], "pads": [1, 0, 0, 2], "data_format": "NCHW"}
    (y,) = run("Conv2D", {"x": x, "filter": w}, options)
    image = np.pad(x, ((0, 0), (0, 0), (1, 0), (0, 2)))
    assert y.shape == (1, 3, 3, 6)
    for channel, row, column in np.ndindex(*y.shape[1:]):
        window = image[0, :, 2 * row : 2 * row + 2, column : column + 3]
        assert y[0, channel, row, column] == pytest.approx((window * w[channel]).sum())


def attention_by_loops(q: Array, k: Array, v: Array, hidden: Array, scale: float) -> Array:
    """(heads, tokens, channels) with heads of q in groups that share one of k and v."""
    y = np.zeros((q.shape[0], q.shape[1], v.shape[2]))
    for head, i in np.ndindex(q.shape[0], q.shape[1]):
        kv = head * k.shape[0] // q.shape[0]
        seen = [j for j in range(k.shape[1]) if not hidden[i, j]]
        weights = [math.exp(scale * float(q[head, i] @ k[kv, j])) for j in seen]
        for j, weight in zip(seen, weights):
            y[head, i] += weight / math.fsum(weights) * v[kv, j]
    return y


@pytest.mark.parametrize("mode", [0, 3])
def test_attention_by_loops(mode: int) -> None:
    q, k, v = random(4, 3, 8), random(2, 5, 8, seed=1), random(2, 5, 8, seed=2)
    hidden = np.triu(np.ones((3, 5), dtype=np.bool_), 3)  # the last query sees the last key
    mask = hidden if mode == 0 else np.triu(np.ones((2048, 2048), dtype=np.bool_), 1)
    fed = {"query": q[None], "key0": k[None], "value0": v[None], "atten_mask": mask}
    options = {"num_heads": 4, "num_key_value_heads": 2, "scale": 0.25, "input_layout": "BNSD"}
    y, lse = run("FusedInferAttentionScore", fed, {**options, "sparse_mode": mode})
    np.testing.assert_allclose(y[0], attention_by_loops(q, k, v, hidden, 0.25))
    assert "softmax_lse_flag" in lse


def test_attention_of_as_many_keys_as_their_length_says() -> None:
    q, k, v = random(2, 3, 8), random(2, 5, 8, seed=1), random(2, 5, 8, seed=2)
    fed = {"query": q[None], "key0": k[None], "value0": v[None], "actual_seq_lengths_kv": [4]}
    options = {"num_heads": 2, "num_key_value_heads": 2, "scale": 0.5, "input_layout": "BNSD"}
    y, _ = run("FusedInferAttentionScore", fed, options)
    expected = attention_by_loops(q, k[:, :4], v[:, :4], np.zeros((3, 4), np.bool_), 0.5)
    np.testing.assert_allclose(y[0], expected)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"input_layout": "TND"}, "input_layout TND"),
        ({"sparse_mode": 4}, "sparse_mode 4"),
        ({"next_tokens": 0, "pre_tokens": 2147483647}, "hide more than its mask"),
    ],
)
def test_attention_that_is_not_known_is_refused(options: dict[str, Any], sentence: str) -> None:
    q = random(1, 2, 3, 8)
    fed = {"query": q, "key": q, "value": q, "atten_mask": np.zeros((3, 3), np.bool_)}
    whole = {"num_heads": 2, "num_key_value_heads": 2, "input_layout": "BNSD", **options}
    with pytest.raises(RefusedError, match=sentence):
        run("PromptFlashAttention", fed, whole)


def test_a_tie_may_be_broken_either_way() -> None:
    x = np.array([[3.0, 5.0, 5.0, 1.0]])
    for written in ([[1, 2]], [[2, 1]]):
        known = Given(outputs=[np.array([[5.0, 5.0]]), np.array(written)])
        _, index = run("TopKV2", {"x": x, "k": 2}, known=known)
        assert index.tolist() == written
    known = Given(outputs=[np.array([2])])
    (index,) = run("ArgMaxV2", {"x": x, "dimension": -1}, known=known)
    assert index.tolist() == [2]


@pytest.mark.parametrize("written", [[[1, 1]], [[0, 1]], [[1, 9]], [[-1, 2]]])
def test_an_index_whose_value_is_another_is_wrong(written: list[list[int]]) -> None:
    x = np.array([[3.0, 5.0, 5.0, 1.0]])
    known = Given(outputs=[np.array([[5.0, 5.0]]), np.array(written)])
    _, index = run("TopKV2", {"x": x, "k": 2}, known=known)
    assert index.tolist() != written


def test_groups_of_experts_by_loops() -> None:
    x, bias = random(5, 12), random(12, seed=1)
    options: dict[str, Any] = {
        "k": 3,
        "k_group": 2,
        "group_count": 4,
        "group_select_mode": 1,
        "norm_type": 1,
    }
    options = {**options, "routed_scaling_factor": 2.5}
    y, index, _ = run("MoeGatingTopK", {"x": x, "bias": bias}, options)
    for row in range(5):
        weight = [1 / (1 + math.exp(-value)) for value in x[row]]
        score = [w + b for w, b in zip(weight, bias)]
        marks = [sum(sorted(score[3 * g : 3 * g + 3])[-2:]) for g in range(4)]
        kept = sorted(range(4), key=lambda g: -marks[g])[:2]
        chosen = sorted((i for g in kept for i in range(3 * g, 3 * g + 3)), key=lambda i: -score[i])
        assert index[row].tolist() == chosen[:3]
        total = sum(weight[i] for i in chosen[:3])
        np.testing.assert_allclose(y[row], [2.5 * weight[i] / total for i in chosen[:3]])


def test_pairs_of_channels_are_turned() -> None:
    x = np.array([[1.0, 0.0, 0.0, 2.0]])  # halves: (1, 0) and (0, 2)
    cos, sin = np.array([[0.0, 1.0] * 2]), np.array([[1.0, 0.0] * 2])
    (y,) = run("RotaryMul", {"x": x, "r1": cos, "r2": sin})
    assert y.tolist() == [[0.0, 0.0, 1.0, 2.0]]
    (y,) = run("InterleaveRope", {"x": [[1.0, 0.0, 0.0, 2.0]], "cos": cos, "sin": sin})
    assert y.tolist() == [[0.0, 0.0, 1.0, 2.0]]


def test_codes_at_a_tie_may_go_either_way() -> None:
    x, scale = np.array([[0.5, 1.5, 2.6]]), np.array([1.0])
    fed = {"x": x, "scale": scale}
    for written, is_right in (([[0, 2, 3]], True), ([[1, 1, 3]], True), ([[1, 1, 2]], False)):
        known = Given({"x": "torch.float32"}, ["torch.int8"], [(1, 3)], [np.array(written)])
        (codes,) = run("AscendQuantV2", fed, known=known)
        assert (codes.tolist() == written) == is_right


def test_a_quantised_product_by_loops() -> None:
    rng = np.random.default_rng(3)
    x1, x2 = (rng.integers(-128, 128, shape, dtype=np.int8) for shape in ((2, 40), (40, 3)))
    scale = np.array([0.25, 0.5, 2.0], dtype=np.float32)
    words = scale.view(np.uint32).astype(np.uint64) | np.uint64(7 << 40)
    for scales in (scale, words):
        fed = {"x1": x1, "x2": x2, "scale": scales, "bias": np.array([1, -1, 5], np.int32)}
        known = Given(dict.fromkeys(fed, "torch.int8"), ["torch.float16"])
        (y,) = run("QuantBatchMatmulV3", fed, {"dtype": 1}, known=known)
        for row, column in np.ndindex(2, 3):
            total = sum(int(x1[row, i]) * int(x2[i, column]) for i in range(40))
            assert y[row, column] == (total + (1, -1, 5)[column]) * float(scale[column])


def test_weights_of_groups_are_scaled_each_by_its_own() -> None:
    x, weight = random(2, 4), np.arange(-6, 6).reshape(4, 3).astype(np.int8)
    scale, offset = np.abs(random(2, 3, seed=1)), random(2, 3, seed=2)
    fed = {"x": x, "weight": weight, "antiquant_scale": scale, "antiquant_offset": offset}
    known = Given({**dict.fromkeys(fed, "torch.float32"), "weight": "torch.int8"})
    for turned in (False, True):
        if turned:
            fed.update(weight=weight.T, antiquant_scale=scale.T, antiquant_offset=offset.T)
        options = {"antiquant_group_size": 2, "transpose_weight": turned}
        (y,) = run("WeightQuantBatchMatmulV2", fed, options, known=known)
        for row, column in np.ndindex(2, 3):
            expected = sum(
                x[row, i] * (weight[i, column] + offset[i // 2, column]) * scale[i // 2, column]
                for i in range(4)
            )
            assert y[row, column] == pytest.approx(expected)


def test_a_cast_truncates_to_integers_and_does_not_judge_what_lies_beyond() -> None:
    x = np.array([1.9, -1.9, 300.0, np.nan])
    binding = bind(REFERENCES["Cast"], [("x", (4,))], {"dst_type": 2})
    result = binding.evaluate({0: x}, Given(out_dtypes=["torch.int8"]))
    assert result.value[:2].tolist() == [1.0, -1.0]
    assert result.slack.tolist() == [0.0, 0.0, np.inf, np.inf]


def test_a_cache_is_written_from_the_place_of_each_batch_on() -> None:
    cache, updates = np.zeros((2, 1, 4, 2)), random(2, 1, 1, 2)
    fed = {"var": cache, "indices": [3, 0], "updates": updates}
    (y,) = run("Scatter", fed, {"axis": -2, "reduce": "update"})
    assert np.array_equal(y[0, 0, 3], updates[0, 0, 0])
    assert np.array_equal(y[1, 0, 0], updates[1, 0, 0])
    assert np.count_nonzero(y) == 4


@pytest.mark.parametrize(
    ("type_", "fed"),
    [
        ("GatherV2", {"x": np.zeros(3), "indices": [3], "axis": 0}),
        ("ScatterNdUpdate", {"var": np.zeros(3), "indices": [[-4]], "updates": [1.0]}),
        ("Transpose", {"x": np.zeros((2, 3)), "perm": [0, 2]}),
        ("AsStrided", {"x": np.zeros(3), "size": [2], "stride": [3], "storage_offset": 1}),
    ],
)
def test_an_index_outside_is_refused_not_guessed(type_: str, fed: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match=r"outside|beyond"):
        run(type_, fed)


def test_two_updates_of_one_place_are_not_judged_there() -> None:
    fed: list[Any] = [("var", (3,)), ("indices", (2, 1)), ("updates", (2,))]
    binding = bind(REFERENCES["ScatterNdUpdate"], fed, {})
    values: Sequence[Array] = (np.zeros(3), np.array([[1], [1]]), np.array([5.0, 6.0]))
    result = binding.evaluate(dict(enumerate(values)), Given())
    assert result.slack.tolist() == [0.0, np.inf, 0.0]
