"""What the command line says to wrong words, odd names and broken outputs: a sentence, an exit
status, never a traceback."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ait_cmp.cli.main import main
from forked import COMMAND, TO_A_FULL_DISK, Forked
from small_model import MUL, ROWS_PER_TOKEN, write_dumps


def words(root: Path, *more: str) -> list[str]:
    sides = ["-mp", str(root / "ge"), "-gp", str(root / "fx"), "-o", str(root / "out")]
    return [*sides, *more]


def save(path: Path, values: object) -> str:
    np.save(path, np.asarray(values))
    return str(path)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--threads", "99999999999999"], "a number from 1 to 1024 expected, found 99999999999999"),
        (["--threads", "0"], "threads: a number from 1"),
        (["--token", "9"], "there is no step 9 in this dump; it has 0 to 1"),
        (["--op", "Nope*"], "No operator, FX node, type or module of the my side fits Nope*."),
    ],
)
def test_a_wish_that_nothing_fulfils_is_told_and_exits_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: list[str], message: str
) -> None:
    write_dumps(tmp_path)
    assert main(words(tmp_path, *option)) == 2
    assert message in capsys.readouterr().err


def test_a_misspelt_command_is_told_and_the_commands_are_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["shwo", "file"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "'shwo'" in said
    assert all(command in said for command in ("compare", "convert", "show", "diff", "demo"))


def test_no_word_at_all_shows_the_help_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "replace dump files by info files" in captured.err


def test_a_missing_rank_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_dumps(tmp_path, ranks=[0])
    assert main(words(tmp_path, "--rank", "5")) == 2
    assert "there is no rank 5 in this dump; it has 0" in capsys.readouterr().err


def test_golden_tensors_of_other_ops_are_not_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    main(words(tmp_path, "--op", "Abs*"))
    assert "golden tensors  5 = 2 used, 3 not used" in capsys.readouterr().out


def test_tensors_that_cannot_be_compared_are_in_the_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    for file in (tmp_path / "fx").rglob("mul-*OUTPUT*"):
        np.save(file, np.zeros(7, np.float32))
    assert main(words(tmp_path)) == 1
    printed = capsys.readouterr().out
    assert "nothing diverges" not in printed
    assert "NOT COMPARED: 2 tensors" in printed
    assert "Mul_2 (Mul) outputs 0: data shape doesn't match. (my (3, 211), golden (7,))" in printed


def test_a_broken_link_is_an_unreadable_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    (file,) = (tmp_path / "ge").rglob(MUL)
    file.unlink()
    file.symlink_to(tmp_path / "gone")
    assert main(words(tmp_path)) == 1
    printed = capsys.readouterr().out  # one row stands for the three tensors of the file
    assert f"my tensors      {ROWS_PER_TOKEN - 2} = " in printed
    assert "1 unreadable" in printed
    assert "NOT COMPARED: 1 tensor has another shape or cannot be read." in printed
    assert f"Mul_2 (Mul): {file}: No such file" in printed


def test_a_link_to_itself_does_not_hide_the_files_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    (file,) = (tmp_path / "ge").rglob(MUL)
    file.with_name("loop").symlink_to("loop")
    assert main(words(tmp_path)) == 0
    assert f"my tensors      {ROWS_PER_TOKEN} = " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{npy},inputs,0", "{npy}"], "an .npy file is one tensor, there is no inputs 0"),
        (["{npy},outputs,1", "{npy}"], "an .npy file is one tensor, there is no outputs 1"),
        (["{npy},outputs,99999999999", "{npy}"], "no such file"),
        (["{npy}", "."], ".: this is a folder; expected a file of a dump"),
        (["{npy}", "{npy}", "-k", "-3"], "--worst: a number from 0 on expected, found -3"),
    ],
)
def test_wrong_words_for_diff_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    npy = save(tmp_path / "x.npy", [1.0, 2.0])
    assert main(["diff", *(word.format(npy=npy) for word in arguments)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "diff"])
def test_the_one_tensor_of_an_array_may_be_called_outputs_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    npy = save(tmp_path / "x.npy", [1.0, 2.0])
    more = [npy] if command == "diff" else []
    assert main([command, f"{npy},outputs,0", *more]) == 0
    assert "torch.float64" in capsys.readouterr().out


def test_diff_for_machines_is_strict_json_also_with_infinite_metrics(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    my = save(tmp_path / "x.npy", [1e308, -1e308])
    golden = save(tmp_path / "y.npy", [-1e308, 0.0])
    assert main(["diff", my, golden, "--json"]) == 1

    def refuse(constant: str) -> None:
        pytest.fail(f"{constant} is no JSON")

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert found["max_absolute_error"] == "inf"


def test_diff_of_equal_bytes_without_a_value_coding_exits_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    npy = save(tmp_path / "x.npy", ["text"])
    assert main(["diff", npy, npy]) == 0
    assert "Compared as bytes: equal." in capsys.readouterr().out


def test_diff_of_arrays_of_text_says_that_they_are_no_numbers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [save(tmp_path / "x.npy", ["text"]), save(tmp_path / "y.npy", ["longer text"])]
    assert main(["diff", *files]) == 2
    assert "The bytes are no numbers. The sizes differ" in capsys.readouterr().out


def test_a_graph_text_that_cannot_be_read_is_not_called_one_of_another_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    graph = next(tmp_path.rglob("dynamo_original_graph_*.txt"))
    graph.write_text(graph.read_text()[:-200])
    assert main(words(tmp_path)) == 2
    said = capsys.readouterr().err
    assert "A graph text cannot be read: " in said
    assert "of another run" not in said


def test_show_of_a_graph_says_that_it_is_a_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    graph = next(tmp_path.rglob("dynamo_original_graph_*.txt"))
    assert main(["show", str(graph)]) == 2
    assert "(a text file, such as a graph, and no GE dump?)" in capsys.readouterr().err


@pytest.mark.parametrize("sizes", [(12, 12), (3, 4, 12)])
def test_complex_against_real_says_why_shapes_do_not_match(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sizes: tuple[int, ...]
) -> None:
    my = save(tmp_path / "x.npy", np.zeros(sizes, np.complex64))
    golden = save(tmp_path / "y.npy", np.zeros(sizes, np.float32))
    assert main(["diff", my, golden]) == 1
    assert "The my side is complex: each element is two values." in capsys.readouterr().out


def test_a_name_that_is_no_utf8_is_printed_as_its_bytes(tmp_path: Path, forked: Forked) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.npy"
    shutil.copy(save(tmp_path / "x.npy", [1.0]), path)
    strict = "import sys; sys.stdout.reconfigure(encoding='utf-8', errors='strict')"
    shown = forked.run(f"{strict}\n{COMMAND}", "show", os.fsdecode(path))
    assert shown.status == 0, shown.err
    assert os.fsdecode(path) in shown.out


def test_a_full_disk_behind_stdout_is_a_sentence(tmp_path: Path, forked: Forked) -> None:
    npy = save(tmp_path / "x.npy", [1.0])
    done = forked.run(f"{TO_A_FULL_DISK}\n{COMMAND}", "show", npy)
    assert done.status == 2
    assert done.err == "ait-cmp: error: No space left on device\n"


def test_a_closed_stdout_changes_nothing_but_what_is_seen(tmp_path: Path, forked: Forked) -> None:
    write_dumps(tmp_path)
    # As Python starts where there is no descriptor 1; the next file that is opened gets it.
    closed = "import os, sys; os.close(1); sys.stdout = sys.__stdout__ = None"
    done = forked.run(f"{closed}\n{COMMAND}", *words(tmp_path))
    assert (done.status, done.err) == (0, "")
    (report,) = (tmp_path / "out").glob("*.csv")
    assert len(report.read_bytes().splitlines()) == 1 + 2 * ROWS_PER_TOKEN


def test_a_reader_that_stops_reading_is_no_error(tmp_path: Path, forked: Forked) -> None:
    npy = save(tmp_path / "x.npy", [1.0])
    nobody_reads = "import os; reading, writing = os.pipe(); os.close(reading); os.dup2(writing, 1)"
    done = forked.run(f"{nobody_reads}\n{COMMAND}", "show", npy)
    assert done.status == 141
    assert done.err == ""


def test_a_reduced_file_shows_what_it_holds_and_has_no_difference_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    assert main(["convert", str(tmp_path / "ge"), "--force"]) == 0
    (file,) = (tmp_path / "ge").rglob(f"{MUL}_info.npz")
    capsys.readouterr()
    assert main(["show", f"{file},outputs,0"]) == 0
    shown = capsys.readouterr().out
    assert "a file of kind sketch: it holds the values of 3 small tensors" in shown
    assert "outputs,0  torch.float32" in shown
    assert main(["diff", f"{file},outputs,0", str(file)]) == 2
    assert "a file of a reduced dump, in which most values are left out" in capsys.readouterr().err


def test_no_command_that_needs_values_is_told_for_reduced_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    for file in (tmp_path / "fx").rglob("mul-*OUTPUT*"):
        np.save(file, np.load(file) * 2)
    main(words(tmp_path))
    assert "ait-cmp diff" in capsys.readouterr().out
    assert main(["convert", str(tmp_path / "ge"), "--force"]) == 0
    main(words(tmp_path))
    printed = capsys.readouterr().out
    assert "FIRST DIVERGENCE" in printed
    assert "ait-cmp diff" not in printed


def test_nan_of_the_golden_side_alone_is_not_blamed_on_my_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_dumps(tmp_path, tokens=1)
    for file in (tmp_path / "fx").rglob("mul-*OUTPUT*"):
        np.save(file, np.load(file) * np.nan)
    assert main(words(tmp_path)) == 1
    assert "NaN or inf stand on one side" in capsys.readouterr().out
