"""Steps that repeat the one before: paired the same, and only where pairing sees the same."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

import small_model
from ait_cmp import compare_dirs
from ait_cmp.compare.plan import make_plan
from ait_cmp.compare.step_pairer import StepPairer
from ait_cmp.discover import FxFile, GeFile, StepKey
from ait_cmp.errors import FormatError
from ait_cmp.pairing.pair import Pair, StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.pairing.readers import Readers
from ait_cmp.pairing.repeat import EarlySteps, Repeats
from ait_cmp.pairing.step import pair_step
from ait_cmp.tensor_ref import TensorRef
from make_dump import Dump, tensor_of


@dataclass
class Step:
    """A step of one GE file and one FX file, and what readers say of them."""

    number: int
    op_name: str = "Abs_1"
    target: str = "aten.abs.default"
    head: tuple[int, ...] = (2, 3)
    value: float = 1.0
    error: Exception | None = None
    fx_path: str | None = None
    graph: tuple[int, str] = (0, "graph_1")

    @property
    def key(self) -> StepKey:
        return StepKey(*self.graph, self.number)

    @property
    def files(self) -> tuple[list[GeFile], list[FxFile]]:
        ge_path, time = f"/my/{self.number}", 1000 + self.number
        fx_path = self.fx_path or f"/golden/{self.number}"
        return (
            [GeFile(ge_path, "Abs", self.op_name, 1, 6, time, -1, -1, "dump")],
            [FxFile(fx_path, "abs", self.target, "OUTPUT", 0, -1, time, "dump")],
        )

    def readers(self) -> Readers:
        def scan(paths: Any, _: int) -> list[tuple[Any, ...]]:
            return [(None, "", self.head) for _ in paths]

        def read_values(_: TensorRef, begin: int, end: int) -> Any:
            if self.error is not None:
                raise self.error
            return np.full(end - begin, self.value)

        return Readers(scan, scan, read_values, lambda *_: True, lambda _: False, 1)


@dataclass
class Paired:
    """Pairs steps and counts those that were paired anew."""

    step: Step = field(default_factory=lambda: Step(0))
    n_anew: int = 0

    def __post_init__(self) -> None:
        readers = {name: self._late(name) for name in Readers._fields[:-1]}
        self.repeats = Repeats(Readers(**readers, threads=1))

    def _late(self, name: str) -> Callable[..., Any]:
        return lambda *arguments: getattr(self.step.readers(), name)(*arguments)

    def pair(self, step: Step) -> PairedStep:
        self.step = step
        return self.repeats.pair(step.key, step.files, self._anew)

    def _anew(self, readers: Readers) -> StepPairs:
        self.n_anew += 1
        (ge,), (fx,) = self.step.files
        readers.scan_ge([ge.ref], 1)
        golden = TensorRef(fx.path, "", 0, (("reshape", (6,)),))
        with suppress(FormatError):
            readers.read_values(golden, 0, 2)
        my = TensorRef(ge.path, "outputs", 0)
        op = (0, "Abs_1", "Abs", "outputs", 0)
        key = (self.step.key.rank, self.step.key.graph, self.step.key.step)
        pair = Pair(*key, *op, my, golden, "aten.abs.default", "dataflow", "", "")
        return StepPairs([pair], {(fx.path, "", 0)}, [], node_of={ge.path: 4})


def test_a_step_that_repeats_the_one_before_gets_its_pairs_with_its_own_paths() -> None:
    paired = Paired()
    paired.pair(Step(0))
    step = paired.pair(Step(1, value=1.0))
    assert paired.n_anew == 1
    assert step.pairs == Paired().pair(Step(1)).pairs
    assert (step.pairs.pairs[0].my.path, step.pairs.pairs[0].token) == ("/my/1", 1)


@pytest.mark.parametrize(
    "changed",
    [
        Step(1, op_name="Abs_2"),
        Step(1, target="aten.abs.Tensor"),
        Step(1, head=(3, 2)),
        Step(1, value=2.0),
        Step(1, error=FormatError("cut short")),
    ],
)
def test_a_step_that_differs_in_anything_pairing_sees_is_paired_anew(changed: Step) -> None:
    paired = Paired()
    paired.pair(Step(0))
    step = paired.pair(changed)
    assert paired.n_anew == 2
    assert step.pairs.pairs[0].my.path == "/my/1"


@pytest.mark.parametrize("other", [(1, "graph_1"), (0, "graph_2")])
def test_a_step_of_another_rank_or_graph_repeats_nothing(other: tuple[int, str]) -> None:
    paired = Paired()
    paired.pair(Step(0))
    paired.pair(Step(1, graph=other))
    assert paired.n_anew == 2


def test_nan_repeats_nan() -> None:
    paired = Paired()
    paired.pair(Step(0, value=np.nan))
    paired.pair(Step(1, value=np.nan))
    assert paired.n_anew == 1


def test_a_step_of_which_a_file_cannot_be_read_is_no_pattern() -> None:
    paired = Paired()
    for number in range(3):
        paired.pair(Step(number, error=FormatError("cut short")))
    assert paired.n_anew == 3


def test_a_file_on_both_sides_is_no_pattern() -> None:
    paired = Paired()
    for number in range(2):
        paired.pair(Step(number, fx_path=f"/my/{number}"))
    assert paired.n_anew == 2


def test_a_file_that_moves_to_the_other_side_is_no_repetition(tmp_path: Path) -> None:
    """A step that lost its last file, against one that has the like of it once more in front."""
    for side, steps in (("my", ("ABZ", "AB")), ("golden", ("ABZ", "ZABZ"))):
        for step, names in enumerate(steps):
            folder = tmp_path / side / "20261122113000/0/graph_1/1" / str(step)
            folder.mkdir(parents=True)
            for number, name in enumerate(names):
                dump = Dump(outputs=(tensor_of(np.ones(4, np.float32)),), op_name=name)
                path = folder / f"Add.{name}.{number}.6.170659691188{step}00{number}"
                path.write_bytes(dump.file_bytes())
    found = compare_dirs(tmp_path / "my", tmp_path / "golden")
    assert [(row.token_id, row.op_name) for row in found.rows] == [
        *((0, name) for name in "ABZ"),
        *((1, name) for name in "AB"),
    ]
    assert all("/golden/" in row.golden_data_path for row in found.rows)
    assert not any("/golden/" in row.my_data_path for row in found.rows)


def test_steps_of_a_dump_are_paired_as_if_each_were_the_only_one(tmp_path: Path) -> None:
    small_model.write_dumps(tmp_path, tokens=3)

    plan = make_plan(str(tmp_path / "ge"), str(tmp_path / "fx"), ranks=None, tokens=None)
    pairer = StepPairer(plan, threads=1)
    assert len(plan.steps) == 3
    for keys in plan.steps:
        assert pairer.pair(*keys).pairs == StepPairer(plan, threads=1).pair(*keys).pairs


def test_what_planning_paired_is_not_paired_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_model.write_dumps(tmp_path, tokens=3)
    paired: list[StepKey] = []

    def pair(key: StepKey, *rest: Any) -> StepPairs:
        paired.append(key)
        return pair_step(key, *rest)

    for module in ("meeting", "step_pairer"):
        monkeypatch.setattr(f"ait_cmp.compare.{module}.pair_step", pair)
    compare_dirs(tmp_path / "ge", tmp_path / "fx", replay="none")
    assert paired == [StepKey(-1, "graph_1", 0)]


@pytest.mark.parametrize(("step", "n_anew"), [(Step(1), 1), (Step(1, value=2.0), 2)])
def test_the_next_step_repeats_what_planning_paired_where_it_is_alike(
    step: Step, n_anew: int
) -> None:
    paired, first = Paired(), Step(0)
    early = EarlySteps(first.readers())
    early.pair(first.key, first.key, paired._anew)
    known = early.take(first.key, first.key)
    assert known is not None
    paired.repeats.pair(first.key, first.files, lambda _: known.step, known)
    assert paired.pair(step).pairs == Paired().pair(step).pairs
    assert paired.n_anew == n_anew


def kept(*sizes: int) -> list[bool]:
    """Of steps with so many rows, that planning pairs one after the other: which are kept."""
    early, keys = EarlySteps(Step(0).readers()), [Step(number).key for number in range(len(sizes))]
    (pair,) = Paired().pair(Step(0)).pairs.pairs
    steps = [StepPairs([pair] * size) for size in sizes]
    for key, step in zip(keys, steps):
        early.pair(key, key, partial(_given, step))
    taken = [early.take(key, key) is not None for key in keys]
    assert not any(early.take(key, key) for key in keys)
    return taken


def _given(step: StepPairs, readers: Readers) -> StepPairs:
    del readers
    return step


def test_steps_that_planning_paired_are_kept_while_all_are_small() -> None:
    assert kept(10, 19_990, 1) == [True, True, False]
    assert kept(30_000, 1) == [True, False]
