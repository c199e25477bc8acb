from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ait_cmp.convert import convert_dir, watch, watch_dir
from ait_cmp.convert.result import Conversion
from ait_cmp.info.info_file import read_info
from forked import Forked
from reduced_dump import ge_bytes, ge_folder, random_values, write_ge


def until(condition: object, watcher: threading.Thread) -> None:
    """Wait until a watcher has done what it is about to do; it fails the test by ending first."""
    end = time.monotonic() + 60
    while not condition():
        watcher.join(0.01)
        assert watcher.is_alive()
        assert time.monotonic() < end


class Watcher(threading.Thread):
    """A watch in a thread of its own."""

    def __init__(self, folder: Path, **arguments: object) -> None:
        super().__init__()
        self.stop = threading.Event()
        self.result: Conversion | None = None
        self._folder = folder
        self._arguments = {
            "interval": 0.02,
            "settle": 0.1,
            "threads": 2,
            "force": True,
            **arguments,
        }

    def run(self) -> None:
        self.result = watch_dir(self._folder, stop=self.stop, **self._arguments)

    def __enter__(self) -> Watcher:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self.join()


@pytest.fixture(params=["polling", "notified"])
def noticing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a watch learns of changes; without the optional library both poll."""
    if request.param == "polling":
        monkeypatch.setattr(watch, "is_network_path", lambda path: bool(path))
    return str(request.param)


def test_killed_at_random_moments_it_loses_no_tensor(
    tmp_path: Path, n_kills: int, forked: Forked
) -> None:
    program = Path(__file__).with_name("kill_converter.py").read_text(encoding="utf-8")
    ran = forked.run(program, tmp_path, n_kills)
    assert ran.status == 0, ran.err
    *complaints, last = ran.out.splitlines()
    assert complaints == []
    assert last.startswith(f"killed {n_kills} times")
    # Both were seen: the moments were neither all too early nor all too late.
    found = [int(word) for word in last.replace(",", "").split() if word.isdigit()]
    assert min(found) > 0


def test_a_watch_waits_for_a_slow_writer(tmp_path: Path, noticing: str) -> None:
    del noticing
    folder = ge_folder(tmp_path)
    content = ge_bytes("Add_1", (), (random_values(0, 40_000),))
    path = folder / "Add.Add_1.1.6.1706596911888000"
    info = Path(f"{path}_info.npz")
    with Watcher(tmp_path, settle=3600.0) as watcher:
        for start in range(0, len(content), 20_000):
            assert not info.exists()
            with path.open("ab") as file:
                file.write(content[start : start + 20_000])
            time.sleep(0.05)
        until(info.exists, watcher)
        until(lambda: not path.exists(), watcher)
    assert watcher.result is not None
    assert watcher.result.left == {}
    (place,) = read_info(str(info)).tensors
    assert place.tensor.n_values == 40_000


def test_a_watch_knows_what_had_been_converted_before(tmp_path: Path) -> None:
    (ge_folder(tmp_path) / "Add.Add_1.1.6.1706596911888000").write_bytes(
        ge_bytes("Add_1", (), (random_values(0, 40_000),))
    )
    assert convert_dir(tmp_path, settle=0, force=True).converted == 1
    with Watcher(tmp_path) as watcher:
        pass
    assert watcher.result is not None
    assert (watcher.result.converted, watcher.result.already) == (0, 1)


def test_a_watch_finds_files_in_folders_that_appear_later(tmp_path: Path, noticing: str) -> None:
    del noticing
    with Watcher(tmp_path) as watcher:
        for step in ("0", "1"):
            path = write_ge(ge_folder(tmp_path / step), "Add_1", (), (random_values(1, 30),))
            info = Path(f"{path}_info.npz")
            until(info.exists, watcher)
    assert watcher.result is not None
    assert watcher.result.converted == 2


def test_what_came_before_notifications_began_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, stop = ge_folder(tmp_path), threading.Event()

    def begin(_: object, __: object) -> Iterator[set[str]]:
        write_ge(folder, "Add_1", (), (random_values(1, 30),))

        def told() -> Iterator[set[str]]:
            yield set()
            yield set()
            stop.set()
            yield set()

        return told()

    monkeypatch.setattr(watch, "_notifications", begin)
    monkeypatch.setattr(watch, "is_network_path", lambda _: False)
    assert watch_dir(tmp_path, settle=0, force=True, stop=stop).converted == 1


def test_a_file_that_stays_incomplete_is_named_at_the_end(tmp_path: Path) -> None:
    path = ge_folder(tmp_path) / "Add.Add_1.1.6.1706596911888000"
    path.write_bytes(ge_bytes("Add_1", (), (random_values(2, 30),))[:-1])
    done = threading.Event()
    with Watcher(tmp_path, settle=0.0, progress=lambda _: done.set()):
        done.wait()
    assert path.exists()
    watcher = Watcher(tmp_path, settle=0.0)
    watcher.stop.set()
    watcher.run()
    assert watcher.result is not None
    assert watcher.result.was_stopped


def test_a_folder_that_vanishes_ends_the_watch(tmp_path: Path, noticing: str) -> None:
    del noticing
    folder = tmp_path / "dump"
    path = write_ge(ge_folder(folder), "Add_1", (), (random_values(4, 30),))
    watcher = Watcher(folder)
    watcher.start()
    until(lambda: not path.exists(), watcher)
    shutil.rmtree(folder)
    watcher.join()
    assert watcher.result is not None
    assert watcher.result.folder_is_gone


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_a_watch_after_the_file_in_hand(
    tmp_path: Path, number: int, forked: Forked
) -> None:
    path = write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(3, 30),))
    start = "import sys; from ait_cmp.cli.main import main; sys.exit(main())"
    running = forked.start(start, "convert", tmp_path, "--watch", "--force", "--json")
    while not Path(f"{path}_info.npz").exists():
        os.kill(running.pid, 0)  # an error if it has ended
        time.sleep(0.01)
    os.kill(running.pid, number)
    ended = running.wait()
    assert ended.status == 0, ended.err
    assert '"was_stopped": true' in ended.out
    assert not path.exists()


def test_ctrl_c_ends_a_conversion_that_a_script_started(tmp_path: Path, forked: Forked) -> None:
    folder = ge_folder(tmp_path)
    values = random_values(0, 30)
    for number in range(64):
        write_ge(folder, f"Add_{number}", (), (values,), number=number)
    # Every wait of the main thread is interrupted; the time is what a test that fails takes.
    script = """
import queue, signal, sys, threading
from ait_cmp.convert import convert_dir

signal.alarm(60)

class Interrupted(queue.SimpleQueue):
    def get(self, *arguments, **names):
        if threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return super().get(*arguments, **names)

queue.SimpleQueue = Interrupted
try:
    convert_dir(sys.argv[1], threads=2, force=True)
except KeyboardInterrupt:
    print("interrupted")
"""
    ran = forked.run(script, tmp_path)
    assert (ran.status, ran.out) == (0, "interrupted\n"), ran.err
    # Every file is a dump file or an info file, and no other.
    assert len(list(folder.iterdir())) == 64


def test_network_file_systems_are_known_by_their_mounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = f"/dev/sda / ext4 rw 0 0\nserver:/dumps {tmp_path} nfs4 rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: mounts)
    assert watch.is_network_path(str(tmp_path / "run"))
    assert not watch.is_network_path(os.sep)


@pytest.mark.parametrize("what", ["pipe", "link to nowhere", "link to itself"])
def test_what_is_no_file_is_left_with_a_sentence(tmp_path: Path, what: str) -> None:
    odd = write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(1, 50),), number=1)
    write_ge(ge_folder(tmp_path), "Add_2", (), (random_values(2, 50),), number=2)
    odd.unlink()
    if what == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to(odd if what == "link to itself" else "/nowhere/at/all")
    done = convert_dir(tmp_path, settle=0, force=True)
    assert list(done.left) == [str(odd)]
    assert done.left[str(odd)].startswith(f"{odd}: ")
    assert len(list(tmp_path.rglob("*_info.npz"))) == 1
