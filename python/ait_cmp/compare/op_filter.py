"""Which ops are wanted: by their names, FX names, types or modules."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from dataclasses import replace

from ait_cmp.pairing.pair import Pair
from ait_cmp.pairing.paired_step import PairedStep

_NEAR = 3


class OpFilter:
    """Takes of each step the rows of the ops that fit one of the patterns."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = patterns
        self._fitting: dict[str, bool] = {}  # name -> whether a pattern fits it
        self._unmet = set(patterns)

    def apply(self, step: PairedStep) -> PairedStep:
        """What is left of a step."""
        whole = step.pairs
        rows = [row for row, pair in enumerate(whole.pairs) if self._fits(pair)]
        pairs = [whole.pairs[row] for row in rows]
        misses = {new: whole.misses[row] for new, row in enumerate(rows) if row in whole.misses}
        used = {pair.golden.address for pair in pairs if pair.golden is not None}
        unused = [*whole.unused_golden, *sorted(whole.used_golden - used)]
        left = replace(whole, pairs=pairs, used_golden=used, unused_golden=unused, misses=misses)
        return PairedStep(left, step.headers)

    @property
    def unmet(self) -> frozenset[str]:
        """Patterns that nothing fits so far."""
        return frozenset(self._unmet)

    @property
    def names(self) -> frozenset[str]:
        """All names that were looked at."""
        return frozenset(self._fitting)

    def take(self, unmet: frozenset[str], names: frozenset[str]) -> None:
        """What another filter of the same patterns saw elsewhere: each must be told."""
        self._unmet &= unmet
        self._fitting.update(dict.fromkeys(names, False))

    @property
    def notes(self) -> list[str]:
        """A sentence for every pattern that fits nothing, with what it may have meant."""
        return [
            f"No operator, FX node, type or module of the my side fits {pattern}"
            f"{self._near(pattern)}."
            for pattern in self._patterns
            if pattern in self._unmet
        ]

    def _fits(self, pair: Pair) -> bool:
        # All of its names are looked at: each may be what a pattern means.
        return True in {self._is_wanted(name) for name in _names_of(pair) if name}

    def _is_wanted(self, name: str) -> bool:
        if name not in self._fitting:
            met = [one for one in self._patterns if fnmatch.fnmatchcase(name, one)]
            self._unmet.difference_update(met)
            self._fitting[name] = bool(met)
        return self._fitting[name]

    def _near(self, pattern: str) -> str:
        plain = pattern.strip("*")
        by_case = {name.lower(): name for name in sorted(self._fitting, reverse=True)}
        near = difflib.get_close_matches(plain.lower(), by_case, _NEAR)
        return f"; near: {', '.join(by_case[name] for name in near)}" if near else ""


def _names_of(pair: Pair) -> tuple[str, ...]:
    return pair.op_name, pair.fx_node, pair.op_type, pair.module
