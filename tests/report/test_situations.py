"""Situations from reports of people who debug such models, each through dump files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ait_cmp import Comparison
from ait_cmp.report.summary import summary_lines
from toy_model import Tensor, Toy, bf16, rounded

Array = npt.NDArray[Any]
SHAPES = [(8, 96), (2, 24, 160)]
shapes = pytest.mark.parametrize("shape", SHAPES)


def values(shape: tuple[int, ...], seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def fp16(array: Array) -> Array:
    return array.astype(np.float16)


def accused(result: Comparison) -> list[tuple[str, str]]:
    return [(found.op_name, found.kind) for found in result.divergences]


def summary(result: Comparison) -> str:
    return "\n".join(summary_lines(result))


def noisy_op(toy: Toy, kind: str, reads: list[Tensor], golden: Array, seed: int) -> Tensor:
    """An op of fp16 whose results are rounded otherwise on my side."""
    return toy.op(kind, reads, rounded(golden, seed), fp16(golden))


# --- what hides a bug ---


@shapes
def test_an_output_that_nobody_reads_hides_no_bug(tmp_path: Path, shape: tuple[int, ...]) -> None:
    toy = Toy()
    x = toy.data("arg0_1", values(shape))
    out, _ = toy.op_of_several(
        "FusedInferAttentionScore",
        [x],
        [(x.my, x.my), (values(shape[:-1], 1), 100 * values(shape[:-1], 2))],
    )
    muls = toy.op("Muls", [out], out.my * 0.5)
    toy.op("Exp", [muls], np.exp(muls.my) * np.float32(1.2), np.exp(muls.my))
    result = toy.compare(tmp_path)
    assert accused(result) == [("Exp", "growth")]


@shapes
def test_a_massive_channel_hides_no_bug_in_the_others(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    toy = Toy()
    x = values(shape)
    x[..., 5] = 2000
    a = toy.data("arg0_1", x)
    wrong = x * 1.3
    wrong[..., 5] = x[..., 5]
    add = toy.op("Add", [a], wrong, x)
    toy.op("Relu", [add], wrong, x)
    result = toy.compare(tmp_path)
    assert accused(result) == [("Add", "block")]
    assert [r.verdict for r in result.rows if r.op_name == "Relu" and r.io == "outputs"] == ["pass"]


@shapes
def test_nan_in_padding_rows_hides_no_bug(tmp_path: Path, shape: tuple[int, ...]) -> None:
    toy = Toy()
    x = values(shape)
    padded = x.copy()
    padded[..., -2:, :] = np.nan
    a = toy.data("arg0_1", x)
    first = toy.op("MatMul", [a], padded, x)
    relu = toy.op("Relu", [first], padded, x)
    toy.op("MatMul", [relu], padded * 1.5, x)
    result = toy.compare(tmp_path)
    assert accused(result) == [("MatMul", "nonfinite"), ("MatMul_1", "growth")]
    n = shape[-2]
    assert f"NaN stands in rows {n - 2}-{n - 1} of {n} (my side)" in summary(result)


@shapes
def test_a_hopeless_difference_early_on_hides_no_bug(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    toy = Toy()
    golden = values(shape)
    a = toy.data("arg0_1", golden)
    lost = toy.op("Neg", [a], golden, -golden)
    kept = toy.op("Add", [lost, a], rounded(golden, 1), fp16(golden))
    toy.op("MatMul", [kept], rounded(golden * 1.4, 2), fp16(golden))
    result = toy.compare(tmp_path)
    assert [name for name, _ in accused(result)] == ["Neg", "MatMul"]


@pytest.mark.parametrize("which", [0, 1])
def test_one_small_half_of_a_concat_is_told(tmp_path: Path, which: int) -> None:
    toy = Toy()
    halves = [values((16, 64), 1), 0.001 * values((16, 512), 2)]
    a, b = (toy.data(f"arg{k}_1", half) for k, half in enumerate(halves))
    wrong = [half.copy() for half in halves]
    wrong[1] *= 1.5
    cat = toy.op("ConcatV2", [a, b], np.concatenate(wrong, 1), np.concatenate(halves, 1))
    toy.op("Relu" if which else "Neg", [cat], cat.my, cat.golden)
    assert accused(toy.compare(tmp_path)) == [("ConcatV2", "block")]


# --- what is no error ---


@shapes
def test_bfloat16_saved_as_float32_is_as_coarse_as_bfloat16(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    toy = Toy()
    x = values(shape)
    a = toy.data("arg0_1", bf16(x).astype(np.float32))
    exact = a.my * np.float32(1.25)
    toy.op("MatMul", [a], exact, bf16(exact).astype(np.float32))
    result = toy.compare(tmp_path)
    assert (accused(result), result.has_differences) == ([], False)


@pytest.mark.parametrize("rms", [2.0, 5.0, 40.0])
def test_codes_one_step_off_are_rounding(tmp_path: Path, rms: float) -> None:
    toy = Toy()
    golden = values((32, 256))
    a = toy.data("arg0_1", fp16(golden))
    x = noisy_op(toy, "Mul", [a], golden, 1)
    codes, scaled = (
        np.clip(np.round(side.astype(np.float32) * rms), -128, 127) for side in (x.my, x.golden)
    )
    flips = np.random.default_rng(3).random(codes.shape) < 0.05
    codes = np.clip(np.where(flips, codes + 1, codes), -128, 127)
    quant = toy.op("AscendQuantV2", [x], codes.astype(np.int8), scaled.astype(np.int8))
    back = scaled / rms
    toy.op("AscendDequant", [quant], rounded(codes / rms, 4), fp16(back))
    result = toy.compare(tmp_path)
    assert (accused(result), result.has_differences) == ([], False)


@pytest.mark.parametrize("dtype", ["int8", "float8_e4m3fn"])
def test_weights_of_8_bits_hide_no_small_bug(tmp_path: Path, dtype: str) -> None:
    import ml_dtypes

    toy = Toy()
    raw = np.clip(np.round(values((64, 64), 1) * 30), -127, 127)
    weight = raw.astype(np.int8 if dtype == "int8" else ml_dtypes.float8_e4m3fn)
    a, w = toy.data("arg0_1", fp16(values((32, 64)))), toy.data("arg1_1", weight)
    golden = a.my.astype(np.float32) @ weight.astype(np.float32) / 30
    out = noisy_op(toy, "WeightQuantBatchMatmulV2", [a, w], golden, 2)
    toy.op("Mul", [out], rounded(golden * 1.02, 3), fp16(golden))
    assert accused(toy.compare(tmp_path)) == [("Mul", "growth")]


@pytest.mark.parametrize("least", [-65504.0, float(np.finfo(np.float32).min)])
def test_a_mask_of_the_least_number_may_become_infinite(tmp_path: Path, least: float) -> None:
    toy = Toy()
    scores = values((4, 64, 64)) * 8
    mask = np.where(np.tri(64, dtype=bool), 0, least).astype(np.float32)
    dtype = np.float16 if least == -65504.0 else np.float32
    a, m = toy.data("arg0_1", scores.astype(dtype)), toy.data("arg1_1", mask.astype(dtype))
    with np.errstate(over="ignore"):
        my = (a.my + m.my).astype(dtype)
        my[my <= least] = -np.inf
        golden = (a.my + m.my).astype(dtype)
    golden[~np.isfinite(golden)] = least
    add = toy.op("Add", [a, m], my, golden)
    e = np.exp(scores) * (mask == 0)
    soft = (e / e.sum(-1, keepdims=True)).astype(dtype)
    toy.op("SoftmaxV2", [add], soft)
    result = toy.compare(tmp_path)
    assert (accused(result), result.has_differences) == ([], False)
    (row,) = [row for row in result.rows if row.op_name == "Add" and row.io == "outputs"]
    assert "saturation, no mismatch" in row.cmp_fail_reason


def test_an_overflow_of_float16_is_no_saturation(tmp_path: Path) -> None:
    toy = Toy()
    x = values((16, 64)) * 90
    x[0, :8] = 300.0
    a = toy.data("arg0_1", fp16(x))
    with np.errstate(over="ignore"):
        square = (a.my.astype(np.float32) ** 2).astype(np.float16)
    out = toy.op("Square", [a], square, a.my.astype(np.float32) ** 2)
    toy.op("Relu", [out], square, out.golden)
    assert accused(toy.compare(tmp_path)) == [("Square", "nonfinite")]


# --- decisions ---


def test_a_choice_among_near_values_is_a_tie(tmp_path: Path) -> None:
    toy = Toy()
    golden = values((64, 8))
    golden[:, 3] = golden.max(1) * (1 + 2.0**-12)
    golden[:6, 4] = golden[:6, 3] * (1 - 2.0**-12)
    a = toy.data("arg0_1", golden)
    logits = fp16(golden).astype(np.float32)
    mine = logits.copy()
    mine[:6, 4] = logits[:6, 3] * (1 + 2.0**-11)
    x = toy.op("MatMul", [a], mine, logits)
    picked = toy.op("ArgMaxV2", [x], mine.argmax(1), logits.argmax(1))
    table = values((8, 512), 5)
    toy.op("GatherV2", [picked], table[mine.argmax(1)], table[logits.argmax(1)])
    result = toy.compare(tmp_path)
    assert (accused(result), result.has_differences) == ([], False)
    (row,) = [row for row in result.rows if row.op_name == "ArgMaxV2" and row.io == "outputs"]
    assert row.decision_flips == 6
    assert "6 of 64 decisions differ where the values agree within rounding" in row.cmp_fail_reason


@pytest.mark.parametrize("n_wrong", [1, 5])
def test_a_wrong_choice_on_equal_values_is_named(tmp_path: Path, n_wrong: int) -> None:
    toy = Toy()
    logits = values((64, 8))
    a = toy.data("arg0_1", logits)
    x = toy.op("MatMul", [a], logits)
    wrong = logits.argmax(1).copy()
    wrong[:n_wrong] = (wrong[:n_wrong] + 1) % 8
    picked = toy.op("ArgMaxV2", [x], wrong, logits.argmax(1))
    toy.op("Cast", [picked], wrong.astype(np.float32), logits.argmax(1).astype(np.float32))
    assert accused(toy.compare(tmp_path)) == [("ArgMaxV2", "exact")]


# --- where a tensor is wrong ---


@shapes
def test_a_producer_without_a_file_is_named_by_what_its_reader_read(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    toy = Toy()
    x = values(shape)
    a = toy.data("arg0_1", x)
    first = toy.op("Relu", [a], x)
    lost = toy.op("MatMul", [first], x * 1.5, x, has_file=False)
    toy.op("Neg", [lost], -x * np.float32(1.5), -x)
    (found,) = toy.compare(tmp_path).divergences
    assert (found.op_name, found.kind, found.candidates) == ("MatMul", "growth", ("MatMul",))


@shapes
def test_a_tensor_right_when_written_and_wrong_when_read_names_the_reader(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    toy = Toy()
    x = values(shape)
    a = toy.data("arg0_1", x)
    reshape = toy.op("Reshape", [a], x)
    other = values(shape, 9)
    toy.op("MatMul", [reshape], other * 2, x * 2, read_as={0: other})
    result = toy.compare(tmp_path)
    assert accused(result) == [("MatMul", "edge")]
    assert "What MatMul read is not what Reshape wrote" in summary(result)


# --- inputs ---


@pytest.mark.parametrize("has_file", [True, False])
def test_another_prompt_is_told_and_nobody_accused(tmp_path: Path, has_file: bool) -> None:
    toy = Toy()
    mine, golden = (np.arange(16).reshape(1, 16) + k for k in (0, 3))
    table = values((32, 64))
    ids = toy.data("arg1_1", mine, golden, has_file=has_file)
    emb = toy.op("GatherV2", [ids], table[mine[0]], table[golden[0]])
    toy.op("Relu", [emb], np.maximum(emb.my, 0), np.maximum(emb.golden, 0))
    result = toy.compare(tmp_path)
    assert (accused(result), result.has_differences) == ([], True)
    first = summary(result).splitlines()[0]
    assert first.startswith("INPUTS DIFFER: arg1_1 (int64 [1, 16]), first read by GatherV2 input 0")
    assert first.endswith("the two runs were not given the same data.")


def test_another_weight_is_told_and_the_bug_behind_it_named(tmp_path: Path) -> None:
    toy = Toy()
    a, w = (
        toy.data("arg0_1", values((32, 64))),
        toy.data("arg1_1", values((64, 64), 1), values((64, 64), 2)),
    )
    mine, golden = a.my @ w.my, a.my @ w.golden
    out = toy.op("MatMul", [a, w], mine, golden)
    small = 0.01 * values((32, 64), 3)
    add = toy.op("Muls", [a], fp16(small), fp16(small))
    toy.op("Add", [add], fp16(small * 1.3), fp16(small))
    toy.op("Relu", [out], mine, golden)
    result = toy.compare(tmp_path)
    assert [found.name for found in result.inputs_differ] == ["arg1_1"]
    assert accused(result) == [("Add", "growth")]


@pytest.mark.parametrize("in_place", [True, False])
def test_slots_of_a_cache_that_nobody_wrote_may_differ(tmp_path: Path, in_place: bool) -> None:
    toy = Toy()
    mine, golden = values((16, 64), 1), values((16, 64), 2)
    mine[:4] = golden[:4]
    cache, new = (
        toy.data("past_k", mine, golden, has_file=True),
        toy.data("arg1_1", values((1, 64), 3)),
    )
    grown = [side.copy() for side in (mine, golden)]
    for side in grown:
        side[4] = new.my[0]
    scatter = toy.op("Scatter", [cache, new], *grown, in_place=in_place)
    read = [side[:5] for side in grown]
    kept = toy.op("Slice", [scatter], *read)
    toy.op("MatMul", [kept], read[0] * 1.5, read[1])
    result = toy.compare(tmp_path)
    assert ("MatMul", "growth") in accused(result)
    told = result.states_differ if in_place else result.inputs_differ
    assert [found.name for found in told] == ["past_k"]


# --- what more is told ---


@pytest.mark.parametrize(
    ("factor", "sentence"),
    [
        (0.25, "my = 0.25 x golden in every element: a scale is missing?"),
        (-1.0, "my = -1 x golden in every element: the sign is wrong?"),
        (0.0, "my is 0 in every element: was it written at all?"),
    ],
)
def test_a_constant_factor_is_told(tmp_path: Path, factor: float, sentence: str) -> None:
    toy = Toy()
    x = values((8, 96))
    a = toy.data("arg0_1", x)
    out = toy.op("MatMul", [a], fp16(x * factor), fp16(x))
    toy.op("Relu", [out], out.my, out.golden)
    result = toy.compare(tmp_path)
    assert [name for name, _ in accused(result)] == ["MatMul"]
    assert sentence in summary(result)


def test_a_golden_infinity_beside_finite_rows_is_told_without_a_warning(tmp_path: Path) -> None:
    toy = Toy()
    x = values((8, 96))
    golden = x.copy()
    golden[3, 5], golden[3, 6] = np.inf, -np.inf
    a = toy.data("arg0_1", x)
    toy.op("MatMul", [a], x, golden)
    result = toy.compare(tmp_path)
    assert [name for name, _ in accused(result)] == ["MatMul"]
    assert "inf stands in rows 3 of 8 (golden side)" in summary(result)


def test_rows_in_another_order_and_where_tensors_agree_again_are_told(tmp_path: Path) -> None:
    toy = Toy()
    x = values((12, 48))
    order = np.random.default_rng(4).permutation(12)
    a = toy.data("arg0_1", x)
    routed = toy.op("MoeInitRoutingV2", [a], x[order], x)
    expert = toy.op("GroupedMatmul", [routed], 2 * x[order], 2 * x)
    toy.op("MoeFinalizeRoutingV2", [expert], 2 * x)
    result = toy.compare(tmp_path)
    assert [name for name, _ in accused(result)] == ["MoeInitRoutingV2"]
    text = summary(result)
    assert "the same rows in another order" in text
    assert "the tensors agree again from MoeFinalizeRoutingV2 on" in text


def test_no_error_is_called_small_because_later_rows_pass(tmp_path: Path) -> None:
    toy = Toy()
    x = values((8, 96))
    a = toy.data("arg0_1", x)
    branch = toy.op("MatMul", [a], -0.001 * x, 0.001 * x)
    toy.op("Add", [a, branch], x * np.float32(0.999), x * np.float32(1.001))
    result = toy.compare(tmp_path)
    assert [name for name, _ in accused(result)] == ["MatMul"]
    assert "No later row is outside the limits." in summary(result)
    assert "error is small" not in summary(result)


# --- the whole summary ---


def test_the_summary_fits_on_a_screen(tmp_path: Path) -> None:
    toy = Toy()
    x = toy.data("arg0_1", values((8, 96)))
    kinds = [f"Kind{chr(65 + k)}" for k in range(20)]
    for number, kind in enumerate(kinds):
        golden = values((8, 96), number)
        x = toy.op(kind, [x], golden * np.float32(1.5 ** (number + 1)), golden)
        x = toy.op("Relu", [x], golden, golden)
    result = toy.compare(tmp_path, output=tmp_path)
    lines = summary(result).splitlines()
    assert len(result.divergences) >= 20
    assert len(lines) <= 25
    assert sum(line.startswith("ALSO DIVERGES") for line in lines) <= 10
    assert any("more operators that diverge" in line for line in lines)


def test_what_reaches_the_outputs_is_one_line(tmp_path: Path) -> None:
    toy = Toy()
    logits = values((10, 32))
    mine = logits.copy()
    mine[:2, 7] = 50.0
    a = toy.data("arg0_1", logits)
    toy.op("MatMul", [a], mine, logits)
    (output,) = toy.compare(tmp_path).outputs
    assert (output.op_name, output.argmax_differs) == ("MatMul", 0.2)


def test_the_all_clear_carries_its_reach(tmp_path: Path) -> None:
    toy = Toy()
    x = values((8, 96))
    a = toy.data("arg0_1", x)
    lost = toy.op("Relu", [a], x, has_file=False)
    hidden = toy.op("Abs", [lost], x, has_file=False, named=False)
    toy.op("Neg", [hidden], -x)
    result = toy.compare(tmp_path)
    text = summary(result)
    assert "No operator among the" in text
    assert "tensors that could be compared computes something else." in text
    assert "2 of the 3 ops of the graphs have no file" in text
