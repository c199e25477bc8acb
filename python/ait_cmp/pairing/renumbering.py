"""FX nodes that have another number on the golden side: `add` there is what `add_1` is here.

The names of FX nodes come from the order in which a graph was traced; a branch more in the golden
run shifts all numbers behind it, and my Add is compared with another addition. It shows where the
golden node was given other tensors than those that feed my op.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from ait_cmp.pairing.fx_step import FxNode, FxStep, operator_of
from ait_cmp.pairing.readers import Readers
from ait_cmp.tensor_ref import TensorRef

# Nodes of one operator that are looked at.
_MOST_NODES = 256


def renumbered(fx: FxStep, name: str, inputs: Sequence[TensorRef], readers: Readers) -> str:
    """A sentence if an FX node did not get the tensors that feed the op it is compared with.

    Args:
        fx: The golden step.
        name: The FX node.
        inputs: Golden tensors that feed my op, known otherwise than by this node's INPUT files.
        readers: What reads headers and values.

    Returns:
        Which node did get them, or that none did; "" if the node got them, or nothing tells.
    """
    node = fx.node(name)
    wanted = [ref for ref in inputs if not ref.view]
    if node is None or not wanted or not node.inputs or _got(node, wanted, readers):
        return ""
    others = {
        other.inputs[0].node: other
        for other in fx.nodes_of({operator_of(node.target)})
        if other.inputs and other.inputs[0].node != name
    }
    fits = [
        title for title, other in list(others.items())[:_MOST_NODES] if _got(other, wanted, readers)
    ]
    if not fits:
        return ""
    which = f"{fits[0]} fits" if len(fits) == 1 else f"{' or '.join(fits[:3])} fits"
    return (
        f"Golden {name} was given other tensors than those that feed this op: the nodes of the two "
        f"FX graphs are numbered differently ({which})."
    )


def _got(node: FxNode, wanted: Sequence[TensorRef], readers: Readers) -> bool:
    """Whether every wanted tensor is among the arguments of a node."""
    given = [TensorRef(file.path, "", 0, kind=file.kind) for file in node.inputs]
    scans = readers.scan_npy([ref.file for ref in given], readers.threads)
    counts = [
        prod(scan.shape) if scan.error is None and scan.state == "ok" else -1 for scan in scans
    ]
    return all(
        any(
            count >= 0 and readers.are_equal(ref, tensor, count)
            for ref, count in zip(given, counts)
        )
        for tensor in wanted
    )
