"""Which worker can compare which rank: the one that sees both of its sides."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ait_cmp.discover.runs import number_ranges
from ait_cmp.errors import ConfigError


class Sight(NamedTuple):
    """What the workers of a cluster see.

    Attributes:
        my: Worker -> ranks of the dump under test.
        golden: Worker -> ranks of the reference.
    """

    my: Mapping[str, frozenset[int]]
    golden: Mapping[str, frozenset[int]]

    @property
    def ranks(self) -> list[int]:
        """The ranks of the dump under test."""
        return sorted(frozenset[int]().union(*self.my.values()))

    def workers_of(self, rank: int) -> frozenset[str]:
        """Workers that see both sides of a rank."""
        golden = frozenset[int]().union(*self.golden.values())
        # One golden process meets every rank.
        meets = golden if len(golden) == 1 else frozenset([rank])
        return frozenset(
            worker
            for worker, ranks in self.my.items()
            if rank in ranks and self.golden[worker] & meets
        )

    def why_not(self, rank: int) -> str:
        """Who sees what of a rank that nobody can compare."""
        mine, theirs = (
            ", ".join(sorted(worker for worker, ranks in side.items() if rank in ranks))
            for side in (self.my, self.golden)
        )
        return (
            f"rank {rank} is not compared: no worker sees both of its sides (my side: "
            f"{mine or 'nobody'}; golden side: {theirs or 'nobody'})"
        )

    def groups(self, ranks: Collection[int]) -> dict[frozenset[str], list[int]]:
        """Workers -> ranks that they, and no others, can compare."""
        found: dict[frozenset[str], list[int]] = {}
        for rank in sorted(ranks):
            workers = self.workers_of(rank)
            if workers:
                found.setdefault(workers, []).append(rank)
        return found


def sight_of(
    answers: Mapping[str, Mapping[str, Any]], program: str, my_path: str, golden_path: str
) -> Sight:
    """What the answers of all workers (`probe.look`) say.

    Args:
        answers: Worker -> its answer.
        program: Our version.
        my_path: The dump under test.
        golden_path: The reference.

    Raises:
        ConfigError: A worker has no ait-cmp, or another one; nobody sees a side.
    """
    for worker, answer in sorted(answers.items()):
        if answer["program"] is None:
            message = f"worker {worker} has no ait-cmp ({answer['why'][0]}): "
            message += f"pip install ait-cmp=={program} there"
            raise ConfigError(message)
        if answer["program"] != program:
            message = f"worker {worker} has ait-cmp {answer['program']}, here it is {program}: "
            message += "workers need the same version"
            raise ConfigError(message)
    my, golden = (
        {worker: frozenset(answer[side]) for worker, answer in answers.items()}
        for side in ("my", "golden")
    )
    for side, path in ((my, my_path), (golden, golden_path)):
        if not any(side.values()):
            reasons: Sequence[str] = [why for one in answers.values() for why in one["why"]]
            why = next((why for why in reasons if path in why), "it holds no dump there")
            message = f"no worker sees a dump in {path}: {why}"
            raise ConfigError(message)
    return Sight(my, golden)


def rank_text(ranks: Collection[int]) -> str:
    """What a message calls ranks."""
    return f"ranks {number_ranges(ranks)}" if len(ranks) > 1 else f"rank {next(iter(ranks))}"
