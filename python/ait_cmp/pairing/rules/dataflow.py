"""Rule `dataflow`: the graph names the FX tensor that a GE tensor is."""

from __future__ import annotations

from collections.abc import Sequence

from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.graph.index import FxName, GraphIndex, GraphTensor
from ait_cmp.pairing.graph.slots import InputSlot
from ait_cmp.pairing.rules.match import Match
from ait_cmp.tensor_ref import TensorRef


def names_of_input(graph: GraphIndex, slot: InputSlot) -> list[FxName]:
    """FX tensors that an input is known to be: by its own input_desc, then by its producer."""
    own = graph.ops[slot.op].fed[slot.slot].fx_name
    names = [] if own is None else [own]
    if slot.source is not None:
        names += [name for name in names_of_tensor(graph, slot.source) if name != own]
    return names


def names_of_tensor(graph: GraphIndex, tensor: GraphTensor) -> Sequence[FxName]:
    """FX tensors that a graph tensor is known to be, the producer's word first."""
    return graph.fx_names.get(tensor, ())


def match_dataflow(names: Sequence[FxName], fx: FxStep) -> Match | None:
    """The FX file of the first of `names` that the dump has."""
    for name in names:
        found = fx.find(name)
        if found is not None:
            golden = TensorRef(found.file.path, "", 0, found.view, found.file.kind)
            return Match(golden, found.file.target, "dataflow", found.note)
    return None
