"""`ait-cmp show` of a file of a reduced dump: what an info or statistics file tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ait_cmp.file_kinds import is_array_name, kind_of_named
from ait_cmp.tensor_ref import FileRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ait_cmp.info.info_file import InfoTensor


def reduced_report(path: str) -> dict[str, Any]:
    """What a reduced file holds, in the form of the report on a dump file.

    Raises:
        FormatError: It is damaged.
        OSError: It cannot be read.
    """
    from ait_cmp.info.source import read_reduced

    kind = kind_of_named(path)
    info = read_reduced(FileRef(path, kind), "fx" if is_array_name(path) else "ge")
    report: dict[str, Any] = {
        "path": path,
        "op_name": info.op_name,
        "dump_time": info.dump_time or None,
        "kind": kind,
        "overflow": [],
        "notes": [f"a file of kind {kind}: {_what_it_holds(info.tensors)}"],
        "inputs": [],
        "outputs": [],
    }
    for tensor in info.tensors:
        tensors = report[tensor.io or "outputs"]
        tensors.append({"index": len(tensors), **_tensor_report(tensor)})
    return report


def _what_it_holds(tensors: Sequence[InfoTensor]) -> str:
    n_whole = sum(stored.tensor.values is not None for stored in tensors)
    if n_whole:
        return f"it holds the values of {n_whole} small tensors, of the others what is told here"
    return "it holds no values, but what is told here"


def _tensor_report(stored: InfoTensor) -> dict[str, Any]:
    tensor = stored.tensor
    report: dict[str, Any] = {
        "dtype": tensor.dtype or "unknown dtype",
        "format": "",
        "shape": "unknown" if tensor.shape is None else list(tensor.shape),
        "storage_shape": None,
        "original_shape": None,
        "size_bytes": None,
        "state": tensor.state,
        "note": tensor.note,
        "is_whole": tensor.values is not None,
    }
    if tensor.sums is not None:
        n, n_nan, n_positive, n_negative, largest, smallest, mean = tensor.sums
        n_inf = None if n_positive is None else n_positive + (n_negative or 0)
        report.update(count=n, min=smallest, max=largest, mean=mean)
        report.update(nan_count=n_nan or 0, inf_count=n_inf or 0)
    if tensor.content is not None:
        report["hash"] = f"{tensor.content:016x}"
    return report
