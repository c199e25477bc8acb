"""Ranks, graphs and steps of two trees meet by name and by nodes in common, never by position."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ait_cmp.align.step_match import match_steps
from ait_cmp.align.steps import Alignment, align
from ait_cmp.discover import StepKey, discover
from trees import FX_TIME, fx_names, fx_step, ge_step, gm_name, rank_name

Nodes = Mapping[str, frozenset[str]]


def score_by(my: Nodes, golden: Nodes) -> Callable[[StepKey, StepKey], float]:
    """Share of my nodes that the golden graph has, from graph names -> node names."""

    def score(my_key: StepKey, golden_key: StepKey) -> float:
        nodes = my[my_key.graph]
        return len(nodes & golden[golden_key.graph]) / len(nodes)

    return score


def nodes(*names: str) -> frozenset[str]:
    return frozenset(names)


PREFILL = nodes("mm", "mm_1", "softmax", "add")
DECODE = nodes("mul", "mul_1", "sigmoid", "cat")


def graph_pairs(found: Alignment) -> list[tuple[str, str, str]]:
    return [(pair.my_graph, pair.golden_graph, pair.rule) for pair in found.graphs]


def ge_names(*op_names: str) -> list[str]:
    return [f"Op.{name}.{i}.6.1706596911888001" for i, name in enumerate(op_names, 1)]


def test_common_ranks_meet_and_missing_ones_are_named(tmp_path: Path) -> None:
    for rank in (0, 1, 2, 3):
        ge_step(tmp_path / "ge", rank=rank_name(rank, 4))
    for rank in (1, 5):
        fx_step(tmp_path / "fx", rank=rank_name(rank, 8))
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"))
    assert [(pair.my, pair.golden) for pair in found.steps] == [
        (StepKey(1, "graph_1", 0), StepKey(1, "graph_1", 0))
    ]
    assert found.my_ranks_only == [0, 2, 3]
    assert found.golden_ranks_only == [5]
    assert any("my side only, not compared: 0, 2 to 3" in note for note in found.notes)
    assert any("golden side only, not compared: 5" in note for note in found.notes)


def test_a_side_without_rank_folders_meets_the_only_rank_of_the_other(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge")
    fx_step(tmp_path / "fx", rank=rank_name(3))
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"))
    assert [(pair.my.rank, pair.golden.rank) for pair in found.steps] == [(-1, 3)]
    assert found.notes == []


def test_a_side_without_rank_folders_meets_none_of_several_ranks(tmp_path: Path) -> None:
    for rank in (0, 1):
        ge_step(tmp_path / "ge", rank=rank_name(rank))
    fx_step(tmp_path / "fx")
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"))
    assert found.steps == []
    (note,) = found.notes
    assert "no rank folders" in note
    assert "0 to 1" in note
    one = align(discover(tmp_path / "ge", ranks=[1]), discover(tmp_path / "fx", ranks=[1]))
    assert [(pair.my.rank, pair.golden.rank) for pair in one.steps] == [(1, -1)]


def test_graphs_meet_by_name_not_by_position(tmp_path: Path) -> None:
    for graph in ("graph_2", "graph_10"):
        ge_step(tmp_path / "ge", graph=graph)
    for graph in ("graph_1", "graph_2", "graph_3", "graph_10"):
        fx_step(tmp_path / "fx", graph=graph)
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"))
    assert graph_pairs(found) == [("graph_2", "graph_2", "name"), ("graph_10", "graph_10", "name")]
    assert found.golden_graphs_only == [(-1, "graph_1"), (-1, "graph_3")]
    assert found.notes == ["Golden graphs that nothing is compared with: graph_1, graph_3."]


def test_a_model_name_with_a_suffix_meets_the_graph_of_its_number(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge", graph="graph_4_0")
    fx_step(tmp_path / "fx", graph="graph_4")
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"))
    assert graph_pairs(found) == [("graph_4_0", "graph_4", "name")]


def test_recompiled_graphs_whose_numbers_shifted_meet_by_nodes(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge", graph="graph_1")
    ge_step(tmp_path / "ge", graph="graph_2")
    for graph in ("graph_1", "graph_2", "graph_3"):
        fx_step(tmp_path / "fx", graph=graph)
    score = score_by(
        {"graph_1": PREFILL, "graph_2": DECODE},
        {"graph_1": PREFILL, "graph_2": PREFILL, "graph_3": DECODE},
    )
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_1", "graph_1", "name"), ("graph_2", "graph_3", "nodes")]
    assert any(
        note.startswith("graph_2 is compared with the golden graph_3") for note in found.notes
    )
    assert found.golden_graphs_only == [(-1, "graph_2")]


class CountingEvidence:
    """Files of which all agree with those of the graph of the same name, and half with others."""

    def __init__(self) -> None:
        self.n_asked = 0

    def shapes(self, my: StepKey, golden: StepKey) -> float | None:
        self.n_asked += 1
        return 1.0 if my.graph == golden.graph else 0.5

    values = shapes

    def same_inputs(self, my: StepKey, golden: StepKey) -> bool | None:
        return my == golden


def test_many_graphs_that_agree_with_their_namesakes_are_not_held_against_all(
    tmp_path: Path,
) -> None:
    names = [f"graph_{number}" for number in range(1, 31)]
    for graph in names:
        ge_step(tmp_path / "ge", graph=graph)
        fx_step(tmp_path / "fx", graph=graph)
    score, evidence = score_by(*[dict.fromkeys(names, PREFILL)] * 2), CountingEvidence()
    trees = discover(tmp_path / "ge"), discover(tmp_path / "fx")
    found = align(*trees, score=score, evidence=evidence)
    assert graph_pairs(found) == [(graph, graph, "name") for graph in names]
    assert evidence.n_asked == 2 * len(names)


def test_two_graphs_that_swapped_numbers_meet_crosswise(tmp_path: Path) -> None:
    for graph in ("graph_1", "graph_2"):
        ge_step(tmp_path / "ge", graph=graph)
        fx_step(tmp_path / "fx", graph=graph)
    score = score_by(
        {"graph_1": PREFILL, "graph_2": DECODE}, {"graph_1": DECODE, "graph_2": PREFILL}
    )
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_1", "graph_2", "nodes"), ("graph_2", "graph_1", "nodes")]


def test_alike_graphs_keep_their_names(tmp_path: Path) -> None:
    for graph in ("graph_1", "graph_2"):
        ge_step(tmp_path / "ge", graph=graph)
        fx_step(tmp_path / "fx", graph=graph)
    mine = dict.fromkeys(["graph_1", "graph_2"], PREFILL | {"fused"})
    score = score_by(mine, {"graph_1": PREFILL, "graph_2": PREFILL})
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_1", "graph_1", "name"), ("graph_2", "graph_2", "name")]
    assert found.notes == []


def test_old_fx_graphs_without_numbers_meet_by_nodes(tmp_path: Path) -> None:
    first, second = gm_name(FX_TIME), gm_name(FX_TIME + 1)
    ge_step(tmp_path / "ge", graph="graph_1")
    ge_step(tmp_path / "ge", graph="graph_2")
    for graph in (first, second):
        fx_step(tmp_path / "fx", layout="old", graph=graph, step=1)
    score = score_by({"graph_1": PREFILL, "graph_2": DECODE}, {first: DECODE, second: PREFILL})
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_1", second, "nodes"), ("graph_2", first, "nodes")]


def test_old_fx_graphs_without_numbers_do_not_meet_without_evidence(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge")
    fx_step(tmp_path / "fx", layout="old", graph=gm_name(FX_TIME), step=1)
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"))
    assert found.steps == []
    assert found.my_graphs_only == [(-1, "graph_1")]


def test_graphs_with_equal_nodes_are_told_by_their_steps(tmp_path: Path) -> None:
    decode, prefill = gm_name(FX_TIME), gm_name(FX_TIME + 1)
    ge_step(tmp_path / "ge", graph="graph_1", step=0)
    fx_step(tmp_path / "fx", layout="old", graph=prefill, step=1)
    for step in (0, 1, 2):
        ge_step(tmp_path / "ge", graph="graph_2", step=step)
        fx_step(tmp_path / "fx", layout="old", graph=decode, step=step + 1)
    score = score_by(
        dict.fromkeys(["graph_1", "graph_2"], PREFILL), {decode: PREFILL, prefill: PREFILL}
    )
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_1", prefill, "nodes"), ("graph_2", decode, "nodes")]


def test_graphs_that_nothing_tells_apart_meet_in_order_of_compilation(tmp_path: Path) -> None:
    gms = [gm_name(FX_TIME + i) for i in range(2)]
    for graph in ("graph_9", "graph_10"):
        ge_step(tmp_path / "ge", graph=graph)
    for gm in gms:
        fx_step(tmp_path / "fx", layout="old", graph=gm, step=1)
    score = score_by(dict.fromkeys(["graph_9", "graph_10"], PREFILL), dict.fromkeys(gms, PREFILL))
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_9", gms[0], "nodes"), ("graph_10", gms[1], "nodes")]
    assert all("order of compilation" in note for note in found.notes)


def test_graphs_that_nothing_tells_apart_do_not_meet_if_their_counts_differ(tmp_path: Path) -> None:
    gm = gm_name(FX_TIME)
    for graph in ("graph_1", "graph_2"):
        ge_step(tmp_path / "ge", graph=graph)
    fx_step(tmp_path / "fx", layout="old", graph=gm, step=1)
    score = score_by(dict.fromkeys(["graph_1", "graph_2"], PREFILL), {gm: PREFILL})
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert found.steps == []
    assert found.my_graphs_only == [(-1, "graph_1"), (-1, "graph_2")]
    assert any("one of several alike" in note for note in found.notes)


def test_another_model_does_not_meet_by_its_graph_name(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge")
    fx_step(tmp_path / "fx")
    score = score_by({"graph_1": PREFILL}, {"graph_1": DECODE})
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert found.steps == []
    assert "graph_1 is not compared: at most 0% of its nodes exist" in found.notes[0]


def test_one_name_with_few_common_nodes_is_compared_and_noted(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge")
    fx_step(tmp_path / "fx")
    score = score_by({"graph_1": PREFILL}, {"graph_1": nodes("mm")})
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_1", "graph_1", "name")]
    (note,) = found.notes
    assert note.startswith("graph_1: only 25% of its nodes exist in the golden graph_1: ")


def test_a_model_cut_out_of_a_graph_meets_the_golden_graph_of_the_whole(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge", graph="graph_1", names=ge_names("MatMul", "Add"))
    ge_step(tmp_path / "ge", graph="partition0_known_sub", names=ge_names("Mul", "Sigmoid"))
    fx_step(tmp_path / "fx")
    score = score_by(
        {"graph_1": PREFILL, "partition0_known_sub": DECODE}, {"graph_1": PREFILL | DECODE}
    )
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [
        ("partition0_known_sub", "graph_1", "part"),
        ("graph_1", "graph_1", "name"),
    ]


def test_a_second_version_of_a_graph_does_not_meet_the_golden_one_again(tmp_path: Path) -> None:
    for graph in ("graph_1", "graph_2"):
        ge_step(tmp_path / "ge", graph=graph, names=ge_names("MatMul", "Add"))
    fx_step(tmp_path / "fx")
    score = score_by(dict.fromkeys(["graph_1", "graph_2"], PREFILL), {"graph_1": PREFILL})
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"), score=score)
    assert graph_pairs(found) == [("graph_1", "graph_1", "name")]
    assert found.my_graphs_only == [(-1, "graph_2")]


def test_two_ge_dumps_are_told_by_their_operator_names(tmp_path: Path) -> None:
    ge_step(tmp_path / "a", graph="graph_1", names=ge_names("MatMul", "Add", "AddMul"))
    ge_step(tmp_path / "b", graph="graph_2", names=ge_names("MatMul", "Add", "Mul"))
    found = align(discover(tmp_path / "a"), discover(tmp_path / "b"))
    assert graph_pairs(found) == [("graph_1", "graph_2", "nodes")]
    assert found.graphs[0].score == 2 / 3


def test_devices_below_a_rank_meet_their_namesakes(tmp_path: Path) -> None:
    for side in ("a", "b"):
        for device in (0, 1):
            ge_step(tmp_path / side, rank=rank_name(0), device=device)
    found = align(discover(tmp_path / "a"), discover(tmp_path / "b"))
    assert graph_pairs(found) == [
        ("graph_1", "graph_1", "name"),
        ("graph_1@device1", "graph_1@device1", "name"),
    ]


def test_steps_of_one_side_only_are_noted(tmp_path: Path) -> None:
    for step in (1, 7):
        ge_step(tmp_path / "ge", rank=rank_name(0), step=step)
    for step in range(6):
        fx_step(tmp_path / "fx", rank=rank_name(0), step=step, names=fx_names())
    found = align(discover(tmp_path / "ge"), discover(tmp_path / "fx"))
    assert [(pair.my.step, pair.golden.step) for pair in found.steps] == [(1, 1)]
    assert [key.step for key in found.my_steps_only] == [7]
    assert [key.step for key in found.golden_steps_only] == [0, 2, 3, 4, 5]
    assert found.notes == [
        "rank 0, graph_1: steps on the my side only, not compared: 7.",
        "rank 0, graph_1: steps on the golden side only, not compared: 0, 2 to 5.",
    ]


@pytest.mark.parametrize("telling", [0, 9])
def test_of_many_steps_the_first_and_the_last_are_looked_at(telling: int) -> None:
    """Only one of my steps was given values that tell which golden step it meets."""

    def agree(step: int, other: int) -> bool | None:
        return other == step + 1 if step == telling else None

    found = match_steps(range(10), range(11), agree, None)
    assert found.golden_of == {step: step + 1 for step in range(10)}
