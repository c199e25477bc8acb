"""Graph texts of many ranks: equal ones are one, and those of ranks long gone are read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ait_cmp import _core
from ait_cmp.align import graph_texts
from ait_cmp.align.graph_texts import GraphTexts
from ait_cmp.discover import discover
from ait_cmp.fx_sources import FORMAT, VERSION, file_name
from trees import ge_step, rank_name

N_RANKS = 6
TIME = "20261122113000000000"


def text_of(op: str) -> str:
    named = 'attr { key: "_fx_tensor_name" value { s: "add-aten.add.Tensor.OUTPUT.0" } }'
    return (
        f'name: "graph_1"\nop {{ name: "{op}" type: "Add" output_desc {{ name: "y" {named} }} }}\n'
    )


def write_ranks(folder: Path, *, equal: bool) -> GraphTexts:
    for rank in range(N_RANKS):
        ge_step(folder, rank=rank_name(rank, N_RANKS))
        text = text_of("Add" if equal else f"Add_{rank}")
        path = folder / f"dynamo_original_graph_1_rank_{rank}_pid_{rank}_ts_{TIME}.txt"
        path.write_text(text, encoding="utf-8")
    return GraphTexts([discover(folder)])


@pytest.fixture
def n_read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths of the texts that the core reads."""
    read: list[str] = []
    real = _core.read_graph

    def counting(path: str) -> list[_core.Graph]:
        read.append(path)
        return real(path)

    monkeypatch.setattr(graph_texts._core, "read_graph", counting)
    return read


def ops_of(texts: GraphTexts, rank: int) -> list[str]:
    context = texts.context(rank, "graph_1", ())
    assert context is not None
    return [op.name for op in context.graph.ops]


def test_equal_texts_of_ranks_are_read_once_and_shared(tmp_path: Path, n_read: list[str]) -> None:
    texts = write_ranks(tmp_path, equal=True)
    contexts = [texts.context(rank, "graph_1", ()) for rank in range(N_RANKS)]
    assert contexts[0] is not None
    assert all(context is contexts[0] for context in contexts)
    assert len(n_read) == 1
    sources = [texts.source(rank, "graph_1") for rank in range(N_RANKS)]
    assert len({source[0] for source in sources if source is not None}) == N_RANKS


def test_other_texts_are_those_of_their_rank_however_often_they_are_asked_for(
    tmp_path: Path, n_read: list[str]
) -> None:
    texts = write_ranks(tmp_path, equal=False)
    for rank in (*range(N_RANKS), *range(N_RANKS), 3, 2, 3, 2):
        assert ops_of(texts, rank) == [f"Add_{rank}"]
    assert len(n_read) == 2 * N_RANKS + 2  # 3 and 2 once more, and then both are known


def test_equal_texts_of_processes_with_other_sources_are_not_shared(tmp_path: Path) -> None:
    texts = write_ranks(tmp_path, equal=True)
    for rank in (0, 1, 2):
        node = {"module": f"layers.{min(rank, 1)}", "file": "/m.py", "line": 7}
        told = {"format": FORMAT, "version": VERSION, "nodes": {"add": node}}
        (tmp_path / file_name(rank, 0)).write_text(json.dumps(told), encoding="utf-8")
    contexts = [texts.context(rank, "graph_1", ()) for rank in range(4)]
    modules = [context.origin_of("add", ()).module for context in contexts if context is not None]
    assert modules == ["layers.0", "layers.1", "layers.1", ""]
    assert contexts[1] is contexts[2]


def test_a_text_that_is_gone_is_told_once(tmp_path: Path) -> None:
    texts = write_ranks(tmp_path, equal=False)
    assert ops_of(texts, 0) == ["Add_0"]
    for path in tmp_path.glob("*rank_0*.txt"):
        path.unlink()
    for rank in (1, 2):
        ops_of(texts, rank)
    assert texts.context(0, "graph_1", ()) is None
    assert texts.context(0, "graph_1", ()) is None
    assert texts.source(0, "graph_1") is None
    assert len(texts.notes) == 1
