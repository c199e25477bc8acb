"""Verdicts, error growth and the first divergence on small graphs made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from ait_cmp import ConfigError, FirstDivergence, Limits, _core
from ait_cmp.pairing.graph.op_graph import OpNode
from ait_cmp.report.row import Row, rows_of
from ait_cmp.report.verdict import GraphJudge
from report_rows import EMPTY, paired_step

TINY = 2.0**-23
FP16 = 2.0**-11
BF16 = 2.0**-8


def row(name: str, red: float | None, **changes: Any) -> Row:
    """A compared output of op `name` with this relative Euclidean distance."""
    cells = {
        "token_id": 0,
        "my_dtype": "torch.float16",
        "golden_dtype": "torch.float32",
        "cosine_similarity": 1.0,
        "max_absolute_error": red,
        "relative_euclidean_distance": red,
        "rank": 0,
        "graph": "graph_1",
        "op_name": name,
        "my_op_type": name.partition("_")[0],
        "io": "outputs",
        "index": 0,
        "status": "compared",
        "nonfinite_mismatch_count": 0,
        "estimated": "",
        **changes,
    }
    return EMPTY._replace(**cells)


def verdict_of(found: Row, limits: Limits) -> str:
    step = paired_step([found])
    GraphJudge(limits).judge(step, 0)
    (judged,) = rows_of(step.rows)
    return judged.verdict


Graph = tuple[Sequence[OpNode], dict[str, int]]


def graph_of(**inputs: Sequence[str]) -> Graph:
    """A graph: each op with the ops that feed it, those first; a file per op, /dump/NAME."""
    numbers = {name: k for k, name in enumerate(inputs)}
    nodes = [
        OpNode(name, name.partition("_")[0], tuple(numbers[s] for s in sources), (name,))
        for name, sources in inputs.items()
    ]
    return nodes, {f"/dump/{name}": k for name, k in numbers.items()}


def judged_rows(
    judge: GraphJudge, rows: Sequence[Row], graph: Graph, files: Sequence[str] | None = None
) -> list[Row]:
    nodes, node_of = graph
    step = paired_step(rows, files, nodes=nodes, node_of=node_of)
    judge.judge(step, 0)
    assert len(step.rows) == len(rows)
    return list(rows_of(step.rows))


def judge_rows(judge: GraphJudge, rows: Sequence[Row], graph: Graph) -> dict[str, Row]:
    return {row.op_name: row for row in judged_rows(judge, rows, graph) if row.io == "outputs"}


def judge_step(
    rows: Sequence[Row], graph: Graph, **limits: float
) -> tuple[dict[str, Row], FirstDivergence | None]:
    judge = GraphJudge(Limits(**limits))
    return judge_rows(judge, rows, graph), judge.first_divergence


def test_slices_of_one_op_are_judged_together() -> None:
    nodes, node_of = graph_of(MatMul_1=(), Relu_2=("MatMul_1",), Add_3=("Relu_2",))
    files = ["/dump/MatMul_1", "/dump/a", "/dump/b", "/dump/c", "/dump/Add_3"]
    relu = node_of.pop("/dump/Relu_2")
    node_of.update(dict.fromkeys(files[1:4], relu))
    rows = [row("MatMul_1", FP16), row("Relu_2", FP16), row("Relu_2", 0.2)]
    rows += [row("Relu_2", 0.5), row("Add_3", 0.5)]
    judge = GraphJudge(Limits())
    judged = judged_rows(judge, rows, (nodes, node_of), files)
    assert [found.upstream_error for found in judged] == [0.0, FP16, FP16, FP16, 0.5]
    assert [found.error_growth for found in judged] == [1.0, 1.0, 0.2 / FP16, 0.5 / FP16, 1.0]
    first = judge.first_divergence
    assert first is not None
    assert (first.op_name, first.file, first.error) == ("Relu_2", "/dump/c", 0.5)
    assert first.candidates == ("Relu_2",)
    assert first.later_failures == 1  # of Add_3; the slices are the divergence itself


VERDICTS = [
    ({"max_absolute_error": 0.0, "relative_euclidean_distance": 0.0}, "pass"),
    ({"cosine_similarity": 0.99, "relative_euclidean_distance": 0.05}, "pass"),
    ({"cosine_similarity": math.nextafter(0.99, 0), "relative_euclidean_distance": 0.01}, "fail"),
    ({"cosine_similarity": 1.0, "relative_euclidean_distance": math.nextafter(0.05, 1)}, "fail"),
    ({"max_absolute_error": TINY, "cosine_similarity": 0.0}, "pass"),
    ({"max_absolute_error": math.nextafter(TINY, 1), "cosine_similarity": 0.0}, "fail"),
    ({"nonfinite_mismatch_count": 1, "max_absolute_error": 0.0}, "fail"),
    ({"relative_euclidean_distance": math.inf, "cosine_similarity": 0.0}, "fail"),
    (
        {
            "max_absolute_error": None,
            "cosine_similarity": None,
            "relative_euclidean_distance": None,
        },
        "pass",
    ),
    ({"status": "shape_mismatch"}, ""),
    ({"status": "unmatched"}, ""),
]


@pytest.mark.parametrize(("cells", "verdict"), VERDICTS)
def test_a_row_passes_within_the_limits(cells: dict[str, Any], verdict: str) -> None:
    assert verdict_of(row("Add", 1.0, **cells), Limits()) == verdict


def test_the_limits_can_be_moved() -> None:
    far = row("Add", 0.2, cosine_similarity=0.9)
    assert verdict_of(far, Limits(cosine_min=0.9, red_max=0.2)) == "pass"


@pytest.mark.parametrize(
    "limits",
    [{"cosine_min": 1.5}, {"red_max": -1}, {"growth_max": math.nan}, {"cosine_min": math.nan}],
)
def test_a_limit_that_makes_no_sense_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(limits))):
        Limits(**limits)


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


def test_an_op_is_held_against_the_largest_error_of_all_its_ancestors() -> None:
    graph = graph_of(A=[], B=["A"], C=[], D=["B", "C"])
    reds = {"A": 0.008, "B": 0.001, "C": 0.002, "D": 0.004}
    found, first = judge_step([row(name, red) for name, red in reds.items()], graph, growth_max=20)
    assert [found[name].upstream_error for name in "ABCD"] == [0.0, 0.008, 0.0, 0.008]
    assert found["D"].error_growth == 0.5
    assert found["A"].error_growth == 0.008 / FP16
    assert first is None


def test_ops_that_were_not_compared_pass_on_what_they_got() -> None:
    graph = graph_of(A=[], Reshape=["A"], Transpose=["Reshape"], B=["Transpose"])
    rows = [row("A", 0.001), row("Reshape", None, status="unmatched"), row("B", 0.002)]
    found, _ = judge_step(rows, graph)
    assert found["B"].upstream_error == 0.001
    assert found["B"].error_growth == 2.0
    assert (found["Reshape"].upstream_error, found["Reshape"].error_growth) == (None, None)


def test_the_largest_error_of_several_outputs_counts_for_those_below() -> None:
    graph = graph_of(A=[], B=["A"])
    rows = [row("A", 0.001), row("A", 0.002, index=1), row("B", 0.002)]
    assert judge_step(rows, graph)[0]["B"].upstream_error == 0.002


def test_errors_of_inputs_do_not_count_as_upstream() -> None:
    rows = [row("A", 0.0), row("B", 0.9, io="inputs"), row("B", 0.0)]
    found, _ = judge_step(rows, graph_of(A=[], B=["A"]))
    assert found["B"].upstream_error == 0.0


@pytest.mark.parametrize("where", ["own", "golden", "input", "ancestor"])
def test_a_coarse_dtype_anywhere_above_makes_the_floor(where: str) -> None:
    bf16 = {"my_dtype": "torch.bfloat16"}
    rows = [
        row("A", 0.0, **(bf16 if where == "ancestor" else {})),
        row("B", 0.0),
        row("C", 0.0, io="inputs", **(bf16 if where == "input" else {})),
        row(
            "C",
            BF16,
            **(bf16 if where == "own" else {}),
            **({"golden_dtype": "torch.bfloat16"} if where == "golden" else {}),
        ),
    ]
    found, _ = judge_step(rows, graph_of(A=[], B=["A"], C=["B"]))
    assert found["C"].error_growth == 1.0


def test_only_outputs_in_the_graph_have_growth() -> None:
    rows = [row("A", 0.1, io="inputs"), row("Stray", 0.1), row("A", 0.1)]
    judged = judged_rows(GraphJudge(Limits()), rows, graph_of(A=[]))
    assert [r.error_growth for r in judged] == [None, None, 0.1 / FP16]


def test_without_a_graph_nothing_grows_and_nothing_diverges() -> None:
    found, first = judge_step([row("A", 9.0)], ((), {}))
    assert (found["A"].error_growth, found["A"].verdict, first) == (None, "fail", None)


def test_infinite_on_infinite_is_nothing_new() -> None:
    graph = graph_of(A=[], B=["A"])
    found, first = judge_step([row("A", math.inf), row("B", math.inf)], graph)
    assert found["A"].error_growth == math.inf
    assert found["B"].error_growth == 1.0
    assert first is not None
    assert first.op_name == "A"


def test_the_first_op_whose_error_grows_too_much_is_the_divergence() -> None:
    graph = graph_of(Data_0=[], MatMul_0=["Data_0"], Add_1=["MatMul_0"], Mul_2=["Add_1"])
    rows = [
        row("MatMul_0", 0.002),
        row("Add_1", 0.3, index=1, cosine_similarity=0.5),
        row("Mul_2", 0.4, cosine_similarity=0.5),
        row("Mul_2", 0.4, io="inputs", cosine_similarity=0.5),
    ]
    found, first = judge_step(rows, graph, growth_max=5)
    assert first == FirstDivergence(
        rank=0,
        graph="graph_1",
        token=0,
        op_name="Add_1",
        op_type="Add",
        upstream_error=0.002,
        error=0.3,
        error_growth=found["Add_1"].error_growth,
        file="/dump/Add_1",
        candidates=("Add_1",),
        later_failures=2,
        reason="growth",
    )
    assert first.error_growth == 0.3 / 0.002


def test_growth_at_the_limit_does_not_diverge() -> None:
    graph = graph_of(A=[], B=["A"])
    rows = [row("A", 0.001), row("B", 0.003)]
    assert judge_step(rows, graph, growth_max=3)[1] is None
    first = judge_step(rows, graph, growth_max=2.9)[1]
    assert first is not None
    assert first.op_name == "B"


def test_execution_order_decides_between_two_branches() -> None:
    graph = graph_of(A=[], Left=["A"], Right=["A"])
    rows = [row("A", 0.0), row("Right", 0.5), row("Left", 0.9)]
    first = judge_step(rows, graph)[1]
    assert first is not None
    assert (first.op_name, first.later_failures) == ("Right", 1)


def test_finite_inputs_turned_into_nan_diverge() -> None:
    graph = graph_of(A=[], Sqrt_1=["A"], B=["Sqrt_1"])
    rows = [
        row("A", 0.0),
        row("Sqrt_1", 0.0, io="inputs"),
        row("Sqrt_1", 0.0, nonfinite_mismatch_count=3),
        row("B", 0.0, nonfinite_mismatch_count=9),
    ]
    first = judge_step(rows, graph)[1]
    assert first is not None
    assert (first.op_name, first.reason, first.error) == ("Sqrt_1", "nonfinite", 0.0)
    assert first.later_failures == 1


def test_an_output_without_a_finite_pair_diverges() -> None:
    nothing = {"cosine_similarity": None, "nonfinite_mismatch_count": 4}
    found, first = judge_step([row("A", None, **nothing)], graph_of(A=[]))
    assert first is not None
    assert (first.reason, first.error, found["A"].error_growth) == ("nonfinite", None, None)


@pytest.mark.parametrize("io", ["inputs", "outputs"])
def test_nan_that_came_in_does_not_diverge(io: str) -> None:
    """It came from an op outside of the graph, or through one that was not compared."""
    graph = graph_of(A=[], B=["A"])
    source = row("B" if io == "inputs" else "A", 0.0, io=io, nonfinite_mismatch_count=1)
    rows = [source, row("B", 0.0, nonfinite_mismatch_count=1)]
    first = judge_step(rows, graph)[1]
    assert first is None or first.op_name == "A"


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
    first = judge_step(rows, graph)[1]
    assert first is not None
    assert first.candidates == ("B", "Cast_19", "Mul_9")


def test_several_tokens_are_judged_in_order_and_the_first_stands() -> None:
    graph = graph_of(A=[], B=["A"])
    judge = GraphJudge(Limits())
    clean = [row("A", 0.0), row("B", 0.0)]
    judge_rows(judge, clean, graph)
    assert judge.first_divergence is None
    worse = [row("A", 0.001, token_id=1), row("B", 0.2, token_id=1)]
    judge_rows(judge, worse, graph)
    worst = [row("A", 0.3, token_id=2), row("B", 0.9, token_id=2)]
    found = judge_rows(judge, worst, graph)
    first = judge.first_divergence
    assert first is not None
    assert (first.token, first.op_name, first.later_failures) == (1, "B", 2)
    assert found["B"].upstream_error == 0.3


def test_errors_of_one_token_do_not_reach_the_next() -> None:
    graph = graph_of(A=[], B=["A"])
    judge = GraphJudge(Limits())
    judge_rows(judge, [row("A", 0.001), row("B", 0.001)], graph)
    found = judge_rows(judge, [row("A", 0.0), row("B", 0.0)], graph)
    assert found["B"].upstream_error == 0.0
