"""A report that cannot be written whole: whole rows, the rest of the answer, and its name."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ait_cmp import ConfigError, compare_dirs
from ait_cmp.cli.main import main
from ait_cmp.report.report_files import ReportNames
from small_model import ROWS_PER_TOKEN, write_dumps


@contextlib.contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """No file may grow beyond `size`, as on a disk that has no more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 100, 2000, 4000])
def test_a_full_disk_leaves_whole_rows_and_the_summary(
    tmp_path: Path, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=3)
    words = ["-mp", str(tmp_path / "ge"), "-gp", str(tmp_path / "fx"), "-o", str(tmp_path / "out")]
    with no_file_larger_than(size):
        status = main([*words, "--jsonl"])
    said = capsys.readouterr()
    assert status == 2, said.err
    assert f"my tensors      {3 * ROWS_PER_TOKEN} = " in said.out
    (table,), (objects,) = (tmp_path / "out").glob("*.csv"), (tmp_path / "out").glob("*.jsonl")
    for path in (table, objects):
        assert f"the report {path} could not be written whole: File too large" in said.err
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))
    assert all(len(row) == len(rows[0]) for row in rows)
    assert len(rows) > 1 or size < 2000
    assert [json.loads(line) for line in objects.read_text().splitlines()] or size < 2000
    for path in (table, objects):
        assert path.read_bytes()[-1:] in (b"", b"\n")


def test_a_row_of_several_lines_is_not_cut(tmp_path: Path) -> None:
    file = ReportNames(tmp_path, time.localtime()).create("report", ".csv")
    with no_file_larger_than(12), pytest.raises(OSError, match=r"report\.csv"):
        file.append([b"a,b\n", b'1,"x\ny"\n', b"2,z\n"])
    assert file.path.read_bytes() == b'a,b\n1,"x\ny"\n'
    file.close()


def test_a_folder_that_cannot_be_written_proposes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_dumps(tmp_path, tokens=1)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(ConfigError, match="--output DIR names another folder"):
        compare_dirs(tmp_path / "ge", tmp_path / "fx", output=tmp_path)
