"""Opening files: what is refused, and what happens to a file that changes."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ait_cmp import _core
from ait_cmp.errors import FormatError
from make_dump import Dump, good_dump, tensor_of

ACCESSES = ["auto", "map", "read"]


def test_a_missing_file_is_the_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        _core.read_ge(tmp_path / "absent")
    assert (caught.value.errno, caught.value.filename) == (errno.ENOENT, str(tmp_path / "absent"))


def test_a_name_that_is_no_utf8_is_opened_and_reported(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff"
    with pytest.raises(FileNotFoundError) as caught:
        _core.read_ge(path)
    assert os.fsencode(caught.value.filename) == path
    Path(os.fsdecode(path)).write_bytes(good_dump().file_bytes())
    assert os.fsencode(_core.read_ge(path).path) == path


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="a regular file expected, found a directory"):
        _core.read_ge(tmp_path)


def test_a_pipe_without_a_writer_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FormatError, match="a regular file expected, found a pipe"):
        _core.read_ge(tmp_path / "pipe")


def test_a_device_is_refused() -> None:
    with pytest.raises(FormatError, match="a regular file expected, found a device"):
        _core.read_npy("/dev/zero")


def test_a_socket_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(OSError, match="s") as caught:
            _core.read_ge("s")
    assert caught.value.errno == errno.ENXIO


def test_an_unknown_access_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="access is 'auto', 'map' or 'read', not 'mmap'"):
        _core.read_ge(tmp_path, access="mmap")


@pytest.mark.parametrize("n_values", [0, 1, 16_000, 16_384, 17_000, 100_000])
def test_every_access_gives_the_same_dump(tmp_path: Path, n_values: int) -> None:
    # Around 64 KiB the file changes from a copy in memory to a map or to windows.
    values = np.arange(n_values, dtype=np.float32)
    path = tmp_path / "dump"
    path.write_bytes(Dump(inputs=(tensor_of(values),), outputs=(tensor_of(values),)).file_bytes())
    os.utime(path, (1, 1))
    dumps = [_core.read_ge(path, access=access) for access in ACCESSES]
    facts = [
        [(t.offset_bytes, t.size_bytes, t.state, t.shape) for t in d.inputs + d.outputs]
        for d in dumps
    ]
    assert facts[0] == facts[1] == facts[2]
    assert facts[0][1][2] == "ok"


def test_a_header_larger_than_a_window_is_read(tmp_path: Path) -> None:
    one = tensor_of(np.arange(3, dtype=np.int8))
    dump = Dump(inputs=(one,) * 9_000, attrs=(("a", "x" * 100_000),))
    path = tmp_path / "dump"
    path.write_bytes(dump.file_bytes())
    reads = [_core.read_ge(path, access=access) for access in ACCESSES]
    assert [len(read.inputs) for read in reads] == [9_000] * 3
    assert [read.attrs for read in reads] == [[("a", "x" * 100_000)]] * 3
    assert {t.state for read in reads for t in read.inputs} == {"ok"}


def test_a_dump_outlives_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(good_dump().file_bytes())
    dump = _core.read_ge(path)
    path.unlink()
    assert dump.inputs[0].shape == (2,)


LARGE = np.zeros(100_000, np.float32)


def large_dump(folder: Path) -> Path:
    """A dump that is not copied into memory, changed long ago."""
    path = folder / "dump"
    path.write_bytes(Dump(inputs=(tensor_of(LARGE),)).file_bytes())
    os.utime(path, (1, 1))
    return path


@pytest.mark.parametrize("access", ACCESSES)
def test_a_file_that_shrinks_while_it_is_open_is_noticed(tmp_path: Path, access: str) -> None:
    path = large_dump(tmp_path)
    dump = _core.read_ge(path, access=access)
    dump.check_unchanged()
    size = path.stat().st_size
    os.truncate(path, 100)
    message = f"file changed while it was read: {size} bytes at open, 100 now"
    with pytest.raises(FormatError, match=message):
        dump.check_unchanged()


def test_pages_that_are_lost_under_a_map_are_an_error_and_no_signal(tmp_path: Path) -> None:
    path = large_dump(tmp_path)
    dump = _core.read_ge(path, access="map")
    os.truncate(path, 8192)
    with pytest.raises(FormatError, match="bytes at open, 8192 now"):
        dump.inputs[0].numpy()
    path.unlink()
    with pytest.raises(FormatError, match=f"{path}: pages of the file could not be read any more"):
        dump.check_unchanged()


def test_lost_pages_of_one_map_leave_others_alone(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [large_dump(tmp_path), large_dump(tmp_path / "other")]
    lost, kept = (_core.read_ge(path, access="map") for path in paths)
    os.truncate(paths[0], 8192)
    with pytest.raises(FormatError):
        lost.inputs[0].numpy()
    assert np.array_equal(kept.inputs[0].numpy(), LARGE)
    kept.check_unchanged()
    del lost
    again = _core.read_ge(paths[1], access="map")  # may watch where the lost one was watched
    assert np.array_equal(again.inputs[0].numpy(), LARGE)
    again.check_unchanged()


def test_a_bus_error_elsewhere_is_not_swallowed(tmp_path: Path) -> None:
    """It ends the process, or goes to the handler that was there before."""
    path = large_dump(tmp_path)
    cases = [(before, how) for before in ("none", "handler") for how in ("fault", "sent")]
    # A process for each case, which the first one forks before anything handles the signal.
    script = f"""
import faulthandler, mmap, os, signal, sys
statuses = []
for before, how in {cases!r}:
    if (child := os.fork()) == 0:
        break
    statuses.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
else:
    print(*statuses)
    sys.exit()
os.chdir({str(tmp_path)!r})
os.dup2(os.open(before + how, os.O_WRONLY | os.O_CREAT), 2)
if before == "handler":
    faulthandler.enable()
from ait_cmp import _core
dump = _core.read_ge({str(path)!r}, access="map")
with open("stranger", "w+b") as file:
    file.truncate(1 << 20)
    stranger = mmap.mmap(file.fileno(), 1 << 20)
    file.truncate(0)
    if how == "fault":
        stranger[5000]
    os.kill(os.getpid(), signal.SIGBUS)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert list(map(int, done.stdout.split())) == [-signal.SIGBUS] * len(cases)
    for before, how in cases:
        said = (tmp_path / (before + how)).read_bytes()
        assert (b"Fatal Python error: Bus error" in said) == (before == "handler"), said


@pytest.mark.parametrize("access", ACCESSES)
def test_a_file_that_is_written_again_is_noticed(tmp_path: Path, access: str) -> None:
    path = large_dump(tmp_path)
    dump = _core.read_ge(path, access=access)
    path.write_bytes(path.read_bytes())
    with pytest.raises(FormatError, match="file changed while it was read"):
        dump.check_unchanged()


@pytest.mark.parametrize("access", ACCESSES)
def test_a_new_file_under_the_same_name_leaves_the_open_one_alone(
    tmp_path: Path, access: str
) -> None:
    path = large_dump(tmp_path)
    dump = _core.read_ge(path, access=access)
    (tmp_path / "other").write_bytes(b"")
    (tmp_path / "other").replace(path)
    dump.check_unchanged()


def test_a_small_file_is_a_copy_and_cannot_change(tmp_path: Path) -> None:
    path = tmp_path / "dump"
    path.write_bytes(good_dump().file_bytes())
    dump = _core.read_ge(path)
    path.write_bytes(b"")
    dump.check_unchanged()


def test_open_maps_hold_no_descriptors(tmp_path: Path) -> None:
    path = large_dump(tmp_path)
    before = len(os.listdir("/proc/self/fd"))
    dumps = [_core.read_ge(path, access="map") for _ in range(50)]
    assert (len(os.listdir("/proc/self/fd")), len(dumps)) == (before, 50)
