"""Which ops are said to compute something else: one rule, one sentence."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hand_graph import FP16, accused, graph_of, judge_step, row

from ait_cmp import ConfigError, Limits
from ait_cmp.report.verdict import Judge, without_rules

INT32 = {"my_dtype": "torch.int32", "golden_dtype": "torch.int32"}


def test_an_error_that_grows_too_much_diverges() -> None:
    graph = graph_of(A=[], B=["A"])
    assert accused([row("A", 0.001), row("B", 0.0041)], graph) == [("B", "growth")]
    assert accused([row("A", 0.001), row("B", 0.004)], graph, block_growth_max=9) == []


def test_a_worst_block_that_grows_too_much_diverges() -> None:
    graph = graph_of(A=[], B=["A"])
    rows = [row("A", 0.001), row("B", 0.001, block_error=0.0033)]
    assert accused(rows, graph) == [("B", "block")]
    assert accused(rows, graph, block_growth_max=3.4) == []


@pytest.mark.parametrize("worse", [0, 1])
def test_the_row_that_passes_its_own_limit_by_most_is_shown(worse: int) -> None:
    """The other one has an error_growth closer to the limit of that than its own block_growth."""
    block, near = row("B", 0.001, block_error=0.0034), row("B", 0.0039, block_error=0.0033)
    outputs = [near, block] if worse else [block, near]
    rows = [one._replace(row=one.row._replace(index=place)) for place, one in enumerate(outputs)]
    _, judge = judge_step([row("A", 0.001), *rows], graph_of({"B": 2}, A=[], B=["A"]))
    assert [(found.kind, found.block_error) for found in judge.divergences] == [("block", 0.0034)]


def test_without_block_error_the_distance_is_held_tighter() -> None:
    graph = graph_of(A=[], B=["A"])
    reduced: dict[str, Any] = {"block_error": None, "figures": None, "estimated": "sketch"}
    rows = [row("A", 0.001, **reduced), row("B", 0.0031, **reduced)]
    assert accused(rows, graph) == [("B", "growth")]


def test_attention_in_one_op_has_wider_limits() -> None:
    graph = graph_of(A=[], FusedInferAttentionScore=["A"])
    name = "FusedInferAttentionScore"
    rows = [row("A", 0.001), row(name, 0.008, block_error=0.0159)]
    assert accused(rows, graph) == []
    assert accused([rows[0], row(name, 0.009)], graph) == [(name, "growth")]
    assert accused([rows[0], row(name, 0.001, block_error=0.017)], graph) == [(name, "block")]


def test_a_fused_softmax_whose_scores_have_no_row_has_them_too() -> None:
    graph = graph_of(A=[], Fused=["A"]).fused("Fused", "Mul", "SoftmaxV2")
    assert accused([row("A", 0.001), row("Fused", 0.007)], graph) == []
    graph = graph_of(A=[], Fused=["A"]).fused("Fused", "Mul", "Add")
    assert accused([row("A", 0.001), row("Fused", 0.007)], graph) == [("Fused", "growth")]


def test_finite_inputs_turned_into_nan_diverge() -> None:
    graph = graph_of(A=[], Sqrt_1=["A"], B=["Sqrt_1"])
    rows = [
        row("A", 0.0),
        row("Sqrt_1", 0.0, io="inputs"),
        row("Sqrt_1", 0.0, nonfinite_mismatch_count=3),
        row("B", 0.0, nonfinite_mismatch_count=9),
    ]
    assert accused(rows, graph) == [("Sqrt_1", "nonfinite")]


def test_an_output_without_a_finite_pair_diverges() -> None:
    nothing = {"cosine_similarity": None, "nonfinite_mismatch_count": 4, "block_error": None}
    assert accused([row("A", None, **nothing)], graph_of(A=[])) == [("A", "nonfinite")]


def test_nan_that_came_in_does_not_diverge() -> None:
    rows = [row("A", 0.0, nonfinite_mismatch_count=1), row("B", 0.0, nonfinite_mismatch_count=1)]
    assert accused(rows, graph_of(A=[], B=["A"])) == [("A", "nonfinite")]


def test_saturation_in_a_dtype_of_an_ancestor_is_no_mismatch() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"])
    fp32 = {"my_dtype": "torch.float32"}
    saturated = {"saturated": [(1, 5)]}  # pairs that float16 explains
    rows = [
        row("A", 0.0),
        row("B", 0.0, **fp32),
        row("C", 0.0, nonfinite_mismatch_count=5, figures=saturated, **fp32),
    ]
    found, judge = judge_step(rows, graph)
    assert judge.divergences == []
    assert (found[2].nonfinite_mismatch_count, found[2].verdict) == (0, "pass")
    assert "5 pairs are saturation" in found[2].cmp_fail_reason
    rows[0] = row("A", 0.0, **fp32)
    assert accused(rows, graph) == [("C", "nonfinite")]


def test_every_input_equal_and_the_output_not_is_exact() -> None:
    """The limit of attention is wide, that of equal inputs with it."""
    rows = [row("A", 0.0, my_dtype="torch.float16"), row("FusedAttention", 0.0035)]
    graph = graph_of(A=[], FusedAttention=["A"])
    assert accused(rows, graph) == []
    scores = row("SoftmaxV2", 0.004, block_error=0.001)
    rows = [row("A", 0.0), row("Const_0", None, status="unmatched"), scores]
    graph = graph_of(A=[], Const_0=[], SoftmaxV2=["A", "Const_0"])
    assert accused(rows, graph, block_growth_max=99) == [("SoftmaxV2", "growth")]


def test_a_decision_on_equal_inputs_is_exact() -> None:
    graph = graph_of(A=[], ArgMaxV2=["A"])
    rows = [row("A", 0.0), row("ArgMaxV2", 0.3, **INT32)]
    assert accused(rows, graph) == [("ArgMaxV2", "exact")]
    assert accused([row("A", FP16), rows[1]], graph) == []


def test_what_was_read_is_not_what_was_written() -> None:
    graph = graph_of(A=[], B=["A"])
    rows = [row("A", 0.001), row("B", 0.9, io="inputs"), row("B", 0.9)]
    found, judge = judge_step(rows, graph)
    (divergence,) = judge.divergences
    assert (divergence.op_name, divergence.kind, divergence.writer) == ("B", "edge", "A")
    assert divergence.candidates == ("B",)
    assert [one.verdict for one in found] == ["pass", "fail", "inherited"]


def test_a_row_of_what_a_wrong_op_wrote_says_so() -> None:
    graph = graph_of(A=[], B=["A"], C=["B"])
    rows = [row("A", 0.001), row("B", 0.03), row("C", 0.03, io="inputs"), row("C", 0.03)]
    found, _ = judge_step(rows, graph)
    assert [one.verdict for one in found] == ["pass", "fail", "fail", "pass"]
    assert found[2].cmp_fail_reason == "It is what B wrote, which fails."


def test_a_wrong_input_accuses_its_producer_if_that_has_no_row() -> None:
    graph = graph_of(A=[], Reshape=["A"], MatMul=["Reshape"], B=["MatMul"])
    rows = [row("A", 0.001), row("B", 0.9, io="inputs"), row("B", 0.9)]
    _, judge = judge_step(rows, graph)
    (divergence,) = judge.divergences
    assert (divergence.op_name, divergence.kind) == ("MatMul", "growth")
    assert divergence.candidates == ("MatMul", "Reshape")


def test_an_output_that_nobody_reads_accuses_nobody() -> None:
    graph = graph_of({"A": 2}, A=[], B=["A:0"])
    rows, judge = judge_step([row("A", 0.0), row("A", 9.0, index=1), row("B", 0.0)], graph)
    assert judge.divergences == []
    assert rows[1].verdict == "inherited"
    assert (rows[1].cmp_fail_reason or "").endswith("No op reads it.")


def test_graph_inputs_and_constants_are_never_accused() -> None:
    rows = [row("Data_0", 9.0), row("B", 9.0)]
    assert accused(rows, graph_of(Data_0=[], B=["Data_0"])) == []


def test_every_op_that_diverges_is_told_in_execution_order() -> None:
    graph = graph_of(A=[], Left=["A"], Right=["A"])
    rows = [row("A", 0.0), row("Right", 0.5), row("Left", 0.9)]
    assert [name for name, _ in accused(rows, graph)] == ["Right", "Left"]


def test_slices_of_one_op_are_one_divergence() -> None:
    graph = graph_of(MatMul_1=[], Relu_2=["MatMul_1"], Add_3=["Relu_2"])
    files = ["/dump/MatMul_1", "/dump/a", "/dump/b", "/dump/c", "/dump/Add_3"]
    relu = graph.node_of.pop("/dump/Relu_2")
    graph.node_of.update(dict.fromkeys(files[1:4], relu))
    rows = [row("MatMul_1", FP16), row("Relu_2", FP16), row("Relu_2", 0.2)]
    rows += [row("Relu_2", 0.5), row("Add_3", 0.5, cosine_similarity=0.5)]
    judged, judge = judge_step(rows, graph, files=files)
    assert [found.upstream_error for found in judged] == [0.0, FP16, FP16, FP16, 0.5]
    assert [found.error_growth for found in judged] == [1.0, 1.0, 0.2 / FP16, 0.5 / FP16, 1.0]
    (found,) = judge.divergences
    assert (found.op_name, found.file, found.error) == ("Relu_2", "/dump/c", 0.5)
    assert (found.candidates, found.later_failures) == (("Relu_2",), 1)


def test_a_divergence_says_where_how_and_why() -> None:
    graph = graph_of(Data_0=[], MatMul_0=["Data_0"], Add_1=["MatMul_0"], Mul_2=["Add_1"])
    rows = [
        row("MatMul_0", 0.0015),
        row("Add_1", 0.3, cosine_similarity=0.5, fx_node="add_1", block_error=0.004),
        row("Mul_2", 0.4, cosine_similarity=0.5, block_error=0.004),
    ]
    _, judge = judge_step(rows, graph)
    (found,) = judge.divergences
    assert (found.rank, found.graph, found.token) == (0, "graph_1", 0)
    assert (found.op_name, found.op_type, found.kind, found.reason) == (
        "Add_1",
        "Add",
        "growth",
        "growth",
    )
    assert (found.upstream_error, found.error, found.limit) == (0.0015, 0.3, 4.0)
    assert found.error_growth == pytest.approx(200)
    assert (found.given_block, found.block_error) == (0.0015, 0.004)
    assert (found.file, found.fx_node, found.places) == ("/dump/Add_1", "add_1", 1)
    assert (found.candidates, found.later_failures) == (("Add_1",), 1)


def test_candidates_are_the_uncompared_ancestors_back_to_compared_ones() -> None:
    graph = graph_of(
        Data_0=[],
        Const_0=[],
        A=["Data_0"],
        Mul_9=["A", "Const_0"],
        Cast_19=["Mul_9"],
        B=["Cast_19"],
    )
    rows = [row("A", 0.0), row("Cast_19", None, status="unmatched"), row("B", 0.5)]
    _, judge = judge_step(rows, graph)
    assert judge.divergences[0].candidates == ("B", "Cast_19", "Mul_9")


def test_a_row_that_is_mostly_masked_ends_no_walk_up() -> None:
    graph = graph_of(A=[], Add=["A"], B=["Add"])
    rows = [row("A", 0.0), row("Add", FP16, figures={"n_unmasked": 200}), row("B", 0.5)]
    _, judge = judge_step(rows, graph)
    assert judge.divergences[0].candidates == ("B", "Add")


def test_an_integer_graph_input_without_a_pair_is_told() -> None:
    graph = graph_of(Data_0=[], A=["Data_0"]).with_tensor("Data_0", dtype="DT_INT64")
    _, judge = judge_step([row("A", 0.5)], graph)
    (remark,) = judge.divergences[0].remarks
    assert remark.startswith("its input Data_0 could not be compared")


def test_steps_are_judged_one_by_one_and_the_places_of_an_op_are_counted() -> None:
    graph = graph_of(A=[], B=["A"])
    judge = Judge(Limits())
    judge_step([row("A", 0.0), row("B", 0.0)], graph, judge=judge)
    assert judge.divergences == []
    for step, red in ((1, 0.2), (2, 0.9)):
        rows = [row("A", 0.001, token_id=step), row("B", red, token_id=step)]
        judge_step(rows, graph, judge=judge, step=step)
    found = judge.divergences
    assert [(one.token, one.op_name, one.places) for one in found] == [(1, "B", 2), (2, "B", 2)]
    assert [one.later_failures for one in found] == [1, 0]


# --- suspects ---


def suspicions(rows: list[Any], graph: Any) -> list[tuple[str, str]]:
    _, judge = judge_step(rows, graph)
    return [(found.op_name, found.why) for found in judge.suspects]


def test_growth_above_two_is_suspect() -> None:
    graph = graph_of(A=[], B=["A"], C=["A"], D=["A"])
    rows = [row("A", 0.0009), row("B", 0.0019), row("C", 0.001, block_error=0.0019)]
    rows.append(row("D", 0.0017))
    assert suspicions(rows, graph) == [("B", "growth"), ("C", "block")]


@pytest.mark.parametrize(
    ("z", "bias", "of_input", "is_suspect"),
    [
        (-9.0, 0.3, 0.1, True),
        (9.0, 0.3, 0.1, True),
        (-7.0, 0.3, 0.1, False),
        (-9.0, 0.1, 0.0, False),
        (-9.0, 0.3, 0.2, False),
    ],
)
def test_a_bias_that_the_inputs_have_not_is_suspect(
    z: float, bias: float, of_input: float, is_suspect: bool
) -> None:
    rows = [
        row("A", FP16, figures={"bias": of_input * FP16}),
        row("B", FP16, bias_z=z, figures={"bias": bias * FP16}),
    ]
    graph = graph_of(A=[], B=["A"])
    assert suspicions(rows, graph) == ([("B", "bias")] if is_suspect else [])


# --- the verdict of a row ---

TINY = 2.0**-23
VERDICTS = [
    ({"max_absolute_error": 0.0, "relative_euclidean_distance": 0.0}, "pass"),
    ({"cosine_similarity": 0.99, "relative_euclidean_distance": 0.05}, "pass"),
    ({"cosine_similarity": math.nextafter(0.99, 0), "relative_euclidean_distance": 0.01}, "fail"),
    ({"cosine_similarity": 1.0, "relative_euclidean_distance": math.nextafter(0.05, 1)}, "fail"),
    ({"max_absolute_error": TINY, "cosine_similarity": 0.0}, "pass"),
    ({"max_absolute_error": math.nextafter(TINY, 1), "cosine_similarity": 0.0}, "fail"),
    ({"nonfinite_mismatch_count": 1, "max_absolute_error": 0.0}, "fail"),
    ({"relative_euclidean_distance": math.inf, "cosine_similarity": 0.0}, "fail"),
    ({"status": "shape_mismatch"}, ""),
    ({"status": "unmatched"}, ""),
]


@pytest.mark.parametrize(("cells", "verdict"), VERDICTS)
def test_a_row_without_a_place_in_the_graph_passes_within_the_limits(
    cells: dict[str, Any], verdict: str
) -> None:
    (found,), _ = judge_step([row("Add", 1.0, **cells)], graph_of())
    assert found.verdict == verdict


def test_the_limits_can_be_moved() -> None:
    far = row("Add", 0.2, cosine_similarity=0.9)
    (found,), _ = judge_step([far], graph_of(), cosine_min=0.9, red_max=0.2)
    assert found.verdict == "pass"


@pytest.mark.parametrize(
    "limits",
    [
        {"cosine_min": 1.5},
        {"red_max": -1},
        {"growth_max": math.nan},
        {"block_growth_max": -0.1},
        {"own_growth_max": math.nan},
        {"element_max": -1},
        {"cosine_min": math.nan},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(limits))):
        Limits(**limits)


@pytest.mark.parametrize(
    ("red", "verdict", "reason"),
    [
        (0.04, "pass", ""),
        (0.059, "inherited", "relative_euclidean_distance 0.059 > 0.05."),
        (0.0615, "fail", "relative_euclidean_distance 0.0615 > 0.05."),
        (
            0.09,
            "fail",
            "relative_euclidean_distance 0.09 > 0.05, error_growth 4.5 > 4, "
            "block_growth 4.5 > 3.2.",
        ),
    ],
)
def test_a_row_outside_the_limits_says_which_one_it_passed(
    red: float, verdict: str, reason: str
) -> None:
    rows, _ = judge_step([row("A", 0.02), row("B", red)], graph_of(A=[], B=["A"]))
    assert (rows[1].verdict, rows[1].cmp_fail_reason or "") == (verdict, reason)


def test_an_equal_output_of_a_divergent_op_passes() -> None:
    graph = graph_of({"A": 2}, A=[], B=["A:0", "A:1"])
    rows, judge = judge_step([row("A", 0.0), row("A", 0.5, index=1), row("B", 0.0)], graph)
    assert [one.verdict for one in rows[:2]] == ["pass", "fail"]
    assert len(judge.divergences) == 1


def test_an_input_has_the_verdict_of_what_it_reads() -> None:
    rows, _ = judge_step(
        [row("A", 0.5), row("B", 0.5, io="inputs"), row("B", 0.001)], graph_of(A=[], B=["A"])
    )
    assert [one.verdict for one in rows] == ["fail", "fail", "pass"]


def test_a_row_with_mismatches_is_inherited_where_it_was_given_some() -> None:
    some = {"nonfinite_mismatch_count": 2}
    rows, _ = judge_step([row("A", 0.0, **some), row("B", 0.0, **some)], graph_of(A=[], B=["A"]))
    assert [one.verdict for one in rows] == ["fail", "inherited"]


# --- measuring ---


def test_a_measurement_can_leave_a_rule_out() -> None:
    rows = [row("A", 0.001), row("B", 0.001, block_error=0.5)]
    graph = graph_of(A=[], B=["A"])
    with without_rules(["block"]):
        assert accused(rows, graph) == []
    assert accused(rows, graph) == [("B", "block")]
    with without_rules(["no such rule"]), pytest.raises(ValueError, match="no such rule"):
        accused(rows, graph)
