"""What of either side was asked and could not be read: a row or a line of the summary, exit 1."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import small_model
from ait_cmp import compare_dirs
from ait_cmp.report.summary import summary_lines
from trees import restored

FILES = [
    ("fx", "mul*INPUT.1*"),
    ("fx", "mul*OUTPUT*"),
    ("fx", "abs*INPUT.0*"),
    ("ge", "Mul.*"),
    ("ge", "Abs.*"),
]


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:60])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_values(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def leads_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere/at/all")


def leads_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def is_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dumps of two tokens; what a test changes in them it restores."""
    root = tmp_path_factory.mktemp("dumps")
    small_model.write_dumps(root, tokens=2)
    return root


@pytest.mark.parametrize(("side", "pattern"), FILES)
@pytest.mark.parametrize(
    "change", [cut, empty, cut_values, leads_nowhere, leads_to_itself, is_a_pipe]
)
def test_a_file_that_cannot_be_read_is_counted_and_named(
    dumps: Path, side: str, pattern: str, change: Callable[[Path], None]
) -> None:
    with restored(min((dumps / side).rglob(pattern))) as file:
        change(file)
        found = compare_dirs(dumps / "ge", dumps / "fx")
    assert found.has_differences
    assert found.counts["unreadable"] or found.unread
    said = "\n".join(summary_lines(found))
    assert "NOT READ" in said or "NOT COMPARED" in said
    if change is not cut_values:
        assert str(file) in said
    assert "[Errno" not in said


@pytest.mark.parametrize("side", ["ge", "fx"])
def test_a_folder_that_cannot_be_read_is_named(
    dumps: Path, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    locked = str(min((dumps / side).rglob("graph_1/1/1" if side == "ge" else "graph_1/1")))
    list_folder = os.scandir

    def refuse(path: str) -> object:
        if path == locked:
            raise PermissionError(13, "Permission denied", path)
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    found = compare_dirs(dumps / "ge", dumps / "fx")
    assert found.has_differences
    name = "my" if side == "ge" else "golden"
    assert found.unread == [f"{name}: {locked}: this folder could not be read (Permission denied)."]
    assert f"NOT READ: {found.unread[0]}" in list(summary_lines(found))


def test_a_graph_text_that_cannot_be_read_beside_another_is_named(tmp_path: Path) -> None:
    small_model.write_dumps(tmp_path, tokens=1)
    (tmp_path / "ge" / "ge_proto_00000062_graph_1_Build.txt").symlink_to("/nowhere/at/all")
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    assert found.counts["compared"]
    (said,) = found.unread
    assert "ge_proto_00000062_graph_1_Build.txt: No such file" in said
    assert found.has_differences


def test_a_pipe_of_another_name_is_a_note_alone(tmp_path: Path) -> None:
    small_model.write_dumps(tmp_path, tokens=1)
    os.mkfifo(min((tmp_path / "ge").rglob("graph_1/1/0")) / "control")
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx")
    assert not found.unread
    assert not found.has_differences
