"""A dask cluster: plans where the dumps are, gives every graph to a worker that sees its rank."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ait_cmp import _core
from ait_cmp.compare.engine import Planned, PlanRequest, planned
from ait_cmp.compare.units import Unit, UnitFound, UnitOptions, compare_unit
from ait_cmp.distribute import probe
from ait_cmp.distribute.sight import Sight, rank_text, sight_of
from ait_cmp.errors import AitCmpError, ConfigError
from ait_cmp.report.notes import Note

# How long (seconds) a scheduler may take to answer.
_PATIENCE_S = 15
# So often somebody looks whether workers are gone, and so long they may stay away.
_LOOK_EVERY_S = 2.0
_AWAY_S = 30.0
# A unit whose worker ends is given to another one so often.
_RETRIES = 3


@contextmanager
def dask_engine(address: str) -> Iterator[DaskEngine]:
    """The cluster of a scheduler, until the end of the block.

    Args:
        address: Of the scheduler, `tcp://host:8786` or `host:8786`.

    Raises:
        ConfigError: dask.distributed is not installed, or no scheduler answers.
    """
    try:
        import distributed
    except ImportError as error:
        message = "--dask needs dask.distributed: pip install 'ait-cmp[dask]'"
        raise ConfigError(message) from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is told in sentences
    try:
        client = distributed.Client(address, timeout=_PATIENCE_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        message = f"{address}: no dask scheduler answers there"
        raise ConfigError(message) from error
    try:
        yield DaskEngine(client, address)
    finally:
        client.close(timeout=_PATIENCE_S)


class DaskEngine:
    """See `compare.engine.Engine`.

    Args:
        client: Of the cluster.
        address: Of its scheduler, for messages.
    """

    def __init__(self, client: Any, address: str) -> None:
        from distributed.scheduler import KilledWorker

        self.lost: tuple[type[Exception], ...] = (BrokenExecutor, KilledWorker)
        self._client = client
        self._address = address
        self._request: PlanRequest | None = None
        # Workers of each rank, and how units are given to them.
        self._workers: dict[int, frozenset[str]] = {}
        self._executors: dict[frozenset[str], Executor] = {}
        self._last_look = 0.0
        # Rank -> since when it has no worker.
        self._away: dict[int, float] = {}

    def share(self) -> int:
        """Threads of all workers of a host."""
        hosts: dict[str, int] = {}
        for worker, number in self._client.nthreads().items():
            host = worker.rpartition(":")[0]
            hosts[host] = hosts.get(host, 0) + number
        return max(hosts.values(), default=1)

    def plans(self, request: PlanRequest, options: UnitOptions) -> list[Planned]:
        """A plan for every group of workers, of the ranks that they see.

        Raises:
            ConfigError: A worker has another ait-cmp, or nobody sees both sides of a rank.
        """
        self._request = request = replace(
            request,
            my_path=str(Path(request.my_path).absolute()),
            golden_path=str(Path(request.golden_path).absolute()),
        )
        sight = self._sight()
        ranks = sight.ranks if request.ranks is None else list(dict.fromkeys(request.ranks))
        groups = sight.groups(ranks)
        left_out = [(rank, sight.why_not(rank)) for rank in ranks if not sight.workers_of(rank)]
        if not groups:
            raise ConfigError(left_out[0][1])
        plans, errors = [], []
        for workers, of_group in groups.items():
            self._workers.update(dict.fromkeys(of_group, workers))
            try:
                plans.append(self._plan(request, options, sight, workers, of_group))
            except ConfigError as error:
                errors.append(error)
                left_out.append((of_group[0], f"{rank_text(of_group)}: {error}"))
        if not plans:
            raise errors[0]
        plans[0].facts.unread.extend(Note("my", rank, "", text) for rank, text in left_out)
        return plans

    def _plan(
        self,
        request: PlanRequest,
        options: UnitOptions,
        sight: Sight,
        workers: frozenset[str],
        ranks: Sequence[int],
    ) -> Planned:
        """The plan of some ranks, made by a worker that sees them."""
        is_all = request.ranks is None and all(sight.my[at] == set(ranks) for at in workers)
        asked = replace(request, ranks=None if is_all else tuple(ranks))
        future = self._executor(workers).submit(planned, asked, options)
        try:
            found: Planned = future.result()
        except self.lost as error:
            message = f"{rank_text(ranks)}: the worker that planned their comparison ended"
            raise AitCmpError(message) from error
        finally:
            future.cancel()
        return found

    def give(self, unit: Unit) -> Future[UnitFound]:
        """Give a unit to a worker that sees its rank."""
        return self._executor(self._workers[unit.rank]).submit(compare_unit, unit)

    def look(self, units: Collection[Unit]) -> Iterable[Unit]:
        """Units whose workers are all gone, now that others see their ranks.

        Raises:
            AitCmpError: Nobody does.
        """
        now = time.monotonic()
        if now - self._last_look < _LOOK_EVERY_S:
            return ()
        self._last_look = now
        alive = frozenset(self._client.nthreads())
        lost = {unit.rank for unit in units if not self._workers[unit.rank] & alive}
        self._away = {rank: self._away.get(rank, now) for rank in lost}
        if not lost:
            return ()
        sight = self._sight(lost_may_be_all=True)
        for rank in sorted(lost):
            workers = frozenset() if sight is None else sight.workers_of(rank)
            if workers:
                self._workers[rank] = workers
            elif now - self._away[rank] > _AWAY_S:
                message = f"rank {rank}: its workers are gone, and no other sees its files"
                raise AitCmpError(message)
        return [unit for unit in units if unit.rank in lost and self._workers[unit.rank] & alive]

    def _sight(self, *, lost_may_be_all: bool = False) -> Any:
        """What the workers see now."""
        request = self._request
        assert request is not None
        import cloudpickle

        cloudpickle.register_pickle_by_value(probe)
        program = _core.__version__
        answers = self._client.run(
            probe.look, program, request.my_path, request.golden_path, on_error="ignore"
        )
        if not answers and lost_may_be_all:
            return None
        if not answers:
            message = f"{self._address}: the scheduler has no workers"
            raise ConfigError(message)
        try:
            return sight_of(answers, program, request.my_path, request.golden_path)
        except ConfigError:
            if lost_may_be_all:
                return None
            raise

    def _executor(self, workers: frozenset[str]) -> Executor:
        if workers not in self._executors:
            self._executors[workers] = self._client.get_executor(
                pure=False, workers=sorted(workers), allow_other_workers=False, retries=_RETRIES
            )
        return self._executors[workers]
