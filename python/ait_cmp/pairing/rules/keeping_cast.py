"""Rule `view` through a Cast that keeps every value: what it reads is what it writes."""

from __future__ import annotations

from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import GeStep
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.index import GraphTensor
from ait_cmp.pairing.rules.dataflow import match_dataflow, names_of_tensor
from ait_cmp.pairing.rules.match import Match

# dtype -> other dtypes that hold all of its values, as the report names them.
_HOLD_FLOATS = {
    "float8_e4m3fn": ("float16", "bfloat16", "float32", "float64"),
    "float8_e5m2": ("float16", "bfloat16", "float32", "float64"),
    "float16": ("float32", "float64"),
    "bfloat16": ("float32", "float64"),
    "float32": ("float64",),
}
_HOLD_INTEGERS = {
    "int8": ("int16", "int32", "int64"),
    "int16": ("int32", "int64"),
    "int32": ("int64",),
    "uint8": ("uint16", "uint32", "uint64", "int16", "int32", "int64"),
    "uint16": ("uint32", "uint64", "int32", "int64"),
    "uint32": ("uint64", "int64"),
}
_HELD_BY = _HOLD_FLOATS | _HOLD_INTEGERS
# As the graph text writes them; the others are the report's names in capitals.
_GRAPH_NAMES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_BF16": "bfloat16"}


def keeps_every_value(source: str, target: str) -> bool:
    """Whether a cast between two dtypes, `torch.float16`, changes no value."""
    mine, theirs = source.removeprefix("torch."), target.removeprefix("torch.")
    return bool(mine) and (mine == theirs or theirs in _HELD_BY.get(mine, ()))


def match_keeping_cast(
    context: GraphContext, my: GeStep, fx: FxStep, tensor: GraphTensor
) -> Match | None:
    """The golden tensor of a named Cast that reads a tensor and keeps all of its values."""
    for number, slot in context.graph.consumers.get(tensor, ()):
        if slot or context.graph.ops[number].type != "Cast":
            continue
        result = (number, 0)
        if not keeps_every_value(*(_dtype(context, my, at) for at in (tensor, result))):
            continue
        match = match_dataflow(names_of_tensor(context.graph, result), fx)
        if match is not None:
            return match._replace(rule="view")
    return None


def _dtype(context: GraphContext, my: GeStep, tensor: GraphTensor) -> str:
    """Of a tensor in this step, or else as the graph text has it; "" if neither tells."""
    head = my.heads.get(tensor)
    if head is not None:
        return head.dtype
    dtypes = context.graph.ops[tensor[0]].output_dtypes
    named = dtypes[tensor[1]] if tensor[1] < len(dtypes) else None
    if not named:
        return ""
    return _GRAPH_NAMES.get(named, named.removeprefix("DT_").lower())
