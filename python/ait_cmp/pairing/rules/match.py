"""The answer of a pairing rule."""

from __future__ import annotations

from typing import NamedTuple, Union

from ait_cmp.tensor_ref import TensorRef
from ait_cmp.terms import MissKind, Rule


class Match(NamedTuple):
    """A counterpart.

    Attributes:
        golden: Its address.
        golden_type: GE type or FX target.
        rule: The rule that found it.
        note: Sentence on the pair, or "".
    """

    golden: TensorRef
    golden_type: str
    rule: Rule
    note: str


class Miss(NamedTuple):
    """No counterpart.

    Attributes:
        reason: The sentence that says why.
        kind: What kind of reason it is, for counting.
    """

    reason: str
    kind: MissKind


Answer = Union[Match, Miss]
