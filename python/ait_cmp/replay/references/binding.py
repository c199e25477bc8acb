"""What the graph text says of an op -> arguments of its reference, or the sentence why not.

A fed input or an attribute that the reference does not name refuses the op: never guess.
"""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ait_cmp.replay.references.result import Formula, Given, Reference, RefusedError

# Attributes of any op that say how it is run, not what it computes.
_UNUSED_EVERYWHERE = frozenset(
    {
        *("N", "T", "isRefNode", "impl_mode", "op_impl_mode_enum"),
        # Which layouts torchair asks GE for; values are read in logical order.
        *("input_layout_info", "output_layout_info"),
    }
)


class _Parameters:
    """The signature of a formula: names of inputs, of dynamic inputs, of attributes."""

    def __init__(self, formula: Formula) -> None:
        parameters = inspect.signature(formula).parameters.values()
        inputs = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        options = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "given"]
        self.inputs = [p.name for p in inputs]
        self.may_be_lists = frozenset(p.name for p in inputs if _may_be_list(p.annotation))
        self.needed_inputs = [p.name for p in inputs if p.default is p.empty and p.name != "given"]
        self.attributes = [p.name for p in options]
        self.needed_attributes = [p.name for p in options if p.default is p.empty]
        self.takes_given = any(p.name == "given" for p in parameters)


def _may_be_list(annotation: Any) -> bool:
    """Whether a parameter may take several tensors: x0, x1 ... of a dynamic input x."""
    words = str(annotation)
    return annotation is inspect.Parameter.empty or "list" in words or "Sequence" in words


@cache
def _parameters(formula: Formula) -> _Parameters:
    return _Parameters(formula)


@dataclass(frozen=True)
class Binding:
    """Which input of the op is which parameter, and what the attributes are.

    Attributes:
        reference: What computes the op.
        positions: Parameter -> positions among the fed inputs; of a dynamic input several.
        dynamic: Parameters that take a list.
        attributes: Values of attributes by parameter.
    """

    reference: Reference
    positions: Mapping[str, tuple[int, ...]]
    dynamic: frozenset[str]
    attributes: Mapping[str, Any]

    def evaluate(self, values: Mapping[int, Any], given: Given, form: int = 0) -> Any:
        """What the reference computes.

        Args:
            values: Position among the fed inputs -> array, for all positions in `positions`.
            given: What else may be known.
            form: Which of the accepted formulas.

        Raises:
            RefusedError: These values are none that the reference knows.
        """
        formula = self.reference.formulas[form]
        arguments: dict[str, Any] = {}
        for name, positions in self.positions.items():
            arrays = [values[position] for position in positions]
            arguments[name] = arrays if name in self.dynamic else arrays[0]
        arguments.update(self.attributes)
        if _parameters(formula).takes_given:
            arguments["given"] = given
        with np.errstate(all="ignore"):
            return formula(**arguments)


def bind(
    reference: Reference,
    fed: Sequence[tuple[str, tuple[int, ...] | None]],
    attributes: Mapping[str, Any],
) -> Binding:
    """Match the inputs and attributes of an op with the parameters of its reference.

    Args:
        reference: What computes ops of this type.
        fed: Name in `input_desc` and shape (None = unknown) of every fed input.
        attributes: Attributes of the op; those that begin with `_` are none of the IR.

    Raises:
        RefusedError: The reference does not name an input or attribute, or one is missing.
    """
    known = _parameters(reference.formulas[0])
    positions: dict[str, tuple[int, ...]] = {}
    dynamic: set[str] = set()
    for position, (name, shape) in enumerate(fed):
        parameter, is_dynamic = _parameter_of(name, known)
        if parameter is None:
            if _is_unused(name, reference) or _is_empty(shape):
                continue
            message = f"input {name} is unknown to our {reference.type}"
            raise RefusedError(message)
        # An empty filler stands for an input that is absent.
        if _is_empty(shape) and parameter not in known.needed_inputs:
            continue
        positions[parameter] = (*positions.get(parameter, ()), position)
        if is_dynamic:
            dynamic.add(parameter)
    missing = [name for name in known.needed_inputs if name not in positions]
    if missing:
        message = f"its input {missing[0]} is missing"
        raise RefusedError(message)
    return Binding(
        reference, positions, frozenset(dynamic), _attributes(reference, known, attributes)
    )


def _parameter_of(name: str, known: _Parameters) -> tuple[str | None, bool]:
    """The parameter that an input is, and whether it is one of several tensors."""
    title = f"{name}_" if keyword.iskeyword(name) else name
    if title in known.inputs and title != "given":
        return title, False
    base = title.rstrip("0123456789")
    return (base, True) if base in known.may_be_lists and base != title else (None, False)


def _is_empty(shape: tuple[int, ...] | None) -> bool:
    return shape is not None and 0 in shape


def _is_unused(name: str, reference: Reference) -> bool:
    return name in reference.unused or name in _UNUSED_EVERYWHERE


def _attributes(
    reference: Reference, known: _Parameters, attributes: Mapping[str, Any]
) -> dict[str, Any]:
    bound = {}
    for name, value in attributes.items():
        if name.startswith("_") or _is_unused(name, reference):
            continue
        title = f"{name}_" if keyword.iskeyword(name) else name
        if title not in known.attributes:
            message = f"attribute {name} is unknown to our {reference.type}"
            raise RefusedError(message)
        bound[title] = _as_float32(value)
    missing = [name for name in known.needed_attributes if name not in bound]
    if missing:
        message = f"its attribute {missing[0]} is missing"
        raise RefusedError(message)
    return bound


def _as_float32(value: Any) -> Any:
    """Floats of attributes are float32 numbers, printed short."""
    if isinstance(value, float):
        return float(np.float32(value))
    if isinstance(value, (list, tuple)):
        return [_as_float32(item) for item in value]
    return value
