"""How much a comparison replays, what it loads for it, and its options.

Both sides are GE dumps that the tests' own evaluator wrote (`planted`): golden without noise.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ait_cmp
import planted
from ait_cmp.cli.main import main
from ait_cmp.compare import prover
from ait_cmp.replay import suspects
from forked import Forked
from two_dumps import (
    ROUNDOFF,
    Array,
    Build,
    cancelling,
    own,
    spoil,
    summary,
    told,
    two_dumps,
    write,
)

Dumps = Callable[..., "list[Path]"]


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Dumps:
    """`two_dumps` that are written once, the golden one for all of a model: not to be changed."""

    @cache
    def side(name: str, build: Build, **of_it: Any) -> Path:
        return write(tmp_path_factory.mktemp("dump") / name, build, **of_it)

    def both(build: Build = planted.transformer, **of_mine: Any) -> list[Path]:
        return [side("my", build, **of_mine), side("golden", build, noise=0.0)]

    return both


# --- how much is replayed ----------------------------------------------------------------------


def test_all_ops_are_replayed_when_asked(dumps: Dumps) -> None:
    result = ait_cmp.compare_dirs(*dumps(noise=1.0), replay="all")
    outputs = [row for row in result.rows if row.io == "outputs"]
    assert all(row.own_growth is not None for row in outputs)
    assert result.replayed == {"right": len(outputs)}
    assert not result.has_differences


def test_replay_of_all_finds_what_no_row_shows(dumps: Dumps) -> None:
    def how(y: Array, _: np.random.Generator) -> Array:
        y[3, 5] *= 1 + 2 * ROUNDOFF
        return y

    folders = dumps(noise=0.0, bug="ConcatV2", how=how)
    assert told(ait_cmp.compare_dirs(*folders, replay="none")) == []
    (found,) = ait_cmp.compare_dirs(*folders, replay="all").divergences
    assert (found.op_name, found.kind) == ("ConcatV2", "replay")
    assert "1 of 1536 elements differ, where none may" in (found.replay or "")


def test_what_is_beyond_the_budget_is_counted(
    dumps: Dumps, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = dumps(cancelling)
    monkeypatch.setattr(prover, "_WORK_OF_DIVERGENCES", 0)
    result = ait_cmp.compare_dirs(*folders)
    assert result.replayed == {"left_out": 1}
    assert ("Sub", "growth") in told(result)
    assert "1 left out" in summary(result)
    assert ait_cmp.compare_dirs(*folders, replay="all").replayed["right"] == 4


def test_suspects_have_a_budget_of_their_own(dumps: Dumps, monkeypatch: pytest.MonkeyPatch) -> None:
    def how(y: Array, rng: np.random.Generator) -> Array:
        return y * (1.0 + 3.0 * ROUNDOFF * rng.normal(size=y.shape))

    folders = dumps(cancelling, noise=0.0, bug="Mul", how=how)
    assert own(ait_cmp.compare_dirs(*folders)).keys() == {"Mul", "Sub"}
    monkeypatch.setattr(prover, "_LEAST_WORK", 0)
    monkeypatch.setattr(prover, "_WORK_SHARE", 0)
    result = ait_cmp.compare_dirs(*folders)
    assert own(result).keys() == {"Sub"}
    assert result.replayed["left_out"] == 1


def test_ops_of_largest_growth_come_first(dumps: Dumps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prover, "_MAX_OPS", 1)

    def two_bugs(model: planted.Model) -> planted.Model:
        model = cancelling(model)
        x = model.input("arg3_1", np.random.default_rng(2).normal(size=(32, 32)))
        model.op("Abs", lambda a: np.abs(a) * (1.3 if model.noise else 1.0), [("x", x)])
        return model

    result = ait_cmp.compare_dirs(*dumps(two_bugs))
    assert result.replayed == {"wrong": 1, "left_out": 1}
    assert own(result).keys() == {"Abs"}


def test_replay_goes_on_no_further_after_ctrl_c_and_rows_are_whole(
    dumps: Dumps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replay_op = suspects._replay_op

    def interrupted(*args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return replay_op(*args)

    monkeypatch.setattr(suspects, "_replay_op", interrupted)
    folders = dumps(noise=1.0)
    result = ait_cmp.compare_dirs(*folders, replay="all", output=tmp_path / "report")
    assert result.was_interrupted
    assert len(own(result)) == 1
    assert result.replayed["left_out"] > 10
    (path,) = result.csv_paths
    assert len(path.read_text().splitlines()) == len(result.rows) + 1
    assert {row.verdict for row in result.rows} == {"pass"}


@pytest.mark.parametrize("mode", ["suspects", "all"])
def test_the_report_is_the_same_for_every_number_of_threads(dumps: Dumps, mode: Any) -> None:
    folders = dumps(noise=1.0, bug="Mul_2", how=spoil("noise"))
    results = [ait_cmp.compare_dirs(*folders, replay=mode, threads=n) for n in (1, 2, 8)]
    for other in results[1:]:
        assert list(other.rows) == list(results[0].rows)
        assert other.divergences == results[0].divergences
        assert other.replayed == results[0].replayed


def test_steps_that_repeat_are_replayed_with_their_own_files(tmp_path: Path) -> None:
    mine, golden = two_dumps(tmp_path)
    write(tmp_path / "golden", noise=0.0, step=1)
    write(tmp_path / "my", bug="RmsNorm", how=spoil("noise"), step=1)
    result = ait_cmp.compare_dirs(mine, golden)
    (found,) = result.divergences
    assert (found.op_name, found.token) == ("RmsNorm", 1)
    assert "does not compute" in (found.replay or "")
    wrong = [row for row in result.rows if (row.own_growth or 0) > 3]
    assert [(row.op_name, row.token_id) for row in wrong] == [("RmsNorm", 1)]


def test_a_comparison_without_suspects_does_not_load_the_room_that_replays(
    dumps: Dumps, forked: Forked
) -> None:
    mine, golden = dumps(noise=0.0)
    # The process has loaded all of ait_cmp: all but the core is loaded anew.
    script = (
        "import sys\n"
        "for name in [name for name in sys.modules if name.partition('.')[0] == 'ait_cmp']:\n"
        "    if name != 'ait_cmp._core':\n"
        "        del sys.modules[name]\n"
        "import ait_cmp\n"
        f"assert not ait_cmp.compare_dirs({str(mine)!r}, {str(golden)!r}).has_differences\n"
        "assert not [name for name in sys.modules if name.startswith('ait_cmp.replay')]\n"
    )
    done = forked.run(script)
    assert done.status == 0, done.err


def test_attributes_are_read_of_replayed_types_only(
    dumps: Dumps, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ait_cmp.replay import op_texts

    asked: set[str] = set()
    read = op_texts._core.read_graph_attributes

    def spy(path: str, graph: int, names: set[str]) -> Any:
        asked.update(names)
        return read(path, graph, names)

    monkeypatch.setattr(op_texts._core, "read_graph_attributes", spy)
    ait_cmp.compare_dirs(*dumps(cancelling))
    assert asked == {"Sub"}


# --- options -----------------------------------------------------------------------------------


def test_a_mode_that_is_none_is_refused(dumps: Dumps) -> None:
    mode: Any = "some"
    with pytest.raises(ait_cmp.ConfigError, match="one of suspects, all, none"):
        ait_cmp.compare_dirs(*dumps(), replay=mode)


def test_the_command_has_the_options(
    dumps: Dumps, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, golden = map(str, dumps(cancelling))
    given = [mine, golden, "--no-progress", "--output", str(tmp_path / "report")]
    assert main(given) == 0
    assert main([*given, "--replay", "none"]) == 1
    assert "replayed" not in capsys.readouterr().out.splitlines()[-3]
    file = tmp_path / "mine.py"
    file.write_text("def Sub(x1, x2):\n    return x1 - 2 * x2\n")
    assert main([*given, "--reference", str(file)]) == 1
    assert "Sub (Sub) does not compute a Sub of its inputs" in capsys.readouterr().out
    assert main([*given, "--own-growth-max", "0", "--element-max", "0"]) == 1
