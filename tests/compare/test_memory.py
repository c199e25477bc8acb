"""Memory does not grow with the dump: three times as many rows, or files, take no more of it."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

import ait_cmp
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import GeStep
from ait_cmp.pairing.paired_step import PairedStep
from forked import Forked
from make_dump import Dump, DumpTensor
from small_model import write_dumps as write_model

TIME = 1_706_596_911_000_000
# Run with folders; they say the peak of each in kB. (ru_maxrss is that of the process that started
# them; 5 makes the kernel forget the peak so far.)
EACH = """
import sys
from pathlib import Path
from ait_cmp import compare_dirs
from ait_cmp.cli.main import main

def command(folder):
    status = main([f"{folder}/ge", f"{folder}/golden", "--output", folder, "--no-progress"])
    assert status == 0, status

def in_python(folder):
    found = compare_dirs(f"{folder}/ge", f"{folder}/golden")
    for last in found.rows:
        pass
    assert last.data_id == len(found.rows) - 1 == found.counts.total - 1

for folder in sys.argv[2:]:
    Path("/proc/self/clear_refs").write_text("5")
    globals()[sys.argv[1]](folder)
    print("peak", Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def write_dumps(folder: Path, *, steps: int, files: int, tensors: int) -> int:
    """Two GE dumps that are equal but for their values; the number of rows."""
    for side, factor in (("ge", 1.0), ("golden", 1.001)):
        values = np.float32([1.5, -2.0]) * np.float32(factor)
        tensor = DumpTensor(1, (2,), values.tobytes())
        contents = [
            Dump(outputs=(tensor,) * tensors, op_name=f"SomeOperator_{file}").file_bytes()
            for file in range(files)
        ]
        first_step: list[Path] = []
        for step in range(steps):
            at = folder / side / "20260101000000" / "0" / "graph_1" / "1" / str(step)
            at.mkdir(parents=True)
            for file, content in enumerate(contents):
                path = at / f"Add.SomeOperator_{file}.{file}.6.{TIME + step * files + file}"
                if step:  # a name more for the same file costs less than a file
                    os.link(first_step[file], path)
                else:
                    path.write_bytes(content)
                    first_step.append(path)
    return steps * files * tensors


def growth_bytes(forked: Forked, folder: Path, how: str) -> int:
    """What the peak of memory grows from few to many, once everything is loaded."""
    done = forked.run(EACH, how, *(folder / name for name in ("few", "few", "many")))
    assert done.status == 0, done.err
    _, few, many = (int(part.split()[0]) for part in done.out.split("peak")[1:])
    return 1024 * (many - few)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dumps of 900 rows (few) and of 7800 (many)."""
    folder = tmp_path_factory.mktemp("rows")
    assert write_dumps(folder / "few", steps=3, files=10, tensors=30) == 900
    assert write_dumps(folder / "many", steps=26, files=10, tensors=30) == 7_800
    return folder


@pytest.mark.parametrize("how", ["command", "in_python"])
def test_memory_does_not_grow_with_the_rows(forked: Forked, rows: Path, how: str) -> None:
    # A row in memory would take 1800 bytes; packed, as Python has the first of them, 300.
    assert growth_bytes(forked, rows, how) < 700 * 6_900


def test_memory_does_not_grow_with_the_files(forked: Forked, tmp_path: Path) -> None:
    few = write_dumps(tmp_path / "few", steps=3, files=50, tensors=1)
    many = write_dumps(tmp_path / "many", steps=43, files=50, tensors=1)
    # The names of its two files in memory and the row would take 3000 bytes.
    assert growth_bytes(forked, tmp_path, "command") < 1000 * (many - few)


@pytest.mark.parametrize("golden", ["fx", "ge"])
def test_a_step_is_gone_without_anybody_looking_for_circles(tmp_path: Path, golden: str) -> None:
    write_model(tmp_path, tokens=2)
    gc.disable()
    gc.freeze()  # what is there now, other tests may keep: get_objects() passes over it
    try:
        ait_cmp.compare_dirs(tmp_path / "ge", tmp_path / golden)
        left = [type(at) for at in gc.get_objects() if isinstance(at, (FxStep, GeStep, PairedStep))]
    finally:
        gc.unfreeze()
        gc.enable()
    assert left == []
