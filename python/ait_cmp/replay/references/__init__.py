"""What each type of operator computes, in float64: one row per type, by kind."""

from __future__ import annotations

from ait_cmp.replay.references.attention import ATTENTION
from ait_cmp.replay.references.binding import Binding, bind
from ait_cmp.replay.references.cast import CASTS
from ait_cmp.replay.references.choices import CHOICES
from ait_cmp.replay.references.elementwise import ELEMENTWISE, GATED
from ait_cmp.replay.references.indexing import INDEXING
from ait_cmp.replay.references.moves import MOVES
from ait_cmp.replay.references.products import PRODUCTS
from ait_cmp.replay.references.quantised import QUANTISED
from ait_cmp.replay.references.refused import refusal_of_type
from ait_cmp.replay.references.result import Given, Reference, RefusedError, Value
from ait_cmp.replay.references.rotary import ROTARY
from ait_cmp.replay.references.sums import SUMS

REFERENCES: dict[str, Reference] = {
    **ELEMENTWISE,
    **GATED,
    **CASTS,
    **MOVES,
    **INDEXING,
    **SUMS,
    **PRODUCTS,
    **CHOICES,
    **ROTARY,
    **ATTENTION,
    **QUANTISED,
}

__all__ = [
    "REFERENCES",
    "Binding",
    "Given",
    "Reference",
    "RefusedError",
    "Value",
    "bind",
    "refusal_of_type",
]
