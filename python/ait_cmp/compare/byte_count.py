"""How many bytes a run has to read and has read: for a progress line with a rate and an end."""

from __future__ import annotations

from collections.abc import Iterable

from ait_cmp import _core
from ait_cmp.compare.plan import Plan
from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.discover.packed import paths_of


class ByteCount:
    """Bytes of the files of every step of a plan, both sides.

    Attributes:
        n_all: Of all steps.
        n_done: Of the steps that are done.
    """

    def __init__(self, plan: Plan) -> None:
        self._of_step = {
            my: _core.total_size([*_paths(plan.my, my), *_paths(plan.golden, golden)])
            for my, golden in plan.steps
        }
        self.n_all = sum(self._of_step.values())
        self.n_done = 0

    def of_step(self, key: StepKey) -> int:
        """Bytes of a step."""
        return self._of_step[key]

    def within(self, key: StepKey, share: float) -> int:
        """Bytes done when a step is done by this share."""
        return self.n_done + round(self._of_step[key] * share)

    def finish(self, key: StepKey) -> None:
        """A step is done."""
        self.n_done += self._of_step[key]


def _paths(tree: DumpTree, key: StepKey | None) -> Iterable[str]:
    if key is None:
        return []
    return paths_of(tree.ge.get(key, []) if tree.kind == "ge" else tree.fx.get(key, []))
