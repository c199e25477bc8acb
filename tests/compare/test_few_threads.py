"""Where the system gives few threads, or none, everything goes on with fewer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ait_cmp import _core, compare_dirs
from ait_cmp.convert import convert_dir
from forked import Forked
from reduced_dump import ge_folder, random_values, write_ge

# More than a process may have: of so large a stack no thread can be made, of a smaller one a few.
MAX_BYTES = 3 << 30
STACK_BYTES = {"none": 4 << 30, "one or two": 1 << 30}

#: Lets this process have few threads, and heaps that are not counted among them.
LIMIT = """
import ctypes, resource, sys, threading, time
from pathlib import Path
import numpy as np
from ait_cmp import _core, compare_dirs
from ait_cmp.convert import convert_dir
libc, attributes = ctypes.CDLL(None), ctypes.create_string_buffer(64)
M_ARENA_MAX = -8
assert libc.mallopt(M_ARENA_MAX, 1) == 1
assert libc.pthread_attr_init(attributes) == 0
assert libc.pthread_attr_setstacksize(attributes, ctypes.c_size_t({stack})) == 0
assert libc.pthread_setattr_default_np(attributes) == 0
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


def two_dumps(root: Path) -> tuple[Path, Path]:
    """GE dumps whose tensors differ; one of them is cut into chunks by the core."""
    for name, noise in (("my", 1e-3), ("golden", 0)):
        for number, shape in enumerate([(3, 5), (60, 50), (700, 900)], start=1):
            values = random_values(number, *shape) + np.float32(noise)
            write_ge(ge_folder(root / name), f"Add_{number}", (), (values,), number=number)
    return root / "my", root / "golden"


#: Everything that makes threads, on the dumps two_dumps(root) and their copies; printed as JSON.
ALL = """
import json
root = Path(sys.argv[1])
def rows(golden):
    return repr(list(compare_dirs(root / "my", golden, threads=8).rows))
x = np.arange(1 << 20, dtype=np.float32)
paths = [str(path) for path in sorted((root / "my").rglob("Add.*"))]
print(json.dumps({
    "full": rows(root / "golden"),
    "reduced": rows(root / "reduced"),
    "buffers": _core.compare_buffers(x, 1, x + 1, 1, threads=8)[0],
    "scans": repr([scan[:2] for scan in _core.scan_ge(paths, 8)]),
    "left": sorted(convert_dir(root / "copy", threads=8, force=True).left),
}))
"""


@pytest.mark.parametrize("threads", STACK_BYTES)
def test_everything_goes_on_with_fewer(tmp_path: Path, threads: str, forked: Forked) -> None:
    my, golden = two_dumps(tmp_path)
    reduced, copy = (shutil.copytree(golden, tmp_path / name) for name in ("reduced", "copy"))
    convert_dir(reduced, force=True)
    paths = [str(path) for path in sorted(my.rglob("Add.*"))]
    limit = LIMIT.format(most=MAX_BYTES, stack=STACK_BYTES[threads], none=threads == "none")
    done = forked.run(limit + ALL, tmp_path)
    assert done.status == 0, done.err
    assert json.loads(done.out) == {
        "full": repr(list(compare_dirs(my, golden, threads=4).rows)),
        "reduced": repr(list(compare_dirs(my, reduced, threads=4).rows)),
        "buffers": "compared",
        "scans": repr([scan[:2] for scan in _core.scan_ge(paths, 1)]),
        "left": [],
    }
    found, expected = (
        sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        for root in (copy, reduced)
    )
    assert found == expected
    assert all(name.endswith("_info.npz") for name in found)
