"""Where the system gives few threads, or none, everything goes on with fewer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ait_cmp import _core, compare_dirs
from ait_cmp.convert import convert_dir
from reduced_dump import ge_folder, random_values, write_ge

# More than a process may have: of so large a stack no thread can be made, of a smaller one a few.
MAX_BYTES = 3 << 30
STACK_BYTES = {"none": 4 << 30, "one or two": 1 << 30}

LIMIT = """
import resource, sys, threading, time
from pathlib import Path
import numpy as np
from ait_cmp import _core, compare_dirs
from ait_cmp.convert import convert_dir
resource.setrlimit(resource.RLIMIT_AS, ({most}, {most}))
n_threads = 0
try:
    for _ in range(8):
        thread = threading.Thread(target=threading.Event().wait, args=(0.2,))
        thread.start()
        n_threads += 1
except RuntimeError:
    pass
assert n_threads == 0 if {none} else 0 < n_threads < 8, n_threads
while threading.active_count() > 1:
    time.sleep(0.01)
"""


def run_limited(threads: str, code: str, *arguments: object) -> str:
    """What the code prints in a process that gets so few threads."""
    stack = STACK_BYTES[threads]
    limit = LIMIT.format(most=MAX_BYTES, none=threads == "none")
    command = f"ulimit -s {stack >> 10} && exec {sys.executable} - {' '.join(map(str, arguments))}"
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        ["bash", "-c", command],
        input=limit + code,
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def two_dumps(root: Path) -> tuple[Path, Path]:
    """GE dumps whose tensors differ; one of them is cut into chunks by the core."""
    for name, noise in (("my", 1e-3), ("golden", 0)):
        for number, shape in enumerate([(3, 5), (60, 50), (700, 900)], start=1):
            values = random_values(number, *shape) + np.float32(noise)
            write_ge(ge_folder(root / name), f"Add_{number}", (), (values,), number=number)
    return root / "my", root / "golden"


@pytest.mark.parametrize("threads", STACK_BYTES)
def test_dumps_are_compared(tmp_path: Path, threads: str) -> None:
    my, golden = two_dumps(tmp_path)
    expected = compare_dirs(my, golden, threads=4)
    code = "print(repr(list(compare_dirs(sys.argv[1], sys.argv[2], threads=8).rows)))"
    assert run_limited(threads, code, my, golden) == f"{list(expected.rows)!r}\n"


@pytest.mark.parametrize("threads", STACK_BYTES)
def test_reduced_dumps_are_compared(tmp_path: Path, threads: str) -> None:
    my, golden = two_dumps(tmp_path)
    convert_dir(golden, force=True)
    expected = compare_dirs(my, golden, threads=4)
    code = "print(repr(list(compare_dirs(sys.argv[1], sys.argv[2], threads=8).rows)))"
    assert run_limited(threads, code, my, golden) == f"{list(expected.rows)!r}\n"


@pytest.mark.parametrize("threads", STACK_BYTES)
def test_dumps_are_converted(tmp_path: Path, threads: str) -> None:
    my, golden = two_dumps(tmp_path)
    code = "print(sorted(convert_dir(sys.argv[1], threads=8, force=True).left))"
    assert run_limited(threads, code, my) == "[]\n"
    (expected,) = {path.parent for path in golden.rglob("Add.*")}
    convert_dir(golden, force=True)
    (found,) = {path.parent for path in my.rglob("Add.*")}
    names = sorted(path.name for path in expected.iterdir())
    assert sorted(path.name for path in found.iterdir()) == names
    assert all(name.endswith("_info.npz") for name in names)


@pytest.mark.parametrize("threads", STACK_BYTES)
def test_headers_are_scanned_and_buffers_compared(tmp_path: Path, threads: str) -> None:
    my, golden = two_dumps(tmp_path)
    paths = [str(path) for root in (my, golden) for path in sorted(root.rglob("Add.*"))]
    code = """
x = np.arange(1 << 20, dtype=np.float32)
print(_core.compare_buffers(x, 1, x + 1, 1, threads=8)[0])
print([scan[:2] for scan in _core.scan_ge(sys.argv[1:], 8)])
"""
    scans = [scan[:2] for scan in _core.scan_ge(paths, 1)]
    assert run_limited(threads, code, *paths) == f"compared\n{scans}\n"
