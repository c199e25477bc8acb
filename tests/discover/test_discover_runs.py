"""Old FX layouts, whose folder nobody could choose: several graphs of a run, or several runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.discover import StepKey, discover
from trees import FX_TIME, fx_names, fx_step, ge_step, gm_name, write

MINUTE = 100_000_000  # one minute later, as a time stamp reads (YYYYmmddHHMMSSffffff)
SECOND = 1_000_000


def dump(root: Path, compiled: int, steps: dict[int, list[str]], layout: str = "old") -> str:
    """A graph compiled at a time; each step half a second later."""
    for step, nodes in steps.items():
        time = compiled + step * SECOND // 2
        names = [name for node in nodes for name in fx_names(node, time=time)]
        fx_step(root, layout=layout, graph=gm_name(compiled), step=step, names=names)
    return gm_name(compiled)


@pytest.mark.parametrize("layout", ["old", "prototype"])
def test_of_two_runs_of_one_graph_the_newest_is_taken(tmp_path: Path, layout: str) -> None:
    steps = {1: ["mm", "add"], 2: ["mm", "add"]}
    first = dump(tmp_path, FX_TIME, steps, layout)
    second = dump(tmp_path, FX_TIME + 5 * MINUTE, steps, layout)
    tree = discover(tmp_path)
    assert {key.graph for key in tree.fx} == {second}
    assert any("several runs in one folder" in note and first in note for note in tree.notes)


def test_of_two_runs_of_two_graphs_both_graphs_of_the_newest_are_taken(tmp_path: Path) -> None:
    prefill, decode = {1: ["mm", "add"]}, {1: ["mul", "exp"], 2: ["mul", "exp"]}
    for start in (FX_TIME, FX_TIME + 30 * MINUTE):
        newest = {
            dump(tmp_path, start, prefill),
            dump(tmp_path, start + 2 * SECOND, decode),
        }
    assert {key.graph for key in discover(tmp_path).fx} == newest


@pytest.mark.parametrize("nodes", [["mul"], ["mm", "add"]], ids=["other nodes", "same nodes"])
def test_graphs_of_one_run_stay_together(tmp_path: Path, nodes: list[str]) -> None:
    graphs = {
        dump(tmp_path, FX_TIME, {1: ["mm", "add"]}),
        dump(tmp_path, FX_TIME + 5 * SECOND, {1: nodes, 2: nodes}),
    }
    tree = discover(tmp_path)
    assert {key.graph for key in tree.fx} == graphs
    assert not any("several runs" in note for note in tree.notes)


def test_a_graph_compiled_late_that_repeats_none_stays(tmp_path: Path) -> None:
    graphs = {
        dump(tmp_path, FX_TIME, {1: ["mm", "add"]}),
        dump(tmp_path, FX_TIME + 20 * MINUTE, {1: ["mul", "exp"]}),
    }
    assert {key.graph for key in discover(tmp_path).fx} == graphs


@pytest.mark.parametrize(
    "name",
    [
        "ge_proto_00000062_Build.txt",
        "ge_proto_00056_Build.txt",
        "ge_proto_00000062_graph_1_Build.txt",
    ],
)
def test_the_final_graph_of_ge_has_two_names(tmp_path: Path, name: str) -> None:
    ge_step(tmp_path)
    early = name.replace("Build", "PreRunBegin").replace("62", "02").replace("56", "02")
    write(tmp_path, [name, early])
    tree = discover(tmp_path)
    paths = [Path(file.path).name for file in tree.graph_files if file.stage == "ge_proto"]
    assert name in paths
    assert tree.ge.keys() == {StepKey(-1, "graph_1", 0)}


def test_graphs_for_viewers_are_said_not_to_be_read(tmp_path: Path) -> None:
    ge_step(tmp_path)
    write(tmp_path, ["ge_onnx_00000062_graph_1_Build.pbtxt"])
    (note,) = discover(tmp_path).notes
    assert "ge_onnx" in note
    assert "not read" in note


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("5.6.1706596911888450", "MatMul (MatMul, task 5 of stream 6)"),
        ("5.7.1706596911888450", "Add (Add, task 5 of stream 7)"),
        ("9.6.1706596911888450", "task 9 of stream 6"),
    ],
)
def test_an_overflow_record_names_the_op_of_its_task_and_stream(
    tmp_path: Path, record: str, told: str
) -> None:
    names = ["MatMul.MatMul.5.6.1706596911888400", "Add.Add.5.7.1706596911888401"]
    ge_step(tmp_path, names=[*names, f"Opdebug.Node_OpDebug.{record}"])
    (note,) = discover(tmp_path).notes
    assert f"overflow in {told} (" in note
