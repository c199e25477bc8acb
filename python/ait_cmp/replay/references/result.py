"""What a reference is given and what it gives back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, NamedTuple, Union

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Rounding of the float32 in which devices accumulate.
ACCUMULATOR_ROUNDOFF = 2.0**-24


class RefusedError(Exception):
    """This op is not replayed; the text is the sentence why."""


class Value(NamedTuple):
    """One output of a reference, with how far an honest device may be from it.

    The unit of error of an element is `u_out |value| + u_acc sqrt(n_terms) terms + slack`.

    Attributes:
        value: Exact result; floats as float64, other types as they are.
        terms: Sum of the sizes of what was summed up to each element, any shape that broadcasts
            to the value.
        n_terms: How many terms were summed.
        slack: Further absolute error that is allowed, likewise; inf = the element is not judged.
    """

    value: Array
    terms: Array | float = 0.0
    n_terms: int = 1
    slack: Array | float = 0.0


@dataclass(frozen=True)
class Given:
    """What a reference may know of its op besides input values and attributes.

    Attributes:
        dtypes: Stored dtype of every fed input by parameter name (`torch.bfloat16`); of a
            dynamic input that of its first tensor.
        out_dtypes: Stored dtype of every output.
        out_shapes: Shape of every output.
        outputs: What the op really wrote, None where that is not known: choices among equal
            values and codes at a tie are judged by it.
    """

    dtypes: dict[str, str] = field(default_factory=dict)
    out_dtypes: Sequence[str] = ()
    out_shapes: Sequence[tuple[int, ...]] = ()
    outputs: Sequence[Array | None] = ()

    def output(self, index: int) -> Array | None:
        """What the op wrote to an output, None if that is not known."""
        return self.outputs[index] if index < len(self.outputs) else None


# One output that is not judged: the sentence why.
NotJudged = str
Output = Union[Array, Value, NotJudged]
# Returns an Output, or a tuple or list of one per output.
Formula = Callable[..., Any]


@dataclass(frozen=True)
class Reference:
    """How one type is computed.

    Attributes:
        type: The GE type.
        kind: A row of the table of kinds: "elementwise", "exact", "sum" ...
        formulas: Accepted formulas, one as a rule: the nearest one counts. Inputs are their
            parameters, attributes their keyword-only parameters, with the names and defaults of
            the IR. A parameter `given` receives a `Given`.
        unused: Inputs and attributes that do not change what is computed.
    """

    type: str
    kind: str
    formulas: tuple[Formula, ...]
    unused: frozenset[str] = frozenset()


def references(
    kind: str,
    formulas: dict[str, Formula | tuple[Formula, ...]],
    unused: Mapping[str, str] | None = None,
) -> dict[str, Reference]:
    """A table of references of one kind.

    Args:
        kind: The kind of all of them.
        formulas: Type -> its formula, or the formulas that are accepted.
        unused: Type -> names of inputs and attributes without effect, with blanks between.
    """
    silent = unused or {}
    return {
        name: Reference(
            name,
            kind,
            row if isinstance(row, tuple) else (row,),
            frozenset(silent.get(name, "").split()),
        )
        for name, row in formulas.items()
    }


def axes_of(axes: Any, ndim: int) -> tuple[int, ...]:
    """Axes as numbers from 0.

    Raises:
        RefusedError: One is outside of the tensor.
    """
    numbers = [int(axis) for axis in np.asarray(axes).reshape(-1)]
    if any(not -max(ndim, 1) <= axis < max(ndim, 1) for axis in numbers):
        message = f"axis {numbers} is outside of a tensor of {ndim} dimensions"
        raise RefusedError(message)
    return tuple(dict.fromkeys(axis % ndim for axis in numbers)) if ndim else ()


def number_of(value: Any) -> int:
    """The one integer in a tensor or attribute."""
    return int(np.asarray(value).reshape(-1)[0])


def numbers_of(value: Any) -> list[int]:
    """The integers in a tensor or attribute."""
    return [int(item) for item in np.asarray(value).reshape(-1)]
