"""A step as it goes on from pairing: its pairs, and its rows of the report to be filled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ait_cmp import _core
from ait_cmp.discover import StepKey
from ait_cmp.pairing.pair import Pair, StepPairs


class PairedStep:
    """The pairs of a step; of one that repeats another they are made when asked for.

    Attributes:
        rows: The rows of the report on this step; the core fills them.
        n_used: Golden tensors that some pair uses.
        headers: Headers of its GE files that were read; the core kept the small files.
        has_reduced: Whether a file of it is no full dump.
    """

    def __init__(self, pairs: StepPairs, headers: Sequence[_core.GeHeaders] = ()) -> None:
        nodes = [node.inputs for node in pairs.nodes]
        self.rows = _core.StepRows(pairs.pairs, nodes, pairs.node_of)
        self.n_used = len(pairs.used_golden)
        self.headers = headers
        self.has_reduced = any(
            ref is not None and ref.kind != "dump"
            for pair in pairs.pairs
            for ref in (pair.my, pair.golden)
        )
        self._pairs = pairs
        self._repeat: tuple[StepKey, Mapping[str, str]] | None = None

    def repeated(
        self, key: StepKey, path_of: Mapping[str, str], headers: Sequence[_core.GeHeaders]
    ) -> PairedStep:
        """The step `key`, which has the same pairs.

        Args:
            key: Its rank, graph and number.
            path_of: Path of a file of this step -> path of its like in that one.
            headers: Headers of that step that were read.
        """
        step = PairedStep.__new__(PairedStep)
        step.rows = self.rows.like(key.step, [path_of[path] for path in self.rows.paths])
        step.n_used = self.n_used
        step.headers = headers
        step.has_reduced = self.has_reduced
        step._pairs = self._pairs
        step._repeat = (key, path_of)
        return step

    @property
    def is_repeat(self) -> bool:
        """Whether the pairs are those of another step."""
        return self._repeat is not None

    @property
    def pairs(self) -> StepPairs:
        """The pairs of this step."""
        return self._pairs if self._repeat is None else _moved(self._pairs, *self._repeat)

    @property
    def unused_golden(self) -> list[str]:
        """Paths (and tensors) of the golden side that no pair uses."""
        path_of = {} if self._repeat is None else self._repeat[1]
        return [
            f"{path_of.get(path, path)},{io},{index}" if io else path_of.get(path, path)
            for path, io, index in self._pairs.unused_golden
        ]


def _moved(step: StepPairs, key: StepKey, path_of: Mapping[str, str]) -> StepPairs:
    """The pairs of a step with the paths of another one."""
    pairs = []
    for pair in step.pairs:
        my, golden = pair.my, pair.golden
        pairs.append(
            Pair(
                key.rank,
                key.graph,
                key.step,
                *pair[3:8],
                my._replace(path=path_of[my.path]),
                None if golden is None else golden._replace(path=path_of[golden.path]),
                *pair[10:],
            )
        )
    return StepPairs(
        pairs,
        {(path_of[path], io, index) for path, io, index in step.used_golden},
        [(path_of[path], io, index) for path, io, index in step.unused_golden],
        step.nodes,
        {path_of[path]: node for path, node in step.node_of.items()},
    )
