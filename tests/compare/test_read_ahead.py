"""Files are read before they are asked for, near the step at hand, and nothing goes on after."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

import ait_cmp
from ait_cmp import _core
from ait_cmp.compare import read_ahead
from ait_cmp.compare.read_ahead import ReadAhead
from ait_cmp.discover import DumpTree, StepKey, discover
from small_model import write_dumps


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[DumpTree, DumpTree]:
    root = tmp_path_factory.mktemp("trees")
    write_dumps(root, tokens=9)
    return discover(root / "ge"), discover(root / "fx")


class Disk:
    """Stands for the core: says which files were read, and whether they come slowly."""

    def __init__(self, *, is_slow: bool) -> None:
        self.is_slow = is_slow
        self.read: list[str] = []

    def read_ahead(self, paths: list[str]) -> bool:
        self.read += paths
        return self.is_slow

    def steps(self) -> list[int]:
        """Steps whose files were read, each once, in order."""
        return list(dict.fromkeys(int(Path(path).parent.name) for path in self.read))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    found = Disk(is_slow=True)
    monkeypatch.setattr(read_ahead._core, "read_ahead", found.read_ahead)
    return found


def settled(disk: Disk) -> list[int]:
    """Steps that were read when nothing more happens."""
    n_before = -1
    while n_before != len(disk.read):
        n_before = len(disk.read)
        time.sleep(0.05)
    return disk.steps()


def test_a_few_steps_are_read_ahead_of_the_one_at_hand(
    trees: tuple[DumpTree, DumpTree], disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_ahead, "_FILES_AHEAD", 1)
    my, golden = trees
    key = my.step_keys()[0]
    with ReadAhead() as ahead:
        ahead.start(my, golden)
        assert settled(disk) == [0, 1, 2]
        ahead.reach(StepKey(key.rank, key.graph, 3))
        assert settled(disk) == [0, 1, 2, 3, 4, 5]
    both = [my.ge, golden.fx]
    files = [file.path for side in both for at in side for file in side[at] if at.step <= 5]
    assert sorted(disk.read) == sorted(files)


def test_where_files_come_fast_few_are_looked_at(
    trees: tuple[DumpTree, DumpTree], disk: Disk
) -> None:
    disk.is_slow = False
    with ReadAhead() as ahead:
        ahead.start(*trees)
        assert settled(disk) == [0, 2, 6]


@pytest.mark.usefixtures("disk")
def test_nothing_is_read_after_the_end(trees: tuple[DumpTree, DumpTree]) -> None:
    n_threads = threading.active_count()
    ahead = ReadAhead()
    with ahead:
        ahead.start(*trees)
    assert threading.active_count() == n_threads


def test_a_golden_dump_of_other_ranks_is_read_in_its_order(tmp_path: Path, disk: Disk) -> None:
    write_dumps(tmp_path, tokens=2, ranks=[0])
    my, golden = discover(tmp_path / "ge"), discover(tmp_path / "fx")
    other = {StepKey(7, key.graph, key.step): files for key, files in golden.fx.items()}
    golden.fx.clear()
    golden.fx.update(other)
    with ReadAhead() as ahead:
        ahead.start(my, golden)
        settled(disk)
    files = [file.path for side in (my.ge, golden.fx) for at in side for file in side[at]]
    assert sorted(disk.read) == sorted(files)


def test_a_comparison_reads_ahead(tmp_path: Path, disk: Disk) -> None:
    write_dumps(tmp_path, tokens=3)
    assert ait_cmp.compare_dirs(tmp_path / "ge", tmp_path / "fx").counts["compared"]
    assert 0 in disk.steps()


def test_the_core_reads_what_is_there(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"x" * 100_000)
    os.mkfifo(tmp_path / "pipe")
    paths = [str(tmp_path / name) for name in ("pipe", "gone", "there")]
    assert _core.read_ahead(paths) in (False, True)
    assert _core.read_ahead([]) is False
    assert _core.total_size(paths) == 100_000
    assert _core.total_size([str(there)] * 1000) == 100_000_000
    assert _core.total_size([]) == 0
