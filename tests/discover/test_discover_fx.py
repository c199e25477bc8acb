"""Every layout and level of an FX dump leads to the files it holds; graph files."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.discover import StepKey, discover
from trees import (
    FX_TIME,
    fx_names,
    fx_step,
    ge_step,
    gm_name,
    graph_name,
    graph_text,
    only_note,
    rank_name,
    write,
)

# FX


def test_a_new_fx_tree_counts_steps_from_0(tmp_path: Path) -> None:
    for rank in (0, 3):
        for step in (0, 1):
            fx_step(tmp_path, rank=rank_name(rank, 4), graph="graph_2", step=step)
    tree = discover(tmp_path)
    assert tree.kind == "fx"
    assert tree.step_keys() == [StepKey(r, "graph_2", s) for r in (0, 3) for s in (0, 1)]
    assert tree.notes == []


@pytest.mark.parametrize("depth", range(4))
def test_any_level_of_a_new_fx_tree_tells_the_same(tmp_path: Path, depth: int) -> None:
    folder = fx_step(tmp_path, rank=rank_name(2), graph="graph_3", step=1)
    given = tmp_path.joinpath(*folder.relative_to(tmp_path).parts[:depth])
    assert discover(given).step_keys() == [StepKey(2, "graph_3", 1)]


@pytest.mark.parametrize("layout", ["old", "prototype"])
@pytest.mark.parametrize("depth", range(4))
def test_any_level_of_an_old_fx_tree_counts_steps_from_1(
    tmp_path: Path, layout: str, depth: int
) -> None:
    gm = gm_name(FX_TIME)
    folder = fx_step(tmp_path / "data_dump", layout=layout, graph=gm, step=2)
    given = tmp_path.joinpath(*folder.relative_to(tmp_path).parts[:depth])
    tree = discover(given)
    assert tree.step_keys() == [StepKey(-1, gm, 1)]
    assert "numbered from 1" in only_note(tree)


@pytest.mark.parametrize("layout", ["old", "prototype"])
def test_an_old_fx_tree_with_a_step_0_counts_from_0(tmp_path: Path, layout: str) -> None:
    gm = gm_name(FX_TIME)
    fx_step(tmp_path, layout=layout, graph=gm, step=0)
    one = fx_step(tmp_path, layout=layout, graph=gm, step=1)
    assert discover(tmp_path).step_keys() == [StepKey(-1, gm, 0), StepKey(-1, gm, 1)]
    assert discover(one).step_keys() == [StepKey(-1, gm, 1)]


def test_graphs_of_an_old_fx_tree_are_told_by_name_not_by_position(tmp_path: Path) -> None:
    prefill, decode = gm_name(FX_TIME), gm_name(FX_TIME + 5)
    fx_step(tmp_path, layout="old", graph=prefill, step=1)
    fx_step(tmp_path, layout="old", graph=decode, step=2)
    fx_step(tmp_path, layout="old", graph=decode, step=3)
    assert discover(tmp_path).step_keys() == [
        StepKey(-1, prefill, 0),
        StepKey(-1, decode, 1),
        StepKey(-1, decode, 2),
    ]


def test_loose_fx_files_are_one_step(tmp_path: Path) -> None:
    write(tmp_path / "mine", fx_names())
    assert discover(tmp_path / "mine").step_keys() == [StepKey(-1, "mine", 0)]


def test_fx_files_are_sorted_by_number_not_by_text(tmp_path: Path) -> None:
    stem = "cat-aten.cat.default"
    names = [f"{stem}.INPUT.0.{j}.{FX_TIME}.npy" for j in (10, 2, 0)]
    names += [f"{stem}.INPUT.{i}.{FX_TIME}.npy" for i in (10, 2)]
    names += [f"{stem}.OUTPUT.0.{FX_TIME}.npy", *fx_names("early", time=FX_TIME - 1)]
    fx_step(tmp_path, names=names)
    files = discover(tmp_path).fx[StepKey(-1, "graph_1", 0)]
    assert [(file.node, file.io, file.index, file.sub_index) for file in files] == [
        ("early", "INPUT", 0, -1),
        ("early", "INPUT", 1, -1),
        ("early", "OUTPUT", 0, -1),
        ("cat", "INPUT", 0, 0),
        ("cat", "INPUT", 0, 2),
        ("cat", "INPUT", 0, 10),
        ("cat", "INPUT", 2, -1),
        ("cat", "INPUT", 10, -1),
        ("cat", "OUTPUT", 0, -1),
    ]
    assert {file.target for file in files} == {"aten.add.Tensor", "aten.cat.default"}


def test_reduced_fx_files_stand_in_for_originals_that_are_gone(tmp_path: Path) -> None:
    stem = f"add-aten.add.Tensor.INPUT.{{}}.{FX_TIME}"
    kept = [stem.format(0) + ".npy", stem.format(1) + "_min_max.npy", stem.format(2) + "_info.npz"]
    kept += [stem.format(3) + ".npy_info.npz"]
    hidden = [stem.format(0) + "_min_max.npy", stem.format(2) + "_min_max.npy"]
    fx_step(tmp_path, names=[*kept, *hidden])
    files = discover(tmp_path).fx[StepKey(-1, "graph_1", 0)]
    assert [Path(file.path).name for file in files] == kept
    assert [file.kind for file in files] == ["dump", "min_max", "sketch", "sketch"]


def test_of_two_runs_in_one_fx_step_the_newest_call_of_a_node_is_taken(tmp_path: Path) -> None:
    names = [*fx_names("add"), *fx_names("mul"), *fx_names("add", inputs=1, time=FX_TIME + 9)]
    fx_step(tmp_path, names=names)
    tree = discover(tmp_path)
    files = tree.fx[StepKey(-1, "graph_1", 0)]
    assert [(file.node, file.timestamp) for file in files] == [
        ("mul", FX_TIME),
        ("mul", FX_TIME),
        ("mul", FX_TIME),
        ("add", FX_TIME + 9),
        ("add", FX_TIME + 9),
    ]
    assert "(several runs in one folder): 1, for example add, in steps 0;" in only_note(tree)


# Graph files


def test_old_graph_files_take_their_number_from_the_text(tmp_path: Path) -> None:
    ge_step(tmp_path)
    write(tmp_path, [f"dynamo_original_graph_{FX_TIME}.txt"], graph_text(4))
    write(tmp_path, [f"dynamo_optimized_graph_{FX_TIME}.py"])
    files = {file.format: file for file in discover(tmp_path).graph_files}
    assert (files["txt"].number, files["txt"].rank, files["txt"].pid) == (4, -1, -1)
    assert (files["txt"].stage, files["txt"].timestamp) == ("original", FX_TIME)
    assert (files["py"].number, files["py"].stage) == (-1, "optimized")


def test_of_repeated_runs_the_newest_graph_file_is_taken(tmp_path: Path) -> None:
    ge_step(tmp_path)
    names = [graph_name(1, pid=900), graph_name(1, pid=100, time=FX_TIME + 1), graph_name(2)]
    names += [graph_name(1, rank=1), graph_name(1, stage="optimized")]
    write(tmp_path, names)
    tree = discover(tmp_path)
    assert [(file.number, file.rank, file.stage, file.pid) for file in tree.graph_files] == [
        (1, 0, "optimized", 100),
        (1, 0, "original", 100),
        (1, 1, "original", 100),
        (2, 0, "original", 100),
    ]
    assert "graph_1 of rank 0 has 2 original graph files" in only_note(tree)


def test_graph_files_above_the_dump_folder_are_not_taken(tmp_path: Path) -> None:
    ge_step(tmp_path / "dump", rank=rank_name(0))
    write(tmp_path, [graph_name(1)])
    assert discover(tmp_path / "dump" / rank_name(0)).graph_files == []
    assert discover(tmp_path / "dump").graph_files == []


def test_the_last_stage_of_a_ge_graph_is_kept(tmp_path: Path) -> None:
    ge_step(tmp_path)
    stages = ["00000001_graph_1_PreRunBegin", "00000050_graph_1_Build", "00000051_graph_1_After"]
    stages += ["00000007_graph_2_PreRunBegin", "00000009_graph_2_Optimize"]
    write(tmp_path / "ge_graphs", [f"ge_proto_{stage}.txt" for stage in stages])
    files = discover(tmp_path).graph_files
    assert [Path(file.path).name for file in files] == [
        "ge_proto_00000009_graph_2_Optimize.txt",
        "ge_proto_00000050_graph_1_Build.txt",
    ]
    assert {file.stage for file in files} == {"ge_proto"}


def test_of_dumps_without_a_time_folder_the_one_with_the_newest_file_is_taken(
    tmp_path: Path,
) -> None:
    """Their names tell nothing, and the older one is the last by name."""
    fx_step(tmp_path / "first", rank=rank_name(0), names=fx_names(time=FX_TIME + 10**9))
    fx_step(tmp_path / "last", rank=rank_name(0), names=fx_names(time=FX_TIME))
    found = discover(tmp_path)
    assert {file.path for files in found.fx.values() for file in files} == {
        str(path) for path in (tmp_path / "first").rglob("*.npy")
    }
