"""`ait-cmp merge`: the same report in whatever grouping, the one of all ranks; misfits are told."""

from __future__ import annotations

import json
import re
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ait_cmp
import three_ranks
from ait_cmp.cli.main import main
from three_ranks import RANKS

#: What tells of the run that wrote a result.json; the others must be the same in any grouping.
OF_THE_RUN = ("command", "made")
#: What one run over all ranks cannot have as three have it, beside these.
OF_THE_PARTS = ("time", "runs")


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    three_ranks.write(folder)
    return folder


@pytest.fixture(scope="module")
def hosts(dumps: Path) -> list[Path]:
    """The report of each host, which has one rank."""
    folders = [dumps / f"host{rank}" for rank in RANKS]
    for rank, folder in zip(RANKS, folders):
        ait_cmp.compare_dirs(dumps / "ge", dumps / "fx", ranks=rank, output=folder)
    return folders


Merge = Callable[..., Path]


@pytest.fixture
def merge(tmp_path: Path) -> Merge:
    """Merges folders into a new one and returns it."""
    made: list[Path] = []

    def merged(*folders: Path, status: int = 1, options: tuple[str, ...] = ()) -> Path:
        made.append(tmp_path / f"merged{len(made)}")
        words = ["merge", *map(str, folders), "--output", str(made[-1]), *options]
        assert main(words) == status
        return made[-1]

    return merged


def result_of(folder: Path) -> dict[str, Any]:
    """The content of the result.json of a folder."""
    (path,) = folder.glob("ait_cmp_result_*.json")
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a report; what tells of the run is blanked."""
    result = result_of(folder)
    blanks = [(f'"{name}": {json.dumps(result[name])}'.encode(), b"") for name in OF_THE_RUN]
    found = {}
    for path in folder.iterdir():
        content = path.read_bytes()
        if path.suffix != ".csv":
            for told, blank in blanks:
                assert content.count(told) == 1, path
                content = content.replace(told, blank)
        found[path.name] = content
    return found


def test_every_grouping_gives_the_same_bytes(hosts: list[Path], merge: Merge) -> None:
    a, b, c = hosts
    page = ("--html",)
    whole = files_of(merge(a, b, c, options=page))
    assert len(whole) == len(RANKS) + 2
    assert files_of(merge(c, b, a, options=page)) == whole
    assert files_of(merge(merge(a, b), c, options=page)) == whole
    assert files_of(merge(b, merge(c, a), options=page)) == whole
    assert files_of(merge(merge(merge(b), merge(c)), a, options=page)) == whole


def test_it_is_the_report_of_one_run_over_all_ranks(
    dumps: Path, hosts: list[Path], merge: Merge, tmp_path: Path
) -> None:
    one = ait_cmp.compare_dirs(dumps / "ge", dumps / "fx", output=tmp_path / "one")
    merged = merge(*hosts)
    ours, theirs = result_of(tmp_path / "one"), result_of(merged)
    for rank, report, other in zip(RANKS, ours["csv"], theirs["csv"]):
        assert (merged / other["name"]).read_bytes() == one.csv_paths[rank].read_bytes()
        assert (other["rank"], other["rows"]) == (rank, report["rows"])
    moment = re.compile(r"_\d{14}(?=\.csv)")
    for content in (ours, theirs):
        for name in (*OF_THE_RUN, *OF_THE_PARTS):
            del content[name]
    assert moment.sub("", json.dumps(ours)) == moment.sub("", json.dumps(theirs))


def test_the_summary_begins_with_what_is_first_over_all_ranks(
    hosts: list[Path], merge: Merge, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = merge(*hosts)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("INPUTS DIFFER: arg0_1")
    assert lines[1].startswith("FIRST DIVERGENCE in rank 1 graph_1 token 0: Mul_2 (Mul)")
    assert f"report          {folder}/{result_of(folder)['csv'][0]['name']}" in lines
    assert [run["ranks"] for run in result_of(folder)["runs"]] == [[0], [1], [2]]


def test_language_json_and_exit_zero_are_those_of_compare(
    hosts: list[Path], merge: Merge, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = merge(*hosts, status=0, options=("--json", "--exit-zero"))
    assert json.loads(capsys.readouterr().out) == result_of(folder)
    merge(*hosts, options=("--lang", "zh"))
    assert "两次运行的输入数据不同" in capsys.readouterr().out
    assert merge(hosts[0], status=0)


def test_a_report_that_was_merged_is_read_like_any_other(
    hosts: list[Path], merge: Merge, tmp_path: Path
) -> None:
    merged = merge(*hosts)
    page = tmp_path / "page.html"
    assert main(["report", str(merged), "--html", str(page)]) == 1
    assert page.stat().st_size > 1000


def test_names_are_taken_that_all_reports_can_have(hosts: list[Path], tmp_path: Path) -> None:
    """A second report of the same moment in a folder: its files still belong together."""
    out = tmp_path / "out"
    assert main(["merge", str(hosts[0]), "-o", str(out)]) == 0
    assert main(["merge", *map(str, hosts), "-o", str(out)]) == 1
    (second,) = out.glob("ait_cmp_result_*_1.json")
    names = [report["name"] for report in json.loads(second.read_bytes())["csv"]]
    assert [name.endswith("_1.csv") for name in names] == [True] * 3
    assert main(["merge", str(out), "-o", str(tmp_path / "again")]) == 1  # the newest: all three


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said of a command that ends with 2: one sentence."""
    assert main(words) == 2
    told = capsys.readouterr()
    assert not told.out
    (line,) = told.err.splitlines()
    return line


def changed(folder: Path, into: Path, **fields: Any) -> Path:
    """A copy of a report with other fields in its result.json."""
    shutil.copytree(folder, into)
    (path,) = into.glob("ait_cmp_result_*.json")
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **fields}))
    return into


def test_every_misfit_is_one_sentence(
    dumps: Path, hosts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, _ = hosts
    out = ["-o", str(tmp_path / "out")]

    def told(*folders: Path) -> str:
        return refused(["merge", *map(str, folders), *out], capsys)

    assert f"rank 0 is in {a} and in {a}: give each rank once" in told(a, b, a)
    other = changed(b, tmp_path / "other", program="0.0.1")
    assert "was written by ait-cmp 0.0.1, this is" in told(a, other)
    limits = {**result_of(b)["limits"], "red_max": 0.5}
    other = changed(b, tmp_path / "limits", limits=limits)
    assert f"{other} and {a} do not fit together: red_max is 0.5 and 0.05" in told(a, other)
    other = changed(b, tmp_path / "damaged", merge={})
    assert "damaged: the field merge cannot be read" in told(a, other)
    (tmp_path / "no_ranks").mkdir()
    three_ranks.small_model.write_dumps(tmp_path / "plain")
    ait_cmp.compare_dirs(tmp_path / "plain/ge", tmp_path / "plain/fx", output=tmp_path / "no_ranks")
    assert f"{tmp_path}/no_ranks tells no ranks" in told(a, tmp_path / "no_ranks")
    assert "no report of ait-cmp" in told(a, dumps / "ge")
    assert "no such folder" in told(a, tmp_path / "nowhere")
    assert "a folder of its own expected" in refused(["merge", str(a), "-o", str(a)], capsys)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("what", ["cut", "gone", "columns", "result"])
def test_a_report_that_was_not_copied_whole_is_told(
    hosts: list[Path], tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(hosts[1], copy)
    (path,) = copy.glob("*.csv")
    content = path.read_bytes()
    if what == "cut":
        path.write_bytes(content[:-100])
    elif what == "gone":
        path.rename(copy / path.name.replace("rank1", "rank7"))
    elif what == "columns":
        path.write_bytes(content.replace(b"kl_divergence", b"kl", 1))
    else:
        next(copy.glob("ait_cmp_result_*.json")).unlink()
    line = refused(["merge", str(hosts[0]), str(copy), "-o", str(tmp_path / "out")], capsys)
    wanted = {
        "cut": "14 rows expected, as its result.json says, found 13: was it copied whole?",
        "gone": "this report is missing; ait_cmp_result_",
        "columns": "other columns than this version of ait-cmp writes",
        "result": "there is no result.json beside",
    }
    assert wanted[what] in line
    assert not list((tmp_path / "out").iterdir())


def test_memory_does_not_grow_with_the_rows(hosts: list[Path], tmp_path: Path) -> None:
    """A report of many rows, one of them with a line end in quotes, is copied in portions."""
    large = tmp_path / "large"
    shutil.copytree(hosts[0], large)
    (path,) = large.glob("*.csv")
    lines = path.read_bytes().splitlines(keepends=True)
    rows = [*lines[1:], b'"a\n""b",' + lines[1]]
    n_times = 6_000_000 // sum(map(len, rows))
    with path.open("wb") as file:
        file.write(lines[0])
        file.writelines(b"".join(rows) for _ in range(n_times))
    (result,) = large.glob("ait_cmp_result_*.json")
    content = json.loads(result.read_bytes())
    content["csv"][0]["rows"] = len(rows) * n_times
    result.write_text(json.dumps(content))
    tracemalloc.start()
    try:
        assert main(["merge", str(large), "-o", str(tmp_path / "out")]) == 0
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    (copied,) = (tmp_path / "out").glob("*.csv")
    assert copied.read_bytes() == path.read_bytes()
    assert peak < path.stat().st_size / 2
