"""Who can compare which rank, from what the workers of a cluster say that they see."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import ait_cmp
import small_model
from ait_cmp.cli.main import main
from ait_cmp.distribute.probe import look
from ait_cmp.distribute.sight import rank_text, sight_of

PROGRAM = "1.2.3"


def says(my: list[int], golden: list[int], *why: str, program: str | None = PROGRAM) -> Any:
    return {"program": program, "my": my, "golden": golden, "why": list(why)}


def test_a_rank_goes_to_workers_that_see_both_of_its_sides() -> None:
    answers = {"a": says([0, 1], [0]), "b": says([1, 2], [1, 2]), "c": says([2], [2])}
    sight = sight_of(answers, PROGRAM, "/my", "/golden")
    assert sight.ranks == [0, 1, 2]
    assert [sorted(sight.workers_of(rank)) for rank in (0, 1, 2, 3)] == [
        ["a"],
        ["b"],
        ["b", "c"],
        [],
    ]
    assert sight.groups([2, 1, 0, 3]) == {
        frozenset("a"): [0],
        frozenset("b"): [1],
        frozenset("bc"): [2],
    }


def test_one_golden_process_meets_every_rank() -> None:
    answers = {"a": says([0], [0]), "b": says([1], [0]), "c": says([2], [])}
    sight = sight_of(answers, PROGRAM, "/my", "/golden")
    assert [sorted(sight.workers_of(rank)) for rank in (0, 1, 2)] == [["a"], ["b"], []]
    assert sight.why_not(2) == (
        "rank 2 is not compared: no worker sees both of its sides (my side: c; golden side: nobody)"
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (
            {"a": says([0], [0]), "b": says([], [], "No module", program=None)},
            r"worker b has no ait-cmp \(No module\): pip install ait-cmp==1\.2\.3 there",
        ),
        (
            {"a": says([0], [0], program="1.2.4")},
            r"worker a has ait-cmp 1\.2\.4, here it is 1\.2\.3: workers need the same version",
        ),
        (
            {"a": says([], [0], "/my: no such folder")},
            "no worker sees a dump in /my: /my: no such folder",
        ),
        (
            {"a": says([0], [], "/golden is empty")},
            "no worker sees a dump in /golden: /golden is empty",
        ),
    ],
    ids=["missing", "other", "my", "golden"],
)
def test_what_is_wrong_with_a_cluster_is_one_sentence(answers: Any, said: str) -> None:
    with pytest.raises(ait_cmp.ConfigError, match=said):
        sight_of(answers, PROGRAM, "/my", "/golden")


def test_a_worker_tells_what_it_sees(tmp_path: Path) -> None:
    small_model.write_dumps(tmp_path, tokens=1, ranks=[0, 1])
    folders = str(tmp_path / "ge"), str(tmp_path / "nowhere")
    told = look(ait_cmp.__version__, *folders)
    (why,) = told.pop("why")
    assert str(tmp_path / "nowhere") in why
    assert told == {"program": ait_cmp.__version__, "my": [0, 1], "golden": []}
    assert look("0.0.1", *folders) == {"program": ait_cmp.__version__, "why": []}


def test_ranks_are_named_as_in_other_messages() -> None:
    assert [rank_text([3]), rank_text([0, 1, 2, 5])] == ["rank 3", "ranks 0 to 2, 5"]


def test_without_dask_its_option_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    words = [str(tmp_path / "ge"), str(tmp_path / "fx"), "-o", str(tmp_path)]
    assert main(["compare", *words, "--dask", "tcp://host:8786"]) == 2
    assert "pip install 'ait-cmp[dask]'" in capsys.readouterr().err
