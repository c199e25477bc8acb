"""Rule `literal`: constants of a graph text meet literal arguments of an FX node by value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ait_cmp.pairing.graph.index import GraphTensor
from ait_cmp.pairing.readers import Values
from ait_cmp.pairing.rules.fx_argument import ArgumentFile, FoundArgument
from ait_cmp.pairing.rules.match import Miss


def literal_answers(
    values: Mapping[GraphTensor, Values | None],
    literals: Sequence[tuple[ArgumentFile, Values]],
    target: str,
) -> dict[GraphTensor, FoundArgument | Miss]:
    """Constants that equal literal arguments, if as many of that value are on both sides.

    Args:
        values: Constants and what the graph text says of them.
        literals: Literal arguments of the node.
        target: What the node calls.
    """
    files: dict[np.dtype[np.generic], dict[bytes, list[ArgumentFile]]] = {}
    alike: dict[bytes, list[GraphTensor]] = {}
    for tensor, value in values.items():
        if value is not None:
            alike.setdefault(value_key(value), []).append(tensor)
            if value.dtype not in files:
                files[value.dtype] = _by_value(literals, value.dtype)
    place_of = {tensor: i for group in alike.values() for i, tensor in enumerate(group)}
    answers: dict[GraphTensor, FoundArgument | Miss] = {}
    for tensor, value in values.items():
        if value is None:
            why = "A constant whose value the graph text does not give."
            answers[tensor] = Miss(why, "constant")
            continue
        key = value_key(value)
        equal = files[value.dtype].get(key, [])
        if not equal:
            why = "A constant; no literal argument of the FX node has its value."
            answers[tensor] = Miss(why, "constant")
        elif len(equal) != len(alike[key]):
            why = "A constant; nothing but its position would tell which literal argument it is."
            answers[tensor] = Miss(why, "constant")
        else:
            answers[tensor] = FoundArgument(equal[place_of[tensor]].file, target, 0, "literal")
    return answers


def _by_value(
    literals: Sequence[tuple[ArgumentFile, Values]], dtype: np.dtype[np.generic]
) -> dict[bytes, list[ArgumentFile]]:
    """The literals that may be constants of this type by their values, rounded to it."""
    found: dict[bytes, list[ArgumentFile]] = {}
    for file, literal in literals:
        if (file.dtype == "torch.bool") == (dtype.kind == "b"):
            if dtype.kind == "f":
                with np.errstate(over="ignore", invalid="ignore"):
                    literal = literal.astype(dtype)
            found.setdefault(value_key(literal), []).append(file)
    return found


def value_key(values: Values) -> bytes:
    """Bytes that are equal where values are: -0 is 0, every NaN the same."""
    wide = values.ravel().astype(np.float64) + 0.0
    wide[np.isnan(wide)] = np.nan
    return wide.tobytes()
