"""compare_dirs(executor=): whoever the workers are, the report is that of threads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ait_cmp
import small_model
import three_ranks
from ait_cmp.compare.units import Unit, UnitFound, compare_unit
from trees import fx_names, fx_step, ge_step, graph_name

#: What tells of the run that wrote a file.
OF_THE_RUN = ("time", "made", "command", "runs")


def files_of(folder: Path) -> dict[str, str]:
    """Every file of a report, without what tells of the run and the moment in its names."""
    found = {}
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            content = json.loads(text)
            text = json.dumps({name: content[name] for name in content if name not in OF_THE_RUN})
        if path.suffix == ".html":
            text = re.sub(rf'"({"|".join(OF_THE_RUN)})": ("[^"]*"|\[.*?\]|null)', "", text)
        moment = re.compile(r"_\d{14}")
        found[moment.sub("", path.name)] = moment.sub("", text)
    return found


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    three_ranks.write(folder)
    return folder


FORMS: dict[str, Any] = {"jsonl": True, "html": True, "ops": ["*Mul*", "Abs*", "nothing*"]}


@pytest.fixture(scope="module")
def of_threads(dumps: Path) -> ait_cmp.Comparison:
    return ait_cmp.compare_dirs(dumps / "ge", dumps / "fx", output=dumps / "threads", **FORMS)


def executors() -> Iterator[Any]:
    yield pytest.param(partial(ThreadPoolExecutor, 2), id="threads")
    yield pytest.param(partial(Backwards, 3), id="backwards")


class Backwards(Executor):
    """Does nothing before all units of this number are given, and then the last one first."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._given: list[tuple[Future[Any], Any, tuple[Any, ...]]] = []

    def submit(self, call: Any, /, *arguments: Any, **_: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._given.append((future, call, arguments))
        if len(self._given) >= self._number:
            for waiting, do, what in reversed(self._given):
                if waiting.set_running_or_notify_cancel():
                    waiting.set_result(do(*what))
            self._given, self._number = [], 1
        return future


@pytest.mark.parametrize("make", list(executors()))
def test_the_report_is_that_of_threads(
    dumps: Path, of_threads: ait_cmp.Comparison, make: Any, tmp_path: Path
) -> None:
    with make() as executor:
        check_report(dumps, of_threads, executor, tmp_path)


class Deadly(ProcessPoolExecutor):
    """Once it is told so, the process that gets rank 1 is gone."""

    kills = False

    def submit(self, call: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
        if self.kills and arguments[0].rank == 1:
            return super().submit(os._exit, 9)
        return super().submit(call, *arguments, **options)


def test_processes_write_the_same_report_and_one_that_ends_is_a_sentence(
    dumps: Path, of_threads: ait_cmp.Comparison, tmp_path: Path
) -> None:
    """Both of the same two processes, of a server that loads for both what they need.

    To load it costs as much as twenty of these comparisons.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload([compare_unit.__module__])
    with Deadly(2, mp_context=context) as executor:
        check_report(dumps, of_threads, executor, tmp_path)
        executor.kills = True
        with pytest.raises(ait_cmp.AitCmpError, match="graph_1: the worker that compared it ended"):
            ait_cmp.compare_dirs(dumps / "ge", dumps / "fx", executor=executor)


def check_report(
    dumps: Path, of_threads: ait_cmp.Comparison, executor: Executor, tmp_path: Path
) -> None:
    """What workers of any kind find is what threads find."""
    told: list[tuple[int, int]] = []
    result = ait_cmp.compare_dirs(
        dumps / "ge",
        dumps / "fx",
        output=tmp_path,
        executor=executor,
        progress=lambda *numbers: told.append(numbers),
        **FORMS,
    )
    assert files_of(tmp_path) == files_of(dumps / "threads")
    assert list(result.rows) == list(of_threads.rows)
    assert result.rows[-1] == of_threads.rows[-1]
    assert result.divergences == of_threads.divergences
    assert result.suspects == of_threads.suspects
    assert result.outputs == of_threads.outputs
    assert result.states_differ == of_threads.states_differ
    assert result.unused_golden == of_threads.unused_golden
    assert [path.name[:20] for path in result.csv_paths] == [
        path.name[:20] for path in of_threads.csv_paths
    ]
    assert told[-1] == (len(result.rows), len(result.rows))


def write_graph(folder: Path, number: int, mine: dict[str, Any], golden: dict[str, Any]) -> None:
    """A graph of the small model on both sides."""
    text = small_model.write_graph(folder / "texts").read_text(encoding="utf-8")
    path = folder / "ge" / graph_name(number)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace("graph_1", f"graph_{number}"), encoding="utf-8")
    step = ge_step(folder / "ge", graph=f"graph_{number}", names=())
    for name, dump in small_model.dumps_of(mine).items():
        (step / name).write_bytes(dump.file_bytes())
    step = fx_step(folder / "fx", graph=f"graph_{number}", names=())
    for node, inputs in (("abs", ["x"]), ("mul", ["abs", "x"])):
        names = fx_names(node, f"aten.{node}.Tensor", inputs=len(inputs))
        for name, key in zip(names, [*inputs, node]):
            np.save(step / name, golden[key])


def values_after(x: Any) -> dict[str, Any]:
    """The tensors of the small model."""
    return {"x": x, "abs": np.abs(x), "mul": np.abs(x) * x, "sqrt": np.sqrt(np.abs(x) * x)}


def test_what_another_graph_wrote_is_no_other_input(tmp_path: Path) -> None:
    """Graph 2 reads what graph 1 computed wrong: known when both are compared, and done anew."""
    golden = [values_after(small_model.values_of(0)["x"])]
    golden.append(values_after(golden[0]["mul"]))
    mine = [{**golden[0], "mul": golden[0]["mul"] * np.float32(1.5)}]
    mine.append(values_after(mine[0]["mul"]))
    for number in (0, 1):
        write_graph(tmp_path, number + 1, mine[number], golden[number])
    of_threads = ait_cmp.compare_dirs(tmp_path / "ge", tmp_path / "fx", output=tmp_path / "threads")
    assert [(found.graph, found.why) for found in of_threads.states_differ] == [
        ("graph_2", "An earlier step wrote it.")
    ]
    assert not of_threads.inputs_differ
    assert [unit.graph for unit in units_given(tmp_path, of_threads)] == [
        "graph_1",
        "graph_2",
        "graph_2",
    ]


def units_given(folder: Path, of_threads: ait_cmp.Comparison) -> list[Unit]:
    """The units that workers got; their report is that of threads."""
    given: list[Unit] = []

    class Noting(ThreadPoolExecutor):
        def submit(self, call: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            given.append(arguments[0])
            return super().submit(call, *arguments, **options)

    with Noting(2) as executor:
        result = ait_cmp.compare_dirs(
            folder / "ge", folder / "fx", output=folder / "units", executor=executor
        )
    assert files_of(folder / "units") == files_of(folder / "threads")
    assert result.states_differ == of_threads.states_differ
    return given


def test_an_interrupt_leaves_the_units_that_were_decided(dumps: Path, tmp_path: Path) -> None:
    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with ThreadPoolExecutor(1) as executor:
        result = ait_cmp.compare_dirs(
            dumps / "ge", dumps / "fx", output=tmp_path, executor=executor, progress=stop
        )
    assert result.was_interrupted
    assert {row.rank for row in result.rows} == {0}
    assert len(result.rows) == 14
    (path,) = result.csv_paths
    assert len(path.read_text(encoding="utf-8").splitlines()) == 15
    assert "interrupted: these are the rows done so far" in result.summary()


def test_another_version_is_one_sentence(dumps: Path) -> None:
    def other(unit: Unit) -> UnitFound:
        return compare_unit(replace(unit, options=replace(unit.options, program="0.0.1")))

    class Old(ThreadPoolExecutor):
        def submit(self, call: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            assert call is compare_unit
            return super().submit(other, *arguments, **options)

    with Old(1) as executor, pytest.raises(ait_cmp.ConfigError, match="workers need the same"):
        ait_cmp.compare_dirs(dumps / "ge", dumps / "fx", executor=executor)


def test_anything_else_is_no_executor(dumps: Path) -> None:
    with pytest.raises(ait_cmp.ConfigError, match="a concurrent.futures.Executor expected"):
        ait_cmp.compare_dirs(dumps / "ge", dumps / "fx", executor=3)
