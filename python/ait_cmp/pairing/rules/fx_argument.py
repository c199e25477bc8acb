"""INPUT files of FX nodes as the rules of arguments hand them on."""

from __future__ import annotations

from typing import NamedTuple

from ait_cmp.discover import FxFile
from ait_cmp.pairing.graph.slots import Shape
from ait_cmp.terms import Rule


class FoundArgument(NamedTuple):
    """An FX INPUT file and where in a chain of views its tensor stands.

    Attributes:
        file: The file.
        target: FX target of its node.
        level: Position in the view chain of the tensor that arrives: 0 = as it arrives.
        rule: The rule that found it: "argument" or "literal".
    """

    file: FxFile
    target: str
    level: int
    rule: Rule


class ArgumentFile(NamedTuple):
    """A numeric INPUT file."""

    file: FxFile
    dtype: str
    shape: Shape
