"""What a dump holds is shown on a terminal, never obeyed by it."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from ait_cmp.cli.main import main
from ait_cmp.cli.terminal import LogFormatter, shown
from small_model import write_dumps

#: Clears the screen, sets the title, rings, starts a C1 sequence, turns the order of what follows.
EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202eevil\u2066"


def is_tame(text: str) -> bool:
    controls = {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))} - set("\n\t")
    return not controls & set(text) and not set("\u202e\u2066\u200f") & set(text)


def test_controls_are_escapes_and_letters_stay() -> None:
    assert shown("a\tµ张é") == "a\tµ张é"
    assert shown("\x1b[1m\r\n\x7f\x9b\u202e") == "\\x1b[1m\\x0d\\x0a\\x7f\\x9b\\u202e"
    assert shown("\udcff\udc9b") == "\udcff\\x9b"


def test_names_of_files_cannot_write_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=2)
    root = tmp_path / f"dump{EVIL}"
    shutil.move(str(tmp_path / "ge"), root)
    (file, *_) = sorted(root.rglob("Mul.*"))
    file.write_bytes(file.read_bytes()[:-3])
    npy = next((tmp_path / "fx").rglob("*.npy"))
    for words in (
        ["-mp", str(root), "-gp", str(tmp_path / "fx"), "-o", str(tmp_path / "out")],
        ["-mp", str(tmp_path / "fx"), "-gp", str(root), "-o", str(tmp_path / "out")],
        ["show", str(file)],
        ["show", f"{file},outputs,0"],
        ["diff", f"{file},outputs,0", str(npy)],
        ["diff", str(tmp_path / EVIL), str(npy)],
        ["convert", str(root), "--settle", "0"],
        ["compare", "-mp", f"/no{EVIL}", "-gp", str(tmp_path)],
    ):
        main(words)
        captured = capsys.readouterr()
        assert captured.out + captured.err
        assert is_tame(captured.out), captured.out
        assert is_tame(captured.err), captured.err


def test_notes_of_the_log_are_lines_and_tracebacks_stay_readable() -> None:
    formatter = LogFormatter("ait-cmp: %(message)s")
    record = logging.LogRecord("x", logging.INFO, "x.py", 1, "two\nlines\x1b", (), None)
    assert formatter.format(record) == "ait-cmp: two\\x0alines\\x1b"
