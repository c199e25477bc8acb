"""A dumped graph finds its text by number and rank, and its golden graph by the nodes it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.align.graph_choice import ge_graph_files, graph_files_of, node_score
from ait_cmp.align.steps import align
from ait_cmp.discover import StepKey, discover
from trees import FX_TIME, fx_names, fx_step, ge_step, gm_name, graph_name, graph_text, write


def test_a_graph_has_the_text_of_its_number_and_rank_original_first(tmp_path: Path) -> None:
    ge_step(tmp_path)
    names = [graph_name(n, rank=r) for n in (1, 2) for r in (0, 1)]
    names += [graph_name(2, rank=1, stage="optimized"), "ge_proto_00000009_graph_1_Build.txt"]
    write(tmp_path, names)
    tree = discover(tmp_path)
    found = graph_files_of(tree, 1, "graph_2")
    assert [(file.number, file.rank, file.stage) for file in found] == [
        (2, 1, "original"),
        (2, 1, "optimized"),
    ]
    assert [Path(file.path).name for file in ge_graph_files(tree)] == names[-1:]


@pytest.mark.parametrize("graph", ["graph_2", "graph_2_0", "graph_2@device1"])
def test_variants_of_a_graph_name_have_the_same_number(tmp_path: Path, graph: str) -> None:
    ge_step(tmp_path)
    write(tmp_path, [graph_name(1), graph_name(2)])
    (file,) = graph_files_of(discover(tmp_path), 0, graph)
    assert file.number == 2


def test_the_text_of_another_rank_serves_if_there_is_none_of_this_rank(tmp_path: Path) -> None:
    ge_step(tmp_path)
    write(tmp_path, [graph_name(1, rank=0)])
    assert [file.rank for file in graph_files_of(discover(tmp_path), 5, "graph_1")] == [0]


def test_an_old_text_without_rank_serves_every_rank(tmp_path: Path) -> None:
    ge_step(tmp_path)
    write(tmp_path, [f"dynamo_original_graph_{FX_TIME}.txt"], graph_text(3))
    tree = discover(tmp_path)
    assert len(graph_files_of(tree, 4, "graph_3")) == 1
    assert graph_files_of(tree, 4, "graph_1") == []


def test_a_graph_without_number_has_every_text_as_candidate(tmp_path: Path) -> None:
    ge_step(tmp_path)
    write(tmp_path, [graph_name(1), graph_name(2)])
    found = graph_files_of(discover(tmp_path), -1, "partition0_known_sub")
    assert [file.number for file in found] == [1, 2]


def test_a_ge_graph_meets_the_fx_graph_that_has_its_nodes(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge")
    other, right = gm_name(FX_TIME), gm_name(FX_TIME + 1)
    fx_step(tmp_path / "fx", layout="old", graph=other, step=1, names=fx_names("sigmoid"))
    nodes = fx_names("mm") + fx_names("add_1")
    fx_step(tmp_path / "fx", layout="old", graph=right, step=1, names=nodes)
    golden = discover(tmp_path / "fx")
    score = node_score(golden, lambda _: frozenset({"mm", "add_1", "fused"}))
    assert score(StepKey(-1, "graph_1", 0), StepKey(-1, right, 0)) == 2 / 3
    assert score(StepKey(-1, "graph_1", 0), StepKey(-1, other, 0)) == 0
    (pair,) = align(discover(tmp_path / "ge"), golden, score=score).graphs
    assert (pair.my_graph, pair.golden_graph) == ("graph_1", right)
