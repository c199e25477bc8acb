"""Lets one file of a dump fail at open, stat or read, as a disk or a network does.

What must hold: a comparison counts the file, names it in its summary and ends with 1, or its rows
are those of a sound disk; a conversion leaves the file as it is and says so, or is complete. Where
there is a compiler calls of the C library fail (fault_shim.c in LD_PRELOAD), else those of Python's
os and io. `faults.py` tries every kind of file, place and error; `faults.py quick` one error
early.
"""

from __future__ import annotations

import ctypes
import errno
import io
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Callable, NamedTuple, Protocol

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from damage import KINDS, Kind

from ait_cmp import Comparison, ConfigError, compare_dirs
from ait_cmp.convert import convert_dir
from ait_cmp.report.summary import summary_lines

PLACES = ("open", "stat", "read")
ERRORS = (errno.EIO, errno.ESTALE, errno.EACCES)
# The first call fails, or some go through and a later one fails.
SKIPS = (0, 1, 2, 3, 5)


class Fault(NamedTuple):
    """How a file fails: at a place of PLACES, with an error, after some calls that go through."""

    place: str
    number: int
    skip: int

    def __str__(self) -> str:
        return f"{errno.errorcode[self.number]} at {self.place} after {self.skip}"


class Injector(Protocol):
    """What makes calls fail."""

    def set(self, path: str, fault: Fault) -> None:
        """Let calls for this path fail from now on."""

    def clear(self) -> int:
        """No call fails any more; how many did."""


class Shim:
    """fault_shim.c, where this process was started with it."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None)
        self._library.fault_set  # noqa: B018  # AttributeError: it was not

    def set(self, path: str, fault: Fault) -> None:
        place = 1 + PLACES.index(fault.place)
        self._library.fault_set(os.fsencode(path), place, fault.number, fault.skip)

    def clear(self) -> int:
        hits = int(self._library.fault_hits())
        self._library.fault_set(b"", 0, 0, 0)
        return hits


class PythonCalls:
    """os.open, os.stat and io.open; what C++ opens does not fail."""

    def __init__(self) -> None:
        self._path, self._fault, self._calls = "", Fault("", 0, 0), 0
        for module, name, place in (
            (os, "open", "open"),
            (io, "open", "open"),
            (os, "stat", "stat"),
        ):
            setattr(module, name, self._failing(getattr(module, name), place))

    def _failing(self, call: Callable[..., Any], place: str) -> Callable[..., Any]:
        def called(path: Any, *arguments: Any, **options: Any) -> Any:
            if place == self._fault.place and str(path) == self._path:
                self._calls += 1
                if self._calls > self._fault.skip:
                    raise OSError(self._fault.number, os.strerror(self._fault.number), str(path))
            return call(path, *arguments, **options)

        return called

    def set(self, path: str, fault: Fault) -> None:
        self._path, self._fault, self._calls = path, fault, 0

    def clear(self) -> int:
        hits = max(self._calls - self._fault.skip, 0)
        self._path, self._fault = "", Fault("", 0, 0)
        return hits


def injector() -> Injector:
    """The shim if it is there."""
    try:
        return Shim()
    except AttributeError:
        return PythonCalls()


def compare(root: Path) -> Comparison:
    return compare_dirs(root / "ge", root / "fx")


def compare_or_say(root: Path) -> Comparison | str:
    """The comparison, or the sentence with which it ends where nothing could be compared."""
    try:
        return compare(root)
    except ConfigError as error:
        return str(error)


def judge(found: Comparison | str, sound: Comparison, file: Path) -> str:
    """ "told", "harmless" or "nothing compared"; AssertionError if it is none of them."""
    if isinstance(found, str):
        assert str(file) in found, found
        return "nothing compared"
    said = "\n".join(summary_lines(found))
    assert "[Errno" not in said, said
    is_counted = found.has_differences and bool(found.counts["unreadable"] or found.unread)
    if is_counted and str(file) in said:
        return "told"
    assert list(found.rows) == list(sound.rows), said
    assert found.unread == sound.unread, said
    return "harmless"


def try_comparisons(
    kind: Kind, faults: list[Fault], calls: Injector, folder: Path
) -> Counter[tuple[str, str]]:
    """A comparison for every fault; (place, what came of it) -> how often."""
    root = folder / kind.name
    file = kind.prepare(root)
    sound = compare(root)
    assert not sound.has_differences
    came: Counter[tuple[str, str]] = Counter()
    untouched: set[str] = set()  # places that no call for this file comes to
    for number, fault in enumerate(faults):
        if fault.place in untouched:
            continue
        # Another time of change: what was kept of the file counts no more.
        os.utime(file, ns=(0, 10**18 + number * 10**9))
        calls.set(str(file), fault)
        try:
            found = compare_or_say(root)
        except Exception as error:
            message = f"{kind.name}: {fault}"
            raise AssertionError(message) from error
        finally:
            hits = calls.clear()
        try:
            end = judge(found, sound, file)
        except AssertionError as error:
            message = f"{kind.name}: {fault}: {error}"
            raise AssertionError(message) from error
        assert hits or end == "harmless", (kind.name, fault)
        came[fault.place, end if hits else "no call"] += 1
        if not hits and not fault.skip:
            untouched.add(fault.place)
    return came


def try_conversions(
    kind: Kind, faults: list[Fault], calls: Injector, folder: Path
) -> Counter[tuple[str, str]]:
    """The same for conversions: the file stays and is named, or its info file is complete."""
    came: Counter[tuple[str, str]] = Counter()
    root = folder / "converted"
    file = kind.prepare(root)
    content = file.read_bytes()
    before = contents_of(root)
    compared: set[frozenset[tuple[Path, bytes]]] = set()
    untouched: set[str] = set()
    for fault in faults:
        if fault.place in untouched:
            continue
        found = contents_of(root)
        for path in found.keys() - before:
            path.unlink()
        for path, original in before.items():
            if found.get(path) != original:
                path.write_bytes(original)
        calls.set(str(file), fault)
        try:
            # With progress the size of every file is asked for.
            result = convert_dir(root, settle=0, force=True, progress=lambda _: None)
        finally:
            hits = calls.clear()
        if file.exists():
            assert file.read_bytes() == content
            assert str(file) in result.left, (kind.name, fault, result)
            came[fault.place, "told"] += 1
        else:
            kind_of_info = Path(str(file).replace(".npy", "") + "_info.npz")
            assert kind_of_info.exists(), (kind.name, fault)
            came[fault.place, "harmless" if hits else "no call"] += 1
            if not hits and not fault.skip:
                untouched.add(fault.place)
        left = frozenset(contents_of(root).items())
        if left not in compared:  # the same files compare as they did
            assert not compare(root).counts["unreadable"]
            compared.add(left)
    shutil.rmtree(root)
    return came


def contents_of(root: Path) -> dict[Path, bytes]:
    """All files below a folder."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def run_with_shim(words: list[str], **options: Any) -> subprocess.CompletedProcess[str] | None:
    """Run this program again under the shim, None without a compiler."""
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        shim = f"{folder}/fault_shim.so"
        source = Path(__file__).with_name("fault_shim.c")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
        command = [sys.executable, __file__, *words]
        environment = {**os.environ, "LD_PRELOAD": shim}
        return subprocess.run(command, env=environment, text=True, **options)


def main() -> None:
    calls = injector()
    errors, skips = (ERRORS[:1], SKIPS[:3]) if "quick" in sys.argv else (ERRORS, SKIPS)
    faults = [Fault(*fault) for fault in itertools.product(PLACES, errors, skips)]
    print(f"calls of {type(calls).__name__}, {len(faults)} faults for each kind of file")
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            tries = {"compared": try_comparisons(kind, faults, calls, Path(folder))}
            if kind.name in ("GE dump", "FX output", "FX input"):
                tries["converted"] = try_conversions(kind, faults, calls, Path(folder))
            for what, came in tries.items():
                told = ", ".join(f"{place} {n} {end}" for (place, end), n in sorted(came.items()))
                print(f"{kind.name:16} {what}: {told}", flush=True)


if __name__ == "__main__":
    if "LD_PRELOAD" not in os.environ and (ran := run_with_shim(sys.argv[1:])) is not None:
        sys.exit(ran.returncode)
    main()
