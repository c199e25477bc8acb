"""A comparison whose units run on somebody's workers: planned, given out, put together again."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from ait_cmp.compare.byte_count import ByteCount
from ait_cmp.compare.on_executor import UnitRun
from ait_cmp.compare.op_filter import OpFilter
from ait_cmp.compare.pipeline import Progress
from ait_cmp.compare.plan import Plan, make_plan
from ait_cmp.compare.read_ahead import ReadAhead
from ait_cmp.compare.step_pairer import StepPairer
from ait_cmp.compare.units import Unit, UnitFound, UnitOptions, compare_unit, units_of
from ait_cmp.compare.whole import PlanFacts, facts_of
from ait_cmp.config import thread_count
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.kept_rows import KeptRows
from ait_cmp.report.merging import RowsOfRanks, put_together
from ait_cmp.report.sinks import Sinks
from ait_cmp.terms import ByteProgress


@dataclass(frozen=True)
class PlanRequest:
    """What is to be compared.

    Attributes:
        my_path: Folder of the dump under test.
        golden_path: Folder of the reference.
        ranks: Only these ranks, None: all.
        tokens: Only these steps, None: all.
        pairs: MY=GOLDEN, folders that meet.
        golden_token_offset: My step s meets golden step s + this, None: the dumps tell.
        threads: Threads for reading headers, None: all cores that the process may use.
        counts_bytes: Whether the bytes of the units are wanted.
    """

    my_path: str
    golden_path: str
    ranks: tuple[int, ...] | None
    tokens: tuple[int, ...] | None
    pairs: tuple[str, ...]
    golden_token_offset: int | None
    threads: int | None
    counts_bytes: bool

    def plan(self, threads: int, ahead: ReadAhead | None = None) -> Plan:
        """Find what meets what; runs where the dumps are.

        Args:
            threads: Threads for reading headers.
            ahead: Reads the files of the steps to come, None: nobody does.

        Raises:
            ConfigError: As `make_plan`.
        """
        return make_plan(
            self.my_path,
            self.golden_path,
            ranks=self.ranks,
            tokens=self.tokens,
            pairs=self.pairs,
            golden_token_offset=self.golden_token_offset,
            threads=threads,
            ahead=ahead,
        )


class Planned(NamedTuple):
    """A plan whose units can be compared elsewhere.

    Attributes:
        units: Its units in the order of the report.
        facts: What the plan says of its dumps.
        n_bytes: (rank, graph) -> bytes of its files, empty if nobody wants them.
    """

    units: list[Unit]
    facts: PlanFacts
    n_bytes: dict[tuple[int, str], int]


def planned(request: PlanRequest, options: UnitOptions) -> Planned:
    """Plan a comparison; runs where the dumps are.

    Raises:
        ConfigError: As `make_plan`.
    """
    threads = thread_count(request.threads)
    plan = request.plan(threads)
    facts = facts_of(plan, StepPairer(plan, threads).unmet_golden())
    units = units_of(plan, options)
    n_bytes: dict[tuple[int, str], int] = {}
    if request.counts_bytes:
        count = ByteCount(plan)
        n_bytes = {
            (unit.rank, unit.graph): sum(count.of_step(key) for key, _ in unit.steps)
            for unit in units
        }
    return Planned(units, facts, n_bytes)


@runtime_checkable
class Engine(Protocol):
    """Who plans a comparison and gives its units to workers.

    Attributes:
        lost: What a future raises when its worker ended.
    """

    lost: tuple[type[Exception], ...]

    def share(self) -> int:
        """Units that a host works on at a time, at most."""

    def plans(self, request: PlanRequest, options: UnitOptions) -> list[Planned]:
        """The plans that make up a comparison, each of its own ranks.

        Raises:
            ConfigError: Nothing can be compared.
        """

    def give(self, unit: Unit) -> Future[UnitFound]:
        """Give a unit to a worker."""

    def look(self, units: Collection[Unit]) -> Iterable[Unit]:
        """Of the units at work those that are to be given out anew: their workers are gone."""


class ExecutorEngine:
    """Plans here, gives units to an executor of the user's, which sees the same files."""

    def __init__(self, executor: Executor) -> None:
        self.lost: tuple[type[Exception], ...] = (BrokenExecutor,)
        self._executor = executor

    def share(self) -> int:
        """As many as the executor has workers, if it tells."""
        return max(1, int(getattr(self._executor, "_max_workers", 1) or 1))

    def plans(self, request: PlanRequest, options: UnitOptions) -> list[Planned]:
        """One plan of all."""
        return [planned(request, options)]

    def give(self, unit: Unit) -> Future[UnitFound]:
        """Give a unit to the executor."""
        return self._executor.submit(compare_unit, unit)

    def look(self, units: Collection[Unit]) -> Iterable[Unit]:
        """The executor knows its workers."""
        del units
        return ()


class EngineFound(NamedTuple):
    """What the units of a comparison found together.

    Attributes:
        result: All but what the run says as a whole.
        facts: What the plans say.
        filter_notes: Sentences on patterns that nothing fits.
    """

    result: Comparison
    facts: list[PlanFacts]
    filter_notes: list[str]


def compare_units(
    engine: Engine,
    request: PlanRequest,
    options: UnitOptions,
    sinks: Sinks,
    progress: Progress | None,
) -> EngineFound:
    """Compare on the workers of an engine; lines go to the sinks as they are decided.

    Raises:
        ConfigError: Nothing can be compared, or a worker cannot do it.
        AitCmpError: A worker is gone.
    """
    plans = engine.plans(request, options)
    gathered = _Gathered(sinks, options)
    tell = _Tell(plans, progress)
    run = UnitRun(engine.give, gathered.take, tell.done, engine.look, engine.lost)
    was_interrupted = run.run([unit for plan in plans for unit in plan.units])
    result = gathered.result()
    result.was_interrupted = was_interrupted
    facts = [plan.facts for plan in plans]
    if was_interrupted:  # then nobody knows what nothing meets
        for one in facts:
            one.golden.unmet, one.unused = [], []
    return EngineFound(result, facts, [] if was_interrupted else gathered.filter_notes())


class _Tell:
    """Progress by units."""

    def __init__(self, plans: Sequence[Planned], progress: Progress | None) -> None:
        self._n_bytes = {key: number for plan in plans for key, number in plan.n_bytes.items()}
        self._progress = progress
        self._n_all = sum(self._n_bytes.values())
        self._n_rows = self._bytes_done = 0

    def done(self, unit: Unit, n_rows: int) -> None:
        """A unit is done."""
        self._n_rows += n_rows
        self._bytes_done += self._n_bytes.get((unit.rank, unit.graph), 0)
        progress = self._progress
        if progress is None:
            return
        if isinstance(progress, ByteProgress):
            progress.tell_bytes(self._bytes_done, self._n_all)
        progress(self._n_rows, self._n_rows)


class _Gathered:
    """What units found, in whatever order ranks come."""

    def __init__(self, sinks: Sinks, options: UnitOptions) -> None:
        self._sinks = sinks
        self._rows = KeptRows() if options.keep_rows else None
        self._parts: list[tuple[int, int, Comparison]] = []
        self._filter = OpFilter(options.ops) if options.ops else None

    def take(self, found: UnitFound, first_id: int) -> None:
        """A unit is decided; `first_id` rows of its rank stand before it."""
        self._sinks.write_lines(found.lines._replace(first_id=first_id))
        part = found.comparison
        for picture in part.pictures.values():
            _count_on(picture, first_id)
        if self._rows is not None:
            begin = len(self._rows)
            for number, content in found.packed:
                self._rows.add_packed(number, zlib.decompress(content), first_id)
            part.rows = RowsOfRanks([(self._rows, range(begin, len(self._rows)))])
        if self._filter is not None:
            self._filter.take(found.unmet, found.names)
        self._parts.append((found.rank, len(self._parts), part))

    def result(self) -> Comparison:
        """All of it together."""
        parts = [part for _, _, part in sorted(self._parts, key=lambda one: one[:2])]
        return put_together(parts) if parts else Comparison()

    def filter_notes(self) -> list[str]:
        """Sentences on patterns that nothing fits in any unit."""
        return [] if self._filter is None else self._filter.notes


def _count_on(picture: dict[str, object], first_id: int) -> None:
    """Rows of a picture have the numbers that they have in their rank."""
    neighbourhood = picture.get("neighbourhood")
    ops = neighbourhood.get("ops", []) if isinstance(neighbourhood, dict) else []
    for place in [picture, *ops]:
        number = place.get("data_id")
        if isinstance(number, int):
            place["data_id"] = number + first_id
