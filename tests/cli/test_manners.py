"""What people type, and what they are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import ait_cmp
import small_model
from ait_cmp.cli.main import main
from ait_cmp.convert import convert_dir
from ait_cmp.convert.result import Conversion
from ait_cmp.errors import ShapeError
from ait_cmp.terms import ByteProgress
from trees import rank_name

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small dumps: how they are named is the matter here."""
    folder = tmp_path_factory.mktemp("dumps")
    small_model.write_dumps(folder, ranks=[0])
    return folder


@pytest.fixture
def at_home(dumps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The dumps are at home, the reports go elsewhere."""
    home = tmp_path / "home"
    home.mkdir()
    for dump in dumps.iterdir():
        (home / dump.name).symlink_to(dump)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.mark.parametrize(
    "words",
    [
        ["~/ge", "~/fx"],
        ["compare", "~/ge", "~/fx"],
        ["~/ge", "--golden-path", "~/fx"],
        ["--target-path", "~/ge", "--golden-path", "~/fx"],
        ["--target_path", "~/ge", "-gp", "~/fx", "--token", "0,1", "--rank", "0-0"],
        ["--token", "0|1", "--my-path", "~/ge", "-gp", "~/fx"],
    ],
)
def test_two_folders_however_they_are_named(
    at_home: Path, tmp_path: Path, words: list[str]
) -> None:
    assert at_home.is_dir()
    assert main(words) == 0
    assert len(list(tmp_path.glob("ait_cmp_report_*.csv"))) == 1


def test_the_home_is_filled_in_everywhere(at_home: Path, capsys: Captured) -> None:
    (file,) = (at_home / "fx").rglob("0/mul-*OUTPUT*.npy")
    name = f"~/{file.relative_to(at_home)}"
    assert main(["show", name]) == 0
    assert main(["diff", name, name]) == 0
    assert main(["-mp", "~/ge", "-gp", "~/fx", "-o", "~/reports of mine"]) == 0
    assert len(list((at_home / "reports of mine").glob("*.csv"))) == 1
    assert main(["-mp", "~nobody_of_this_name/ge", "-gp", "~/fx"]) == 2
    assert "nobody_of_this_name" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["llm", "compare", "--my-path", "a"], "`ait-cmp compare --my-path GE --golden-path FX`"),
        (["~/ge"], "two folders expected"),
        (["~/ge", "~/fx", "~/more"], "not understood: ~/more"),
        (["~/ge", "~/ge/../ge"], "this folder was given for both sides"),
        (["~/fx", f"~/fx/{rank_name(0)}"], "both are FX dumps"),
        (["~/fx", "~/ge"], "swapped?"),
    ],
)
def test_what_cannot_be_compared_is_told(
    at_home: Path, capsys: Captured, words: list[str], sentence: str
) -> None:
    assert at_home.is_dir()
    assert main(words) == 2
    assert sentence in capsys.readouterr().err


def test_diff_takes_the_only_output_of_a_file(sample: Path, capsys: Captured) -> None:
    (my,) = (sample / "ge_wrong").rglob("0/MatMul.MatMul_3.*")
    (golden,) = (sample / "fx").rglob("0/mm_3-*OUTPUT*.npy")
    main(["diff", f"{my},outputs,0", str(golden)])
    named = capsys.readouterr().out
    main(["diff", str(my), str(golden)])
    assert capsys.readouterr().out.splitlines()[2:] == named.splitlines()[2:]


def test_two_shapes_are_a_difference(tmp_path: Path) -> None:
    for name, n in (("a", 3), ("b", 4)):
        np.save(tmp_path / f"{name}.npy", np.zeros(n))
    assert main(["diff", str(tmp_path / "a.npy"), str(tmp_path / "b.npy")]) == 1


def test_convert_of_a_file_says_that_it_is_one(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.zeros(3))
    assert main(["convert", str(path)]) == 2
    assert "this is a file; its folder is expected" in capsys.readouterr().err


def test_a_dump_that_was_cut_off_is_told(tmp_path: Path) -> None:
    small_model.write_dumps(tmp_path)
    whole = ait_cmp.compare_dirs(tmp_path / "ge", tmp_path / "fx").notes
    assert "its last step" not in " ".join(whole)
    (last,) = (tmp_path / "ge").rglob("graph_1/1/1")
    for name in (small_model.MUL, small_model.SQRT):
        (last / name).unlink()
    notes = " ".join(ait_cmp.compare_dirs(tmp_path / "ge", tmp_path / "fx").notes)
    assert "graph_1: its last step, 1, has 1 of the 3 operators of the step before" in notes
    assert "was the run stopped while it wrote?" in notes


def test_a_folder_that_html_took_is_told(sample: Path, capsys: Captured) -> None:
    assert main(["--html", str(sample / "ge"), str(sample / "fx")]) == 2
    assert f"--html took {sample / 'ge'} as its file" in capsys.readouterr().err


class Line:
    """A progress line that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def tell_bytes(self, n_done: int, n_all: int) -> None:
        self.told.append((n_done, n_all))

    def __call__(self, n_done: int, n_known: int) -> None:
        assert n_done <= n_known


def test_progress_in_bytes_ends_with_all_of_them(sample: Path) -> None:
    line = Line()
    assert isinstance(line, ByteProgress)
    ait_cmp.compare_dirs(sample / "ge", sample / "fx", progress=line)
    files = [*(sample / "ge").rglob("0/graph_1/1/*/*"), *(sample / "fx").rglob("*.npy")]
    assert line.told == sorted(line.told)
    assert line.told[-1] == (sum(file.stat().st_size for file in files),) * 2


def test_progress_of_a_replay_in_bytes_ends_with_all_of_them(sample: Path) -> None:
    line = Line()
    ait_cmp.replay(sample / "ge", ops="MatMul*", progress=line)
    files = [*(sample / "ge").rglob("0/graph_1/1/*/MatMul.*")]
    assert line.told == sorted(line.told)
    assert line.told[-1] == (sum(file.stat().st_size for file in files),) * 2


def test_progress_of_a_conversion_says_how_long_it_will_take(tmp_path: Path) -> None:
    for number in range(4):
        np.save(
            tmp_path / f"x-aten.mm.default.OUTPUT.0.2026112212160549770{number}.npy", np.ones(9999)
        )
    waiting: list[int] = []

    def look(state: Conversion) -> None:
        waiting.append(state.waiting_bytes)
        assert (" left, " in state.line(str(tmp_path))) == (state.waiting_bytes > 0)

    convert_dir(tmp_path, settle=0, progress=look)
    assert waiting == sorted(waiting, reverse=True)
    assert (len(waiting), waiting[-1]) == (4, 0)


def test_tab_completion_shows_the_public_names() -> None:
    assert dir(ait_cmp) == sorted(ait_cmp.__all__)
    assert {"compare_dirs", "open_dump", "Limits"} <= set(dir(ait_cmp))


def test_arrays_of_other_shapes_are_refused_unless_asked_for() -> None:
    x = np.arange(6.0).reshape(2, 3)
    with pytest.raises(ShapeError, match=r"shapes differ: my has shape \(2, 3\), golden \(3, 2\)"):
        ait_cmp.compare_arrays(x, x.reshape(3, 2))
    assert ait_cmp.compare_arrays(x, x.reshape(3, 2), same_shape=False).max_absolute_error == 0
    with pytest.raises(ShapeError, match="element counts differ"):
        ait_cmp.compare_arrays(x, np.zeros(5), same_shape=False)
