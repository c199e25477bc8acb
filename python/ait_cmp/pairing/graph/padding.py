"""How many rows more the my side has than golden, where its graph was compiled for more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ait_cmp.pairing.graph.slots import Shape


class Padding(NamedTuple):
    """How many rows the my side has for how many golden ones; multiples count as that, too."""

    mine: int
    golden: int

    def __str__(self) -> str:
        return (
            f"my side {self.mine} rows, golden {self.golden}: the leading {self.golden} are "
            "compared"
        )

    def is_shape_of(self, mine: Shape, golden: Shape) -> bool:
        """Whether a my shape is a golden shape with more rows, in one axis alone."""
        if len(mine) != len(golden):
            return False
        axes = [axis for axis, (m, g) in enumerate(zip(mine, golden)) if m != g]
        return len(axes) == 1 and self.fits(axes[0], mine[axes[0]], golden[axes[0]])

    def fits(self, axis: int, mine: int, golden: int) -> bool:
        """Whether an axis has the padding's rows; flattened rows of a batch lead the first one."""
        is_ratio = mine * self.golden == golden * self.mine
        return is_ratio and (mine == self.mine or axis == 0)


def several_paddings(paddings: Iterable[Padding]) -> str:
    """What is padded by how much in the steps of a graph, a few of them shown."""
    first, *others = paddings
    if not others:
        return str(first)
    shown = ", ".join(f"{padding.golden} of {padding.mine}" for padding in [first, *others][:4])
    more = " ..." if len(others) > 3 else ""
    return f"of the rows of its steps the leading {shown}{more} are compared"
