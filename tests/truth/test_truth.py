"""Small dumps of known truth: clean ones raise no alarm, and planted bugs are named first.

`python -m benchmarks.truth fixed tests/data/truth.tar.xz` makes them again, through the genuine
torchair: benchmarks/truth/fixed.py has the programs and says which bugs they get.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Literal

import pytest

import ait_cmp
from shared_files import unpack

ARCHIVE = Path(__file__).parents[1] / "data" / "truth.tar.xz"
CLEAN = ("attention.clean", "decode.clean", "moe.clean", "prefill.clean", "w8a8.clean")
WITH_A_BUG = (
    "attention.softmax_tail",
    "decode.gelu_for_silu",
    "decode.stale_slot",
    "moe.one_nan",
    "moe.second_choice_wrong",
    "prefill.mask_of_one_head",
    "prefill.no_file_scale_1.3",
    "prefill.residual_dropped_in_token",
    "prefill.scores_scale",
    "w8a8.int8_channel_scale",
    "w8a8.scale_of_other_row",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(ARCHIVE, tmp_path_factory.mktemp("truth"))


@functools.cache
def compared(case: Path, replay: Literal["suspects", "all"] = "suspects") -> ait_cmp.Comparison:
    truth = json.loads((case / "truth.json").read_text())
    return ait_cmp.compare_dirs(case / "my", case / truth["golden"], threads=1, replay=replay)


def test_every_case_of_the_archive_is_tested(folder: Path) -> None:
    assert {path.name for path in (folder / "cases").iterdir()} == {*CLEAN, *WITH_A_BUG}


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_dump_raises_no_alarm(folder: Path, name: str) -> None:
    result = compared(folder / "cases" / name)
    assert result.counts["compared"] > 20
    assert [one.op_name for one in result.divergences] == []
    assert not result.has_differences


@pytest.mark.parametrize("name", CLEAN)
def test_no_output_of_a_clean_dump_is_wrong_when_all_are_replayed(folder: Path, name: str) -> None:
    result = compared(folder / "cases" / name, "all")
    assert result.replayed["right"] > result.replayed["not_replayed"]
    assert result.replayed.keys() <= {"right", "not_replayed"}
    assert not result.has_differences


#: Bugs of ops whose replay is not possible: weights that are not dumped, an op without a file.
NOT_REPLAYED = {"prefill.no_file_scale_1.3", "w8a8.int8_channel_scale"}


@pytest.mark.parametrize("name", sorted(set(WITH_A_BUG) - NOT_REPLAYED))
def test_replay_confirms_the_wrong_operator(folder: Path, name: str) -> None:
    case = folder / "cases" / name
    (bug,) = json.loads((case / "truth.json").read_text())["bugs"]
    for result in (compared(case), compared(case, "all")):
        assert {one.op_name for one in result.divergences} == {bug["dumped_as"]}
        for one in result.divergences:
            assert f"{one.op_name} ({one.op_type}) does not compute" in (one.replay or "")


@pytest.mark.parametrize("name", WITH_A_BUG)
def test_the_wrong_operator_is_named_first(folder: Path, name: str) -> None:
    case = folder / "cases" / name
    (bug,) = json.loads((case / "truth.json").read_text())["bugs"]
    result = compared(case)
    assert result.divergences
    if name == "prefill.no_file_scale_1.3":  # no file of its own: what reads it is compared first
        assert all(bug["op"] in one.candidates for one in result.divergences)
    else:
        assert result.divergences[0].op_name == bug["dumped_as"]
    assert result.has_differences
