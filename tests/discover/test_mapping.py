"""`mapping.csv` of any size and form: the names of files that are there, in bounded memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ait_cmp.discover.file_names import read_mapping

HASH, NAME = "12345678901234567890", "MatMul.MatMul_1.3.6.1706596911888001"


@given(st.text(max_size=200), st.text(max_size=200))
def test_other_lines_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "mapping.csv"
    lines = [*before.splitlines(), f"{HASH},{NAME}", *after.replace(HASH, "").splitlines()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="replace")
    assert read_mapping(str(path), [HASH]) == {HASH: NAME}


@pytest.mark.parametrize("where", ["before", "behind"])
def test_a_line_without_an_end_is_left_out_in_little_memory(tmp_path: Path, where: str) -> None:
    path = tmp_path / "mapping.csv"
    long = b"9," + b"a" * (4 << 20) + b"\n"
    line = f"{HASH},{NAME}\n".encode()
    path.write_bytes(long + line if where == "before" else line + long)
    tracemalloc.start()
    assert read_mapping(str(path), [HASH, "9"]) == {HASH: NAME}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


def test_names_of_files_that_are_not_there_are_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "mapping.csv"
    path.write_text("".join(f"{n},{NAME}\n" for n in range(15_000)) + f"{HASH},{NAME}\n")
    tracemalloc.start()
    assert read_mapping(str(path), [f"{HASH}_info.npz"]) == {HASH: NAME}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20
