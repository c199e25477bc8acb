"""What an op was given, and how errors grow, on small graphs made by hand."""

from __future__ import annotations

import math

import pytest
from hand_graph import BF16, FP16, graph_of, judge_step, judged, row

from ait_cmp import _core


@pytest.mark.parametrize(
    ("dtype", "roundoff"),
    [
        ("torch.bfloat16", 2.0**-8),
        ("torch.float16", 2.0**-11),
        ("torch.float32", 2.0**-11),
        ("torch.float64", 2.0**-11),
        ("torch.float8_e4m3fn", 2.0**-4),
        ("torch.float8_e5m2", 2.0**-3),
        ("torch.int32", 2.0**-11),
        ("no dtype", 2.0**-11),
    ],
)
def test_no_dtype_is_finer_than_the_matrix_units(dtype: str, roundoff: float) -> None:
    assert _core.roundoff_of(dtype) == roundoff


def test_an_op_was_given_the_largest_error_of_all_its_ancestors() -> None:
    graph = graph_of(A=[], B=["A"], C=[], D=["B", "C"])
    reds = {"A": 0.008, "B": 0.001, "C": 0.002, "D": 0.004}
    found = judged([row(name, red) for name, red in reds.items()], graph)
    assert [found[name].upstream_error for name in "ABCD"] == [0.0, 0.008, 0.0, 0.008]
    assert found["D"].error_growth == found["D"].block_growth == 0.5
    assert found["A"].error_growth == 0.008 / FP16


def test_ops_that_were_not_compared_pass_on_what_they_were_given() -> None:
    graph = graph_of(A=[], Reshape=["A"], Transpose=["Reshape"], B=["Transpose"])
    rows = [row("A", 0.001), row("Reshape", None, status="unmatched"), row("B", 0.002)]
    found = judged(rows, graph)
    assert (found["B"].upstream_error, found["B"].error_growth) == (0.001, 2.0)
    assert (found["Reshape"].upstream_error, found["Reshape"].error_growth) == (None, None)


def test_a_compared_tensor_lends_at_most_64_times_its_own_error() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"])
    found = judged([row("A", 1.0), row("B", FP16), row("C", 0.5)], graph)
    assert found["B"].upstream_error == 1.0
    assert found["C"].upstream_error == 64 * FP16


def test_the_larger_of_both_errors_and_of_the_roundoff_bounds_what_a_tensor_lends() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"])
    found = judged([row("A", 1.0), row("B", 0.001, block_error=0.01), row("C", 0.5)], graph)
    assert found["C"].upstream_error == 0.64


def test_a_tensor_that_is_masked_but_for_a_small_part_lends_all_that_came_before() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"])
    masked = {"n_unmasked": 200}
    rows = [row("A", 1.0), row("B", FP16, figures=masked), row("C", 0.5)]
    assert judged(rows, graph)["C"].upstream_error == 1.0


def test_an_output_lends_nothing_to_ops_that_read_only_its_siblings() -> None:
    graph = graph_of({"A": 2}, A=[], B=["A:0"], C=["A:1"])
    rows = [row("A", 0.001), row("A", 9.0, index=1), row("B", 0.002), row("C", 0.002)]
    found = judged(rows, graph)
    assert (found["B"].upstream_error, found["C"].upstream_error) == (0.001, 9.0)


def test_an_op_was_given_its_own_compared_inputs_too() -> None:
    rows = [row("A", 0.001), row("B", 0.002, io="inputs"), row("B", 0.004)]
    found = judged(rows, graph_of(A=[], B=["A"]))
    assert (found["B"].upstream_error, found["B"].error_growth) == (0.002, 2.0)


def test_an_input_that_its_op_writes_is_nothing_it_was_given() -> None:
    graph = graph_of(A=[], B=["A"])
    rows, _ = judge_step([row("A", 0.001), row("B", 0.001)], graph)
    assert rows[1].upstream_error == 0.001


def test_of_a_producer_without_a_row_the_first_reader_is_the_measure() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"], D=["C"])
    rows, _ = judge_step([row("A", 0.001), row("C", 0.002, io="inputs"), row("C", 0.002)], graph)
    assert (rows[1].upstream_error, rows[1].error_growth) == (0.001, 2.0)
    assert (rows[2].upstream_error, rows[2].error_growth) == (0.002, 1.0)


def test_an_input_is_held_against_what_its_producer_wrote() -> None:
    rows, _ = judge_step(
        [row("A", 0.002), row("B", 0.004, io="inputs"), row("B", 0.0)], graph_of(A=[], B=["A"])
    )
    assert (rows[1].upstream_error, rows[1].error_growth) == (0.002, 2.0)


@pytest.mark.parametrize("where", ["own", "golden", "input", "ancestor"])
def test_a_coarse_dtype_anywhere_above_makes_the_floor(where: str) -> None:
    bf16 = {"my_dtype": "torch.bfloat16"}
    rows = [
        row("A", FP16, **(bf16 if where == "ancestor" else {})),
        row("B", 0.0),
        row("C", 0.0, io="inputs", **(bf16 if where == "input" else {})),
        row(
            "C",
            BF16,
            **(bf16 if where == "own" else {}),
            **({"golden_dtype": "torch.bfloat16"} if where == "golden" else {}),
        ),
    ]
    assert judged(rows, graph_of(A=[], B=["A"], C=["B"]))["C"].error_growth == 1.0


def test_a_coarse_ancestor_that_is_equal_makes_no_floor() -> None:
    rows = [row("A", 0.0, my_dtype="torch.bfloat16"), row("B", 0.0), row("C", FP16)]
    assert judged(rows, graph_of(A=[], B=["A"], C=["B"]))["C"].error_growth == 1.0


def test_a_weight_of_8_bits_that_is_equal_makes_nothing_deaf() -> None:
    rows = [row("W", 0.0, my_dtype="torch.float8_e4m3fn"), row("X", FP16), row("B", 8 * FP16)]
    assert judged(rows, graph_of(W=[], X=[], B=["W", "X"]))["B"].error_growth == 8.0
    rows[0] = row("W", FP16, my_dtype="torch.float8_e4m3fn")
    assert judged(rows, graph_of(W=[], X=[], B=["W", "X"]))["B"].error_growth == 8 * FP16 / 2**-4


@pytest.mark.parametrize("side", ["my_fits_bf16", "golden_fits_bf16"])
def test_float32_that_fits_bfloat16_is_as_coarse(side: str) -> None:
    rows = [row("A", BF16, my_dtype="torch.float32", figures={side: True})]
    assert judged(rows, graph_of(A=[]))["A"].error_growth == 1.0


def test_members_of_a_fused_op_make_the_floor() -> None:
    graph = graph_of(A=[]).fused("A", "Mul", dtype="DT_BF16")
    assert judged([row("A", BF16)], graph)["A"].error_growth == 1.0


def test_infinite_on_infinite_is_nothing_new() -> None:
    rows = [row("A", math.inf), row("B", math.inf)]
    found = judged(rows, graph_of(A=[], B=["A"]))
    assert (found["A"].error_growth, found["B"].error_growth) == (math.inf, 1.0)


@pytest.mark.parametrize("kind", ["Pow", "Square"])
def test_for_a_power_what_it_was_given_counts_twice(kind: str) -> None:
    found = judged([row("A", 0.01), row(kind, 0.02)], graph_of(A=[], **{kind: ["A"]}))
    assert (found[kind].upstream_error, found[kind].error_growth) == (0.01, 1.0)


@pytest.mark.parametrize("kind", ["SoftmaxV2", "LogSoftmaxV2", "Exp"])
def test_what_exponentiates_turns_an_absolute_error_into_a_relative_one(kind: str) -> None:
    rows = [row("A", 0.001, figures={"rms_error": 0.1}), row(kind, 0.05)]
    found = judged(rows, graph_of(A=[], **{kind: ["A"]}))
    assert (found[kind].error_growth, found[kind].block_growth) == (0.5, 0.5)


def test_scores_without_a_row_have_the_error_of_the_nearest_float_ancestor() -> None:
    graph = graph_of(A=[], Add=["A"], SoftmaxV2=["Add"])
    rows = [row("A", 0.001, figures={"rms_error": 0.1}), row("SoftmaxV2", 0.05)]
    assert judged(rows, graph)["SoftmaxV2"].error_growth == 0.5


def test_an_op_that_reads_fewer_non_finite_values_than_it_was_given_does_not_grow() -> None:
    rows = [row("Mask", 0.0, nonfinite_mismatch_count=100), row("SoftmaxV2", 0.9)]
    found = judged(rows, graph_of(Mask=[], SoftmaxV2=["Mask"]))
    assert (found["SoftmaxV2"].error_growth, found["SoftmaxV2"].block_growth) == (0.0, 0.0)


# --- codes, numbers, decisions ---

INT8 = {"my_dtype": "torch.int8", "golden_dtype": "torch.int8"}
INT32 = {"my_dtype": "torch.int32", "golden_dtype": "torch.int32"}


def test_codes_have_half_a_step_against_their_own_size() -> None:
    rows = [row("A", FP16), row("Quant", 0.125, figures={"golden_rms": 4.0}, **INT8)]
    assert judged(rows, graph_of(A=[], Quant=["A"]))["Quant"].error_growth == 1.0


def test_codes_lend_their_error_and_not_their_roundoff() -> None:
    graph = graph_of(A=[], Quant=["A"], B=["Quant"])
    rows = [row("A", 0.0), row("Quant", 0.001, figures={"golden_rms": 4.0}, **INT8)]
    found = judged([*rows, row("B", 0.004)], graph)
    assert (found["B"].upstream_error, found["B"].error_growth) == (0.001, 4.0)


def test_wide_integers_made_from_codes_are_numbers() -> None:
    graph = graph_of(A=[], Quant=["A"], MatMul=["Quant"])
    rows = [row("A", FP16), row("Quant", 0.0, **INT8), row("MatMul", 2 * FP16, **INT32)]
    found = judged(rows, graph)["MatMul"]
    assert (found.error_growth, found.decision_flips) == (2.0, None)


def test_all_other_integers_are_decisions_and_never_grow() -> None:
    rows = [row("A", FP16), row("TopKV2", 0.9, figures={"n_differ": 3}, **INT32)]
    found = judged(rows, graph_of(A=[], TopKV2=["A"]))["TopKV2"]
    assert (found.error_growth, found.block_growth, found.decision_flips) == (0.0, 0.0, 3)


def test_an_op_that_reads_a_differing_decision_does_not_grow() -> None:
    graph = graph_of(A=[], TopKV2=["A"], Cast=["TopKV2"], GatherV2=["Cast"], B=["GatherV2"])
    rows = [row("A", FP16), row("TopKV2", 0.9, **INT32), row("GatherV2", 0.7), row("B", 0.9)]
    found = judged(rows, graph)
    assert (found["GatherV2"].error_growth, found["GatherV2"].block_growth) == (0.0, 0.0)
    assert found["B"].upstream_error == 0.7


def test_a_differing_decision_lends_block_error_1_and_no_distance() -> None:
    graph = graph_of(A=[], TopKV2=["A"], GatherV2=["TopKV2"], B=["GatherV2"])
    rows = [row("A", FP16), row("TopKV2", 0.9, **INT32), row("GatherV2", 0.02, block_error=0.5)]
    found = judged([*rows, row("B", 0.02, block_error=1.0)], graph)
    assert found["GatherV2"].upstream_error == FP16
    assert (found["B"].upstream_error, found["B"].block_growth) == (0.02, 1.0)


# --- reduced rows ---


def test_below_a_row_without_block_error_no_block_grows() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"])
    rows = [row("A", 0.001, block_error=None, figures=None, estimated="sketch")]
    found = judged([*rows, row("B", 0.001), row("C", 0.001)], graph)
    assert (found["B"].error_growth, found["B"].block_growth) == (1.0, None)
    assert found["C"].block_growth is None


def test_extrema_alone_lend_nothing_and_what_they_feed_has_no_growth() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"])
    rows = [row("A", 0.5, block_error=None, figures=None, estimated="min_max")]
    found = judged([*rows, row("B", 0.001), row("C", 0.002)], graph)
    assert (found["A"].error_growth, found["B"].error_growth) == (None, None)
    assert (found["C"].upstream_error, found["C"].error_growth) == (0.001, 2.0)


# --- without a graph text ---


def test_without_a_graph_text_all_that_was_written_before_counts() -> None:
    graph = graph_of(A=[], B=[], C=[])
    for name in "ABC":
        graph = graph.with_node(name, reads=None)
    found = judged([row("A", 0.5), row("B", FP16), row("C", 0.25)], graph)
    assert [found[name].upstream_error for name in "ABC"] == [0.0, 0.5, 0.5]
    assert found["C"].error_growth == 0.5
