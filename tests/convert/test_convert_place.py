"""A group of info files takes the place of dump files: the order of the steps, and failures."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from ait_cmp import _core
from ait_cmp.convert import place
from ait_cmp.convert.one_file import Prepared, claim_files, prepare_file
from ait_cmp.convert.shares import Shares
from reduced_dump import ge_folder, random_values, write_ge

STEPS = ("create_files", "sync_files", "rename_files", "remove_unchanged", "close_files")


def prepared_group(root: Path, mode: int = 0o640) -> list[Prepared]:
    """Three files in two folders."""
    paths = [
        write_ge(ge_folder(root / str(number % 2)), f"Add_{number}", (), (random_values(0, 30),))
        for number in range(3)
    ]
    for path in paths:
        path.chmod(mode)
    group = []
    for path, claim in zip(paths, claim_files([str(path) for path in paths])):
        made = prepare_file(
            str(path), claim, writer="ge", kind="sketch", keep=False, force=True, settle_s=0
        )
        assert isinstance(made, Prepared)
        group.append(made)
    return group


def what_is_left(group: Sequence[Prepared]) -> list[tuple[bool, bool]]:
    """(dump file, info file) of every file; there is nothing else in the folders."""
    found = [(Path(made.path).exists(), Path(made.target).exists()) for made in group]
    folders = {Path(made.path).parent for made in group}
    assert sum(len(list(folder.iterdir())) for folder in folders) == sum(map(sum, found))
    return found


def test_dump_files_go_when_the_whole_group_and_its_folders_are_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = prepared_group(tmp_path)
    order: list[str] = []

    def noting(name: str) -> None:
        step = getattr(_core, name)

        def noted(files: list[object]) -> object:
            order.append(f"{name} {len(files)}")
            return step(files)

        monkeypatch.setattr(_core, name, noted)

    for name in STEPS:
        noting(name)
    monkeypatch.setattr(os, "fsync", lambda _: order.append("a folder"))
    outcomes = place.put_in_place(group, Shares(1))
    assert [outcome.status for outcome in outcomes] == ["converted"] * 3
    assert order == [
        "create_files 3",
        "sync_files 3",
        "rename_files 3",
        "a folder",
        "a folder",
        "remove_unchanged 3",
        "close_files 3",
        "close_files 3",
        "close_files 0",
    ]
    assert what_is_left(group) == [(False, True)] * 3


@pytest.mark.parametrize("step", ["create_files", "sync_files", "rename_files"])
def test_a_file_that_fails_keeps_its_dump_file_and_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    group = prepared_group(tmp_path)
    real = getattr(_core, step)

    def fails_once(files: list[object]) -> list[object]:
        if step == "create_files":
            return [(errno.EACCES, -1), *real(files[1:])]
        return [errno.EIO, *real(files[1:])]

    monkeypatch.setattr(_core, step, fails_once)
    outcomes = place.put_in_place(group, Shares(1))
    assert [outcome.status for outcome in outcomes] == ["left", "converted", "converted"]
    assert group[0].path in outcomes[0].reason
    assert what_is_left(group) == [(True, False), (False, True), (False, True)]


@pytest.mark.parametrize(("mode", "wanted"), [(0o640, 0o640), (0o440, 0o640), (0o400, 0o600)])
def test_an_info_file_has_the_rights_of_its_dump_file_and_can_be_written(
    tmp_path: Path, mode: int, wanted: int
) -> None:
    group = prepared_group(tmp_path, mode)
    place.put_in_place(group, Shares(1))
    assert {Path(made.target).stat().st_mode & 0o777 for made in group} == {wanted}


class NotedShares(Shares):
    """Shares that note how many were taken at a time."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.noted: list[int] = []

    def take(self, n: int) -> None:
        self.noted.append(n)
        super().take(n)


def removed_bytes(descriptor: int) -> int:
    """Bytes of a removed file, which takes its space as long as it is open."""
    try:
        status = os.fstat(descriptor)
    except OSError:
        return 0
    return 0 if status.st_nlink else status.st_size


def fill_disk(group: Sequence[Prepared], free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave `free` bytes for further files in the folders of a group."""
    create = _core.create_files
    folders = {Path(made.path).parent for made in group}

    def used() -> int:
        sizes = [path.stat().st_size for folder in folders for path in folder.iterdir()]
        return sum(sizes) + sum(removed_bytes(made.claim.descriptor) for made in group)

    capacity = used() + free

    def create_what_fits(files: list[tuple[str, int, bytes]]) -> list[tuple[int, int]]:
        made = []
        for path, mode, packed in files:
            left = capacity - used()
            ((error, descriptor),) = create([(path, mode, packed[:left])])
            made.append((errno.ENOSPC if len(packed) > left else error, descriptor))
        return made

    monkeypatch.setattr(_core, "create_files", create_what_fits)


@pytest.mark.parametrize(("too_large", "first"), [(0, "converted"), (1, "full")])
def test_files_that_do_not_fit_together_go_one_by_one_and_the_smallest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, too_large: int, first: str
) -> None:
    group = prepared_group(tmp_path)
    source_bytes = group[1].claim.identity.size_bytes + group[2].claim.identity.size_bytes
    # What the first file needs is free when both others are in place of their dump files.
    sizes = (source_bytes - 90 + too_large, 100, 90)
    group = [made._replace(packed=bytes(size)) for made, size in zip(group, sizes)]
    fill_disk(group, 100, monkeypatch)
    disk = NotedShares(4)
    outcomes = place.put_in_place(group, disk)
    assert [outcome.status for outcome in outcomes] == [first, "converted", "converted"]
    assert what_is_left(group) == [(too_large, not too_large), (False, True), (False, True)]
    # At the second try no other group is at work.
    assert disk.noted == [1, 4]
    # The locks are free again.
    claims = claim_files([group[0].path])
    assert not any(claim.is_busy for claim in claims)
    _core.close_files([claim.descriptor for claim in claims if claim.descriptor >= 0])


def test_dump_files_stay_where_the_folder_cannot_be_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = prepared_group(tmp_path)

    def fails(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    assert [outcome.status for outcome in place.put_in_place(group, Shares(1))] == ["left"] * 3
    assert what_is_left(group) == [(True, True)] * 3


def test_a_dump_file_that_changed_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    group = prepared_group(tmp_path)
    with Path(group[1].path).open("ab") as file:
        file.write(b"more")
    outcomes = place.put_in_place(group, Shares(1))
    assert [outcome.status for outcome in outcomes] == ["converted", "unfinished", "converted"]
    assert what_is_left(group) == [(False, True), (True, False), (False, True)]
    # Its lock is free again.
    (claim,) = claim_files([group[1].path])
    assert not claim.is_busy
    os.close(claim.descriptor)


@pytest.mark.parametrize(("before", "info_file"), [("sync_files", False), ("rename_files", True)])
def test_a_dump_file_that_grows_at_the_last_moment_is_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, info_file: bool
) -> None:
    group = prepared_group(tmp_path)
    step = getattr(_core, before)

    def grows(files: list[object]) -> object:
        with Path(group[1].path).open("ab") as file:
            file.write(b"more")
        return step(files)

    monkeypatch.setattr(_core, before, grows)
    outcomes = place.put_in_place(group, Shares(1))
    assert [outcome.status for outcome in outcomes] == ["converted", "unfinished", "converted"]
    assert outcomes[1].info_bytes == 0
    assert (group[1].target in outcomes[1].reason) == info_file
    assert what_is_left(group) == [(False, True), (True, info_file), (False, True)]


def test_a_dump_file_that_cannot_be_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = prepared_group(tmp_path)
    monkeypatch.setattr(_core, "remove_unchanged", lambda files: [errno.EPERM] * len(files))
    outcomes = place.put_in_place(group, Shares(1))
    assert [outcome.status for outcome in outcomes] == ["left"] * 3
    for made, outcome in zip(group, outcomes):
        assert outcome.reason.startswith(f"{made.path}: cannot be removed: ")


def test_what_is_removed_is_the_file_that_was_claimed(tmp_path: Path) -> None:
    paths = [str(tmp_path / name) for name in ("same", "grown", "replaced", "gone")]
    for path in paths:
        Path(path).write_bytes(b"some")
    claims = claim_files(paths)
    with Path(paths[1]).open("ab") as file:
        file.write(b"more")
    for path in paths[2:]:
        Path(path).unlink()
    Path(paths[2]).write_bytes(b"some")
    known = [(path, claim.identity) for path, claim in zip(paths, claims)]
    assert _core.remove_unchanged(known) == [0, errno.ESTALE, errno.ESTALE, 0]
    assert [Path(path).exists() for path in paths] == [False, True, True, False]
    _core.close_files([claim.descriptor for claim in claims])


def test_a_claimed_file_is_busy_for_others_and_a_pipe_holds_up_nobody(tmp_path: Path) -> None:
    file, pipe = tmp_path / "file", tmp_path / "pipe"
    file.write_bytes(b"")
    os.mkfifo(pipe)
    first, second, gone = claim_files([str(file), str(file), str(tmp_path / "gone")])
    assert (first.is_busy, second.is_busy, gone.error) == (False, True, errno.ENOENT)
    os.close(first.descriptor)
    (claim,) = claim_files([str(pipe)])
    os.close(claim.descriptor)
