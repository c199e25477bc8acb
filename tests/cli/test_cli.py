"""The command line as a person uses it, on the built-in sample."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import small_model
from ait_cmp.cli import demo
from ait_cmp.cli.main import main
from ait_cmp.config import Limits


def read_report(folder: Path) -> list[dict[str, str]]:
    (report,) = folder.glob("ait_cmp_report_*.csv")
    with report.open(newline="") as lines:
        return list(csv.DictReader(lines))


def write_different(folder: Path) -> list[str]:
    """Two small dumps that differ, and the words that name them."""
    small_model.write_dumps(folder, ranks=[0])
    for file in (folder / "fx").rglob("mul-*OUTPUT*"):
        np.save(file, np.load(file) * 2)
    return ["--my_path", str(folder / "ge"), "--golden_path", str(folder / "fx")]


def test_demo_names_the_operator_that_was_made_wrong(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It unpacks as the fixture `sample` did."""

    def unpack(folder: Path) -> None:
        folder.mkdir()
        for dump in sample.iterdir():
            (folder / dump.name).symlink_to(dump)

    monkeypatch.setattr(demo, "unpack_sample", unpack)
    assert main(["demo", "--folder", str(tmp_path / "demo")]) == 0
    printed = capsys.readouterr().out
    assert "FIRST DIVERGENCE in rank 0 graph_1 token 0: MatMul_3 (MatMul)" in printed


class Compared(NamedTuple):
    """A comparison by the command: its exit status, what it printed, the rows of its report."""

    status: int
    printed: str
    rows: list[dict[str, str]]


@pytest.fixture(scope="module")
def equal(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    """Of two dumps of the sample that compute the same."""
    output = tmp_path_factory.mktemp("equal")
    words = ["--my-path", str(sample / "ge"), "--golden-path", str(sample / "fx")]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = main([*words, "--output", str(output)])
    return Compared(status, printed.getvalue(), read_report(output))


def test_equal_dumps_exit_0_and_say_so(equal: Compared) -> None:
    assert equal.status == 0
    assert "tensors that could be compared computes something else." in equal.printed
    assert {row["verdict"] for row in equal.rows} <= {"pass", ""}


def test_the_totals_of_the_summary_add_up(equal: Compared) -> None:
    line = next(line for line in equal.printed.splitlines() if line.startswith("my tensors"))
    total, *parts = (int(number) for number in re.findall(r"\d+", line))
    assert total == sum(parts) == len(equal.rows)


def test_differences_exit_1_and_exit_zero_makes_it_0(tmp_path: Path) -> None:
    words = ["compare", *write_different(tmp_path), "--output", str(tmp_path / "out")]
    assert main(words) == 1
    assert main([*words, "--exit-zero"]) == 0


def test_two_reports_of_one_second_do_not_overwrite_each_other(tmp_path: Path) -> None:
    words = [*write_different(tmp_path), "-o", str(tmp_path / "out")]
    for _ in range(3):
        main(words)
    assert len(list((tmp_path / "out").glob("ait_cmp_report_rank0_*.csv"))) == 3


@pytest.mark.parametrize(
    ("my", "golden", "sentence"),
    [
        ("missing", "fx", "missing"),
        ("ge", "missing", "missing"),
        ("fx", "ge", "expected as the side under test"),
        ("empty", "fx", "empty"),
    ],
)
def test_folders_that_cannot_be_compared_exit_2_with_a_sentence(
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    my: str,
    golden: str,
    sentence: str,
) -> None:
    (tmp_path / "empty").mkdir()
    mine = tmp_path / my if my == "empty" else sample / my
    words = ["-mp", str(mine), "-gp", str(sample / golden), "-o", str(tmp_path)]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert "Traceback" not in captured.err


def test_fx_without_a_graph_text_says_which_file_is_needed(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = next((sample / "ge").glob("worldsize*"))
    copy = tmp_path / "ge"
    copy.mkdir()
    (copy / data.name).symlink_to(data)
    assert main(["-mp", str(copy), "-gp", str(sample / "fx"), "-o", str(tmp_path)]) == 2
    assert "dynamo_original_graph_" in capsys.readouterr().err


def test_a_filter_by_operator_keeps_its_rows_alone(sample: Path, tmp_path: Path) -> None:
    words = ["-mp", str(sample / "ge"), "-gp", str(sample / "ge_wrong"), "-o", str(tmp_path)]
    main([*words, "--op", "MatMul*", "--token", "1"])
    rows = read_report(tmp_path)
    assert {row["token_id"] for row in rows} == {"1"}
    assert {row["op_name"].split("_")[0] for row in rows} == {"MatMul"}


def test_diff_shows_metrics_and_the_worst_elements(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (my,) = (sample / "ge_wrong").rglob("0/MatMul.MatMul_3.*")
    (golden,) = (sample / "ge").rglob("0/MatMul.MatMul_3.*")
    assert main(["diff", f"{my},outputs,0", f"{golden},outputs,0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    errors = [abs(x - y) for _, x, y, _ in found["worst"]]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] == found["max_absolute_error"]
    assert sum(found["histogram"].values()) == 8 * 32


def test_diff_judges_by_the_limits_that_are_given_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = [tmp_path / "my.npy", tmp_path / "golden.npy"]
    for path, value in zip(paths, (1.02, 1.0)):
        np.save(path, np.array([value, -1.0], np.float32))
    words = ["diff", *map(str, paths)]
    assert main(words) == 0
    assert re.search(r"^verdict +pass$", capsys.readouterr().out, re.MULTILINE)
    assert main([*words, "--red-max", "0.01"]) == 1
    assert re.search(r"^verdict +fail$", capsys.readouterr().out, re.MULTILINE)
    main([*words, "--red-max", "0.01", "--json"])
    assert json.loads(capsys.readouterr().out)["verdict"] == "fail"
    assert main([*words, "--cosine-min", "1"]) == 1
    assert main([*words, "--red-max", "-1"]) == 2


@functools.cache
def help_of(command: str) -> str:
    with pytest.raises(SystemExit), contextlib.redirect_stdout(io.StringIO()) as printed:
        main([command, "--help"])
    return printed.getvalue()


@pytest.mark.parametrize("command", ["compare", "convert", "show", "diff", "demo"])
def test_help_explains_every_option_in_words(command: str) -> None:
    _, *options = re.split(r"\n  (?=-)", help_of(command).split("\n\n", 2)[2])
    assert options
    for option in options:
        names, *explained = re.split(r" {2,}|\n +", option.split("\n\n")[0].rstrip())
        assert len(" ".join(explained).split()) >= 2, names


@pytest.mark.parametrize("field", dataclasses.fields(Limits), ids=lambda field: field.name)
def test_help_says_the_default_of_every_limit(field: dataclasses.Field[float]) -> None:
    option = "--" + field.name.replace("_", "-")
    default = re.escape(f"{field.default:g}")
    assert re.search(rf"{option} X[^-]*\b{default}\n", help_of("compare"))


#: What loads less comes first. Prints what is loaded each time, then what the comparison prints.
FRESH = """
import sys, ait_cmp.dump.torchair_dump
print("helpers:", {"torch", "torch_npu", "torchair", "numpy"} & set(sys.modules))
from ait_cmp.cli.main import main
try: main(["--help"])
except SystemExit: print("help:", {"torch", "numpy"} & set(sys.modules))
status = main()
print("compared:", {"torch"} & set(sys.modules))
sys.exit(status)
"""


@pytest.fixture(scope="module")
def spelt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fresh") / "\u4e2d\u6587"


@pytest.fixture(scope="module")
def fresh(spelt_folder: Path) -> subprocess.CompletedProcess[bytes]:
    """The one process of these tests in which nothing is loaded yet, where the locale is C."""
    words = [*write_different(spelt_folder), "-o", str(spelt_folder / "out")]
    in_ascii = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    return subprocess.run(
        [sys.executable, "-c", FRESH, *map(os.fsencode, words)],
        env={**os.environ, **in_ascii},
        capture_output=True,
        check=False,
    )


def test_help_and_the_dump_helpers_load_neither_numpy_nor_torch(
    fresh: subprocess.CompletedProcess[bytes],
) -> None:
    assert b"helpers: set()\n" in fresh.stdout, fresh.stderr
    assert b"\nhelp: set()\n" in fresh.stdout


def test_comparing_needs_no_torch(fresh: subprocess.CompletedProcess[bytes]) -> None:
    assert b"FIRST DIVERGENCE" in fresh.stdout
    assert fresh.stdout.endswith(b"\ncompared: set()\n")


def test_dumps_below_a_folder_that_the_locale_cannot_spell_are_compared(
    fresh: subprocess.CompletedProcess[bytes], spelt_folder: Path
) -> None:
    assert fresh.returncode == 1, fresh.stderr
    assert read_report(spelt_folder / "out")[0]["my_data_path"].startswith(str(spelt_folder))
