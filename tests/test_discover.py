"""Every layout, level, rank and naming case of a dump folder leads to the files it holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ait_cmp.discover import DumpTree, StepKey, discover
from ait_cmp.errors import ConfigError
from trees import (
    FX_TIME,
    GE_NAMES,
    TIME,
    fx_names,
    fx_step,
    ge_step,
    gm_name,
    graph_name,
    graph_text,
    rank_name,
    write,
)

OLDER = "20261122080000"


def only_note(tree: DumpTree) -> str:
    assert len(tree.notes) == 1, tree.notes
    return tree.notes[0]


def names_of(tree: DumpTree, key: StepKey) -> list[str]:
    files = tree.ge[key] if tree.kind == "ge" else tree.fx[key]
    return [Path(file.path).name for file in files]


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


def test_a_dump_without_ranks_does_not_mix_with_one_that_has_them(tmp_path: Path) -> None:
    ge_step(tmp_path, time=OLDER)
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


# GE: file names


@pytest.mark.parametrize(
    ("name", "op_type", "op_name", "numbers"),
    [
        ("Add.Add_2.44.6.1706596912161941", "Add", "Add_2", (44, 6, 1706596912161941, -1, -1)),
        ("Add.Add_2.44.1706596912161941", "Add", "Add_2", (44, -1, 1706596912161941, -1, -1)),
        (
            "Conv2D.x_lxslice0.2.9.1670205071724946.4.487.3.0",
            "Conv2D",
            "x_lxslice0",
            (2, 9, 1670205071724946, 487, 3),
        ),
        (
            "MatMul.model.layers.0.attn.18.2.1734070081497686",
            "MatMul",
            "model.layers.0.attn",
            (18, 2, 1734070081497686, -1, -1),
        ),
        (
            "MatMul.layers.0.18.2.1734070081497686",
            "MatMul",
            "layers.0",
            (18, 2, 1734070081497686, -1, -1),
        ),
    ],
)
def test_a_ge_name_is_read_from_both_ends(
    tmp_path: Path, name: str, op_type: str, op_name: str, numbers: tuple[int, ...]
) -> None:
    ge_step(tmp_path, names=[name])
    (file,) = discover(tmp_path).ge[StepKey(-1, "graph_1", 0)]
    assert (file.op_type, file.op_name, file.kind) == (op_type, op_name, "dump")
    assert (
        file.task_id,
        file.stream_id,
        file.timestamp,
        file.context_id,
        file.thread_id,
    ) == numbers


def test_ge_files_are_sorted_by_time_then_name(tmp_path: Path) -> None:
    names = [
        "B.b.9.6.1706596912161941",
        "A.a.10.6.1706596912161941",
        "Z.z.1.6.1706596912161940",
        "A.a.2.6.1706596912161999",
    ]
    ge_step(tmp_path, names=names)
    found = names_of(discover(tmp_path), StepKey(-1, "graph_1", 0))
    assert found == [names[2], names[1], names[0], names[3]]


def test_a_hash_name_is_read_through_the_mapping(tmp_path: Path) -> None:
    folder = ge_step(tmp_path, names=["11400714819323198485", "123456789", *GE_NAMES])
    line = "11400714819323198485,Mul.Mul_1,2.7.6.1706596911888099\n"
    (folder / "mapping.csv").write_text(line * 2)
    tree = discover(tmp_path)
    by_name = {Path(file.path).name: file for file in tree.ge[StepKey(-1, "graph_1", 0)]}
    mapped = by_name["11400714819323198485"]
    assert (mapped.op_type, mapped.op_name, mapped.task_id) == ("Mul", "Mul_1,2", 7)
    assert by_name["123456789"].op_name == ""
    assert "mapping.csv" not in by_name
    assert tree.notes == []


def test_a_mapped_name_need_not_be_a_number(tmp_path: Path) -> None:
    folder = ge_step(tmp_path, names=["0f8fad5bd9cb469fa16570867728950e.x"])
    (folder / "mapping.csv").write_text(
        "0f8fad5bd9cb469fa16570867728950e.x,Add.Add.3.6.1706596911888003\n"
    )
    (file,) = discover(tmp_path).ge[StepKey(-1, "graph_1", 0)]
    assert file.op_name == "Add"


def test_a_hash_name_alone_counts_if_its_bytes_begin_like_a_dump(tmp_path: Path) -> None:
    header = b"\x0a\x032.0\x32\x03Add"
    dump = len(header).to_bytes(8, "little") + header
    write(tmp_path / TIME / "0" / "graph_1" / "1" / "0", ["11400714819323198485"], dump)
    tree = discover(tmp_path)
    assert names_of(tree, StepKey(-1, "graph_1", 0)) == ["11400714819323198485"]
    write(tmp_path / "numbers", ["11400714819323198486"], b"no dump at all")
    with pytest.raises(ConfigError, match="no dump found"):
        discover(tmp_path / "numbers")


def test_statistics_and_reduced_files_are_recognised(tmp_path: Path) -> None:
    names = [
        "A.a.1.6.1706596912161941.csv",
        "B.b.2.6.1706596912161942_min_max.npz",
        "C.c.3.6.1706596912161943_info.npz",
        "D.d.4.6.1706596912161944.4.487.0.0.csv",
        "E.e.5.6.1706596912161945.4.487.0.0_info.npz",
    ]
    ge_step(tmp_path, names=names)
    files = discover(tmp_path).ge[StepKey(-1, "graph_1", 0)]
    assert [(file.op_name, file.kind) for file in files] == [
        ("a", "stats"),
        ("b", "min_max"),
        ("c", "sketch"),
        ("d", "stats"),
        ("e", "sketch"),
    ]


def test_the_original_is_preferred_to_what_was_made_of_it(tmp_path: Path) -> None:
    add = "Add.Add.3.6.1706596911888003"
    mul = "Mul.Mul.4.6.1706596911888004"
    hashed = "11400714819323198485"
    names = [add, f"{add}_info.npz", f"{add}_min_max.npz", f"{add}.csv"]
    names += [f"{mul}_min_max.npz", f"{mul}_info.npz", hashed, f"{hashed}_info.npz"]
    ge_step(tmp_path, names=names)
    found = names_of(discover(tmp_path), StepKey(-1, "graph_1", 0))
    assert found == [hashed, add, f"{mul}_info.npz"]


def test_files_of_other_tools_are_counted_and_left_out(tmp_path: Path) -> None:
    add = "Add.Add.3.6.1706596911888003"
    foreign = [
        f"{add}.input.0.npy",
        f"{add}.output.0.1x2.fp16.ND.bin",
        f"{add}.output.0.json",
        "notes.txt",
    ]
    ge_step(tmp_path, names=[add, *foreign, "exception_info.3.12.1706596912161941"])
    tree = discover(tmp_path)
    assert names_of(tree, StepKey(-1, "graph_1", 0)) == [add]
    assert any(note.startswith("Files that are no dumps are ignored: 4 (") for note in tree.notes)
    assert any(
        note == "Exception dumps (exception_info.*) are not compared: 1." for note in tree.notes
    )


def test_overflow_records_are_reported_and_not_compared(tmp_path: Path) -> None:
    ge_step(tmp_path, names=[*GE_NAMES, "Opdebug.Node_OpDebug.21.6.1706596912161941"])
    tree = discover(tmp_path)
    assert names_of(tree, StepKey(-1, "graph_1", 0)) == list(GE_NAMES)
    (record,) = tree.overflow_files
    assert (record.task_id, record.stream_id, record.timestamp) == (21, 6, 1706596912161941)
    assert "overflow in task 21 of stream 6" in only_note(tree)


def test_exception_dumps_of_the_usual_name_are_left_out(tmp_path: Path) -> None:
    ge_step(tmp_path)
    write(tmp_path / "extra-info" / "data-dump" / "0", GE_NAMES)
    assert discover(tmp_path).step_keys() == [StepKey(-1, "graph_1", 0)]


@pytest.mark.parametrize("n_files", [0, 1])
def test_a_step_folder_without_dumps_is_noted(tmp_path: Path, n_files: int) -> None:
    ge_step(tmp_path, step=0)
    empty = ge_step(tmp_path, step=1, names=["mapping.csv"][:n_files])
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(-1, "graph_1", 0)]
    assert str(empty) in only_note(tree)


def test_several_files_of_one_op_are_all_kept(tmp_path: Path) -> None:
    names = ["Data.arg0_1.1.6.1706596911888001", "Data.arg0_1.2.6.1706596911888002"]
    ge_step(tmp_path, names=names)
    assert names_of(discover(tmp_path), StepKey(-1, "graph_1", 0)) == names


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


# Filters and errors


def test_ranks_and_tokens_are_filtered_and_missing_ones_named(tmp_path: Path) -> None:
    for rank in (0, 1):
        for step in (0, 1):
            ge_step(tmp_path, rank=rank_name(rank), step=step)
    tree = discover(tmp_path, ranks=[1, 7], tokens=[1, 9])
    assert tree.step_keys() == [StepKey(1, "graph_1", 1)]
    assert any("no rank 7 in this dump; it has 0 to 1" in note for note in tree.notes)
    assert any("no step 9 in this dump; it has 0 to 1" in note for note in tree.notes)


def test_a_tree_without_ranks_is_kept_for_any_rank_asked_for(tmp_path: Path) -> None:
    fx_step(tmp_path)
    tree = discover(tmp_path, ranks=[3])
    assert tree.step_keys() == [StepKey(-1, "graph_1", 0)]
    assert "no rank folders" in only_note(tree)


def test_a_folder_with_both_kinds_is_refused_and_both_are_named(tmp_path: Path) -> None:
    ge_step(tmp_path / "ge", rank=rank_name(0))
    fx_step(tmp_path / "fx", rank=rank_name(0))
    with pytest.raises(ConfigError, match=r"holds GE and FX dumps") as error:
        discover(tmp_path)
    assert str(tmp_path / "ge") in str(error.value)
    assert str(tmp_path / "fx") in str(error.value)


def test_both_kinds_dumped_into_one_folder_can_be_taken_one_by_one(tmp_path: Path) -> None:
    ge_step(tmp_path, rank=rank_name(0), step=2)
    fx_step(tmp_path, rank=rank_name(0), step=3)
    with pytest.raises(ConfigError) as error:
        discover(tmp_path)
    assert str(tmp_path / rank_name(0) / "graph_1") in str(error.value)
    assert str(tmp_path / rank_name(0) / TIME / "0") in str(error.value)
    assert discover(tmp_path, kind="ge").step_keys() == [StepKey(0, "graph_1", 2)]
    assert discover(tmp_path, kind="fx").step_keys() == [StepKey(0, "graph_1", 3)]


def test_a_missing_folder_a_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such folder"):
        discover(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="this is a file"):
        discover(tmp_path / "file")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no dump found; looked for GE .* and FX .* no files"):
        discover(tmp_path / "empty")


# The file system


def test_links_to_folders_are_followed_once_and_loops_end(tmp_path: Path) -> None:
    folder = ge_step(tmp_path / "dump", rank=rank_name(0))
    (folder / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "dump" / "again").symlink_to(tmp_path / "dump" / rank_name(0))
    (folder / "self").symlink_to(folder)
    fx_step(tmp_path / "beside")
    tree = discover(tmp_path / "dump")
    assert tree.step_keys() == [StepKey(0, "graph_1", 0)]
    assert names_of(tree, StepKey(0, "graph_1", 0)) == list(GE_NAMES)


def test_a_link_to_a_step_is_told_by_its_target(tmp_path: Path) -> None:
    folder = ge_step(tmp_path / "dump", rank=rank_name(1), step=6)
    (tmp_path / "latest").symlink_to(folder)
    tree = discover(tmp_path / "latest")
    assert tree.step_keys() == [StepKey(1, "graph_1", 6)]
    assert tree.ge[StepKey(1, "graph_1", 6)][0].path.startswith(str(tmp_path / "latest") + "/")


def test_a_rank_folder_that_is_a_link_to_another_disk_is_searched(tmp_path: Path) -> None:
    ge_step(tmp_path / "disk" / "x")
    (tmp_path / "dump").mkdir()
    (tmp_path / "dump" / rank_name(4)).symlink_to(tmp_path / "disk" / "x")
    assert discover(tmp_path / "dump").step_keys() == [StepKey(4, "graph_1", 0)]


def test_names_that_are_no_utf8_do_not_stop_the_search(tmp_path: Path) -> None:
    folder = ge_step(tmp_path)
    for name in (b"Add.\xff\xfe.3.6.1706596911888009", b"\xff\xff.tmp", b"\xb2"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).touch()
    tree = discover(tmp_path)
    names = names_of(tree, StepKey(-1, "graph_1", 0))
    assert [os.fsencode(name) for name in names][-1] == b"Add.\xff\xfe.3.6.1706596911888009"
    "\n".join(tree.notes).encode("utf-8")


@pytest.mark.parametrize("through_link", [False, True])
def test_a_pipe_with_the_name_of_a_dump_is_told_and_not_opened(
    tmp_path: Path, through_link: bool
) -> None:
    named = ge_step(tmp_path / "dump") / "Add.Add.9.6.1706596911888009"
    pipe = tmp_path / "pipe" if through_link else named
    os.mkfifo(pipe)
    if through_link:
        named.symlink_to(pipe)
    tree = discover(tmp_path / "dump")
    assert names_of(tree, StepKey(-1, "graph_1", 0)) == list(GE_NAMES)
    assert only_note(tree).startswith(f"{named}: neither a file nor a folder")


def test_hidden_folders_are_left_out(tmp_path: Path) -> None:
    ge_step(tmp_path)
    ge_step(tmp_path / ".snapshot", time="20991231000000")
    tree = discover(tmp_path)
    assert tree.notes == []
    assert all(".snapshot" not in file.path for file in tree.ge[StepKey(-1, "graph_1", 0)])


def test_a_relative_path_with_dots_gives_absolute_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ge_step(tmp_path, rank=rank_name(0), graph="graph_2", step=3)
    monkeypatch.chdir(folder)
    tree = discover(".")
    assert tree.step_keys() == [StepKey(0, "graph_2", 3)]
    assert discover("../../").step_keys() == tree.step_keys()
    assert tree.ge[StepKey(0, "graph_2", 3)][0].path == str(folder / GE_NAMES[0])


def test_a_folder_that_cannot_be_read_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ge_step(tmp_path, step=0)
    locked = str(ge_step(tmp_path, step=1))
    list_folder = os.scandir

    def refuse(path: str) -> object:
        if path == locked:
            raise PermissionError(13, "Permission denied", path)
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    tree = discover(tmp_path)
    assert tree.step_keys() == [StepKey(-1, "graph_1", 0)]
    assert only_note(tree) == f"{locked}: this folder could not be read (Permission denied)."
