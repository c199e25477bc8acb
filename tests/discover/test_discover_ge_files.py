"""Names of files in the folders of a GE dump."""

from __future__ import annotations

from pathlib import Path

import pytest

from ait_cmp.discover import StepKey, discover
from ait_cmp.errors import ConfigError
from trees import (
    GE_NAMES,
    TIME,
    ge_step,
    names_of,
    only_note,
    write,
)


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
