"""The rows of a result are a sequence, in memory or in a file that nobody sees."""

from __future__ import annotations

import errno
import math
import os
import pickle
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest

from ait_cmp import _core
from ait_cmp.errors import FormatError
from ait_cmp.report import kept_rows
from ait_cmp.report.kept_rows import KeptRows
from ait_cmp.report.row import Row
from forked import Forked
from report_rows import EMPTY, step_rows

#: Rows that are packed together; of so few, few rows are several parts.
A_PART = 64
N_ROWS = 160


def row(number: int, **cells: Any) -> Row:
    """A row that no other one equals."""
    return EMPTY._replace(
        token_id=number // 50,
        data_id=number,
        rank=-1,
        index=0,
        my_data_path=f"/dump/op_{number},outputs,0",
        op_name=f"op_{number}",
        io="outputs",
        status="compared",
        my_shape="[2]",
        golden_shape="[2]",
        my_max_value=number / 7,
        worst_index=number,
    )._replace(**cells)


def stored(rows: list[Row]) -> list[Row]:
    """What the core has of rows: the oracle, as it is without packing."""
    step = step_rows(rows)
    return [Row._make(step[number]) for number in range(len(step))]


@pytest.fixture(scope="module")
def steps() -> list[_core.StepRows]:
    """Two steps of rows, and one without any between them."""
    parts = (range(130), range(0), range(130, N_ROWS))
    return [step_rows([row(number) for number in part]) for part in parts]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The oracle of the same rows, of a step of its own."""
    return stored([row(number) for number in range(N_ROWS)])


@pytest.fixture(params=["memory", "file"])
def kept(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[_core.StepRows],
) -> KeptRows:
    """The rows of these steps."""
    monkeypatch.setattr(
        kept_rows, "_BYTES_IN_MEMORY", (1 << 30) if request.param == "memory" else 0
    )
    monkeypatch.setattr(kept_rows, "_ROWS_A_PART", A_PART)
    kept = KeptRows()
    for step in steps:
        kept.add(step)
    return kept


def test_kept_rows_are_a_sequence(kept: KeptRows, rows: list[Row]) -> None:
    assert len(kept) == N_ROWS
    assert list(kept) == rows
    assert list(reversed(kept)) == rows[::-1]
    places = (0, A_PART - 1, A_PART, 129, 130, -1, -N_ROWS)
    assert [kept[at] for at in places] == [rows[at] for at in places]
    for part in (slice(60, 70), slice(None, None, -45), slice(-3, None), slice(9, 3)):
        assert kept[part] == rows[part]
    assert rows[140] in kept
    assert kept.index(rows[140]) == 140
    for at in (N_ROWS, -N_ROWS - 1):
        with pytest.raises(IndexError):
            kept[at]


def test_two_readers_of_kept_rows_do_not_disturb_each_other(kept: KeptRows) -> None:
    for number, (first, second) in enumerate(zip(kept, kept[::-1])):
        assert (first.data_id, second.data_id) == (number, N_ROWS - 1 - number)
        assert kept[number] == first


def test_kept_rows_are_pickled_as_a_list(kept: KeptRows) -> None:
    again = pickle.loads(pickle.dumps(kept))
    assert type(again) is list
    assert again == list(kept)


@pytest.mark.parametrize(
    "cells",
    [
        {"my_max_value": math.inf, "golden_min_value": -0.0, "bias_z": 5e-324},
        {"my_max_value": None, "worst_index": 2**63, "my_nan_count": 0},
        {"rank": -(2**63), "data_id": 2**63 - 1, "token_id": -1},
        {"my_data_path": "/dump/\udcff\u4e2d,inputs,3", "cmp_fail_reason": 'a "b"\n\0c'},
        {"custom": ("1", "", "\u4e2d")},
        {"fx_node": "mm", "module": "a.b", "source": "x.py:3", "own_growth": 1e308},
    ],
)
def test_every_cell_comes_back(cells: dict[str, Any]) -> None:
    rows = [row(0), row(1, **cells), row(2)]
    kept = KeptRows()
    kept.add(step_rows(rows))
    assert repr(list(kept)) == repr(stored(rows))


def test_nan_comes_back() -> None:
    kept = KeptRows()
    kept.add(step_rows([row(0, my_max_value=math.nan)]))
    assert math.isnan(kept[0].my_max_value or 0.0)


def test_the_file_has_no_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(kept_rows, "_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = KeptRows()
    kept.add(step_rows([row(0)]))
    assert len(open_files_in(tmp_path)) == 1
    assert list(tmp_path.iterdir()) == []
    del kept
    assert open_files_in(tmp_path) == []


def open_files_in(folder: Path) -> list[str]:
    """Files of a folder that this process has open, those without a name, too."""
    links = (link for link in Path("/proc/self/fd").iterdir() if os.path.lexists(link))
    return [name for link in links if (name := str(link.readlink())).startswith(f"{folder}/")]


@pytest.mark.parametrize("failing", ["pwrite", "open"])
def test_rows_stay_in_memory_where_nothing_can_be_written(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(kept_rows, "_BYTES_IN_MEMORY", 0)
    kept = KeptRows()
    kept.add(step_rows([row(0)]))
    if failing == "pwrite":
        monkeypatch.setattr(os, "pwrite", full)
    else:
        monkeypatch.setattr(tempfile, "TemporaryFile", full)
        kept = KeptRows()
        kept.add(step_rows([row(0)]))
    kept.add(step_rows([row(1)]))
    monkeypatch.undo()
    kept.add(step_rows([row(2)]))
    assert [found.data_id for found in kept] == [0, 1, 2]


def test_rows_beyond_some_megabytes_leave_the_memory() -> None:
    text = random.Random(1).randbytes(2**19).hex()
    content = step_rows([row(0, custom=(text,))]).packed(0, 1)
    kept = KeptRows()
    for number in range(20):
        kept.add_packed(1, content, number)
    assert 4 * 2**20 < sum(len(part.content) for part in kept._parts) <= 16 * 2**20 < 20 * len(text)
    assert [found.data_id for found in kept] == list(range(20))
    assert {found.custom for found in kept} == {(text,)}


def test_a_killed_run_leaves_no_file(tmp_path: Path, forked: Forked) -> None:
    code = (
        "import os, signal, sys, tempfile\n"
        "from ait_cmp.report import kept_rows\n"
        "from report_rows import EMPTY, step_rows\n"
        "tempfile.tempdir = sys.argv[1]\n"
        "kept_rows._BYTES_IN_MEMORY = 0\n"
        "kept = kept_rows.KeptRows()\n"
        "kept.add(step_rows([EMPTY]))\n"
        "assert kept._n_bytes_in_file > 0\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = forked.run(code, tmp_path)
    assert done.status == -9, done.err
    assert list(tmp_path.iterdir()) == []


def test_damaged_bytes_are_refused() -> None:
    content = step_rows([row(0), row(1, custom=("a",))]).packed(0, 2)
    for end in range(len(content)):
        with pytest.raises(FormatError):
            _core.PackedRows(content[:end])
    for at in range(len(content)):
        damaged = bytearray(content)
        damaged[at] ^= 0xFF
        try:
            rows = _core.PackedRows(bytes(damaged))
            assert len([rows[number] for number in range(len(rows))]) == len(rows)
        except (FormatError, UnicodeDecodeError):
            pass
