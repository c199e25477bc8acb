"""What is asked for, what cannot be used, and what a file system can hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ait_cmp.discover import StepKey, discover
from ait_cmp.errors import ConfigError
from trees import (
    GE_NAMES,
    TIME,
    fx_step,
    ge_step,
    names_of,
    only_note,
    rank_name,
)

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


def test_a_folder_with_the_name_of_a_dump_is_told(tmp_path: Path) -> None:
    (ge_step(tmp_path) / "Add.Add_9.9.6.1706596911888009").mkdir()
    assert only_note(discover(tmp_path)).startswith("Folders with the name of a dump file")


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
