"""Every layout, level and rank of a GE dump leads to the files it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.discover import StepKey, discover
from trees import (
    GE_NAMES,
    TIME,
    fx_names,
    fx_step,
    ge_step,
    graph_name,
    names_of,
    only_note,
    rank_name,
    write,
)

OLDER = "20261122080000"


# GE: levels


def test_a_ge_tree_with_rank_folders_gives_ranks_graphs_and_steps(tmp_path: Path) -> None:
    for rank in (0, 1):
        for graph in ("graph_1", "graph_2"):
            for step in (0, 1, 10):
                ge_step(tmp_path, rank=rank_name(rank), graph=graph, step=step)
    tree = discover(tmp_path)
    assert tree.kind == "ge"
    assert tree.root == str(tmp_path)
    expected = [
        StepKey(r, g, s) for r in (0, 1) for g in ("graph_1", "graph_2") for s in (0, 1, 10)
    ]
    assert tree.step_keys() == expected
    assert names_of(tree, StepKey(1, "graph_2", 10)) == list(GE_NAMES)
    assert tree.notes == []


def test_a_ge_tree_without_rank_folders_has_rank_minus_1(tmp_path: Path) -> None:
    ge_step(tmp_path, step=3)
    assert discover(tmp_path).step_keys() == [StepKey(-1, "graph_1", 3)]


@pytest.mark.parametrize("depth", range(7))
def test_any_level_of_a_ge_tree_tells_the_same_rank_graph_and_step(
    tmp_path: Path, depth: int
) -> None:
    dump = tmp_path / "dump"
    folder = ge_step(dump, rank=rank_name(5), graph="graph_7", step=4)
    write(dump, [graph_name(7, rank=5)])
    given = [*reversed([dump, *folder.relative_to(dump).parents]), folder]
    levels = [dump.joinpath(*folder.relative_to(dump).parts[:n]) for n in range(7)]
    assert len(given) >= len(levels)
    tree = discover(levels[depth])
    assert tree.step_keys() == [StepKey(5, "graph_7", 4)]
    assert [(file.number, file.rank) for file in tree.graph_files] == [(7, 5)]


def test_a_missing_step_level_is_step_0(tmp_path: Path) -> None:
    ge_step(tmp_path, model_id=11, step=None)
    assert discover(tmp_path).step_keys() == [StepKey(-1, "graph_1", 0)]


def test_a_missing_device_level_does_not_shift_the_others(tmp_path: Path) -> None:
    write(tmp_path / TIME / "graph_3" / "1" / "2", GE_NAMES)
    assert discover(tmp_path).step_keys() == [StepKey(-1, "graph_3", 2)]


def test_a_model_whose_name_is_a_number_is_told_by_its_position(tmp_path: Path) -> None:
    ge_step(tmp_path, graph="77", model_id=5, step=6)
    ge_step(tmp_path / "b", graph="78", model_id=5, step=None)
    assert discover(tmp_path / TIME).step_keys() == [StepKey(-1, "77", 6)]
    assert discover(tmp_path / "b").step_keys() == [StepKey(-1, "78", 0)]


def test_the_time_folder_of_early_versions_is_understood(tmp_path: Path) -> None:
    ge_step(tmp_path, time="dump_20241114_113410", graph="graph_1_0", step=4)
    assert discover(tmp_path).step_keys() == [StepKey(-1, "graph_1_0", 4)]


def test_a_step_folder_copied_alone_keeps_its_number(tmp_path: Path) -> None:
    write(tmp_path / "copy" / "9", GE_NAMES)
    assert discover(tmp_path / "copy" / "9").step_keys() == [StepKey(-1, "copy", 9)]


def test_files_in_a_folder_of_any_name_are_one_step(tmp_path: Path) -> None:
    write(tmp_path / "copied", GE_NAMES)
    assert discover(tmp_path / "copied").step_keys() == [StepKey(-1, "copied", 0)]


# GE: which run


def test_the_newest_time_folder_of_a_graph_is_taken_and_the_other_named(tmp_path: Path) -> None:
    ge_step(tmp_path, rank=rank_name(0), time=OLDER, step=5)
    ge_step(tmp_path, rank=rank_name(0), time=TIME, step=0)
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(0, "graph_1", 0)]
    note = only_note(tree)
    assert note.index(TIME) < note.index(OLDER)
    assert note.startswith("rank 0, graph_1: several runs; the newest, ")


def test_a_graph_that_only_an_older_time_folder_holds_is_kept(tmp_path: Path) -> None:
    ge_step(tmp_path, time=OLDER, graph="graph_1")
    ge_step(tmp_path, time=TIME, graph="graph_2")
    tree = discover(tmp_path)
    assert [key.graph for key in tree.step_keys()] == ["graph_1", "graph_2"]
    assert tree.notes == []


def test_an_older_time_folder_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    ge_step(tmp_path, time=OLDER, step=5)
    ge_step(tmp_path, time=TIME, step=0)
    assert discover(tmp_path / OLDER).step_keys() == [StepKey(-1, "graph_1", 5)]


def test_the_highest_model_id_of_a_graph_is_taken(tmp_path: Path) -> None:
    ge_step(tmp_path, model_id=9)
    newer = ge_step(tmp_path, model_id=10)
    tree = discover(tmp_path)
    assert {Path(file.path).parent for file in tree.ge[StepKey(-1, "graph_1", 0)]} == {newer}
    assert "10, the last one loaded, is taken, 9 left out" in only_note(tree)


def test_a_model_id_of_an_older_time_folder_does_not_count(tmp_path: Path) -> None:
    ge_step(tmp_path, time=OLDER, model_id=9)
    newer = ge_step(tmp_path, time=TIME, model_id=2)
    tree = discover(tmp_path)
    assert {Path(file.path).parent for file in tree.ge[StepKey(-1, "graph_1", 0)]} == {newer}
    assert "several runs" in only_note(tree)


def test_of_several_dump_folders_every_rank_takes_its_newest(tmp_path: Path) -> None:
    ge_step(tmp_path / "dump_1", rank=rank_name(0), time="20261122080000")
    ge_step(tmp_path / "dump_1", rank=rank_name(0), time="20261122080000", graph="graph_2")
    ge_step(tmp_path / "dump_2", rank=rank_name(0), time="20261122090000")
    ge_step(tmp_path / "dump_3", rank=rank_name(1), time="20261122090001")
    for dump in ("dump_1", "dump_2", "dump_3"):
        write(tmp_path / dump, [graph_name(1, pid=int(dump[-1]))])
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(0, "graph_1", 0), StepKey(1, "graph_1", 0)]
    assert all("/dump_1/" not in file.path for file in tree.graph_files)
    assert any("several dump folders" in note and "dump_1 left out" in note for note in tree.notes)


@pytest.mark.parametrize("time", [OLDER, TIME], ids=["older", "as old"])
def test_a_dump_without_ranks_does_not_mix_with_one_that_has_them(
    tmp_path: Path, time: str
) -> None:
    ge_step(tmp_path, time=time)
    ge_step(tmp_path, rank=rank_name(0), time=TIME)
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(0, "graph_1", 0)]
    assert "with and without rank folders" in only_note(tree)


def test_devices_without_rank_folders_are_ranks(tmp_path: Path) -> None:
    ge_step(tmp_path, device=0)
    ge_step(tmp_path, time="20261122113001", device=1)
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(0, "graph_1", 0), StepKey(1, "graph_1", 0)]
    assert "the device number is taken for the rank" in only_note(tree)


def test_devices_below_one_rank_folder_stay_apart(tmp_path: Path) -> None:
    for device in (2, 3):
        ge_step(tmp_path, rank=rank_name(0), device=device)
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(0, "graph_1", 0), StepKey(0, "graph_1@device3", 0)]
    assert "graph@device" in only_note(tree)


def test_a_second_folder_beside_the_data_is_no_second_device(tmp_path: Path) -> None:
    ge_step(tmp_path, rank=rank_name(0), step=0)
    write(tmp_path / rank_name(0) / "log", ["plog.txt"])
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(0, "graph_1", 0)]
    assert tree.notes == []


@pytest.mark.parametrize(
    "stray", ["core.python.1234.1706596912", *fx_names("mul")[:1], "Add.Add.1.6.1706596911888003"]
)
def test_files_outside_of_the_step_folders_are_ignored(tmp_path: Path, stray: str) -> None:
    ge_step(tmp_path / "ge", rank=rank_name(0))
    fx_step(tmp_path / "fx", rank=rank_name(0))
    for side in ("ge", "fx"):
        write(tmp_path / side, [stray])
        tree = discover(tmp_path / side)
        assert tree.kind == side
        assert tree.step_keys() == [StepKey(0, "graph_1", 0)]
        assert "Files outside of the step folders are ignored" in only_note(tree)


def test_one_sentence_tells_what_was_left_out_of_many_graphs(tmp_path: Path) -> None:
    for graph in ("graph_1", "graph_2"):
        for time in (OLDER, TIME):
            ge_step(tmp_path, time=time, graph=graph)
    assert only_note(discover(tmp_path)).startswith("graph_1, graph_2: several runs; the newest, ")
