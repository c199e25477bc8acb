"""Rule `self`: a copy that GE inserted is checked against what went into it."""

from __future__ import annotations

from ait_cmp.pairing.ge_step import GeOp
from ait_cmp.pairing.graph.slots import TensorHead
from ait_cmp.pairing.rules.match import Match

# Ops that GE puts between others and that keep every value (Cast up to rounding).
COPY_TYPES = frozenset({"Cast", "TransData", "TransDataRNN"})

_INTEGER = ("torch.int", "torch.uint", "torch.bool")


def is_inserted_copy(op: GeOp) -> bool:
    """Whether a dump file is a Cast or TransData that the graph text does not have.

    Without a graph text the name tells: GE calls them `trans_{type}_{number}`.
    """
    if op.file.op_type not in COPY_TYPES:
        return False
    if op.identity is None:
        return op.name.startswith("trans_")
    return not op.identity.members


def match_self(op: GeOp, index: int, head: TensorHead) -> Match | None:
    """The input of an inserted copy that its output `index` must equal, None if that is not clear.

    A cast from a float to an integer cuts fractions off: its input is no measure for its output.
    """
    if len(op.inputs) != len(op.outputs) or index >= len(op.inputs):
        return None
    source = op.inputs[index]
    if source.state != "ok" or _is_integer(head.dtype) > _is_integer(source.dtype):
        return None
    note = "Inserted by GE: its output is compared with its own input."
    return Match(op.ref("inputs", index), op.file.op_type, "self", note)


def _is_integer(dtype: str) -> bool:
    return dtype.startswith(_INTEGER)
