"""`ait-cmp show FILE`: what a dump file holds; of one tensor also values and a histogram."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ait_cmp.cli.terminal import say
from ait_cmp.report.json_text import json_line

if TYPE_CHECKING:
    from ait_cmp import _core
    from ait_cmp.info.dump_file import Dump
    from ait_cmp.info.results import Result
    from ait_cmp.tensor_ref import TensorRef

# Values of a tensor that are in memory at once, and those that are printed.
_CHUNK = 1 << 20
_FIRST_VALUES = 16
_BINS = 16
_BAR_WIDTH = 40


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `show`."""
    parser = commands.add_parser(
        "show",
        help="header, shapes and statistics of one file or tensor",
        description="Show what a GE dump file or an .npy file holds. With FILE,inputs|outputs,I "
        "(as the report writes it) one tensor, its first values and a histogram.",
    )
    parser.add_argument(
        "tensor", metavar="FILE[,inputs|outputs,I]", help="a file of a dump, or one tensor of it"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object for machines")


def run(options: argparse.Namespace) -> int:
    """Print one file or one tensor; 0, or 2 when the file has no such tensor."""
    from ait_cmp.cli.show_reduced import reduced_report
    from ait_cmp.cli.tensor_spec import parse_tensor_spec
    from ait_cmp.errors import ConfigError
    from ait_cmp.file_kinds import kind_of_named
    from ait_cmp.info.dump_file import open_dump

    spec = parse_tensor_spec(options.tensor, with_values=False)
    is_reduced = kind_of_named(spec.path) != "dump"
    if is_reduced:
        report = reduced_report(spec.path)
    else:
        dump = open_dump(spec.path)
        report = _dump_report(dump)
        report["overflow"] = _overflow_report(dump)
    if spec.index is not None or spec.is_npy:
        io = spec.io or "outputs"
        index = spec.index or 0
        if index >= len(report[io]):
            message = f"{spec.path}: no {io} {index}, the file has {len(report[io])} {io}"
            raise ConfigError(message)
        chosen = report[io][index]
        if not is_reduced:
            chosen.update(_values_report(spec.address(), chosen))
        report["inputs"] = [chosen] if io == "inputs" else []
        report["outputs"] = [chosen] if io == "outputs" else []
    if options.json:
        print(json_line(report))
    else:
        for line in _text(report):
            say(line)
    return 0


def _dump_report(dump: Dump) -> dict[str, Any]:
    from ait_cmp import _core
    from ait_cmp.config import usable_cores
    from ait_cmp.info.results import result_of
    from ait_cmp.tensor_ref import Job, TensorRef
    from ait_cmp.terms import INPUTS_OUTPUTS

    tensors = [(io, i, t) for io in INPUTS_OUTPUTS for i, t in enumerate(getattr(dump, io))]
    refs = [TensorRef(dump.path, "" if dump.is_array else io, i) for io, i, _ in tensors]
    results = [
        result_of(plain)
        for many in _core.Batch([Job(ref, None) for ref in refs], threads=usable_cores())
        for plain in many
    ]
    report: dict[str, Any] = {
        "path": dump.path,
        "op_name": dump.op_name,
        "dump_time": dump.dump_time,
        "notes": list(dump.notes),
        "inputs": [],
        "outputs": [],
    }
    for (io, index, tensor), result in zip(tensors, results):
        report[io].append({"index": index, **_tensor_report(tensor, result)})
    return report


def _overflow_report(dump: Dump) -> list[str]:
    """What an overflow record of the device says, nothing for any other file."""
    from ait_cmp.errors import FormatError
    from ait_cmp.info.overflow import read_overflow

    if not Path(dump.path).name.lower().startswith("opdebug.") or not dump.outputs:
        return []
    try:
        records = read_overflow(dump.outputs[0].numpy().tobytes())
    except FormatError as error:
        return [str(error)]
    return [str(record) for record in records] or ["no overflow recorded"]


def _tensor_report(tensor: _core.Tensor, result: Result) -> dict[str, Any]:
    sums = None if result.my is None else result.my.sums
    report: dict[str, Any] = {
        "dtype": tensor.dtype,
        "format": tensor.format,
        "shape": list(tensor.shape),
        "storage_shape": _list_or_none(tensor.storage_shape),
        "original_shape": _list_or_none(tensor.original_shape),
        "size_bytes": tensor.size_bytes,
        "state": tensor.state,
        "note": tensor.note or (result.reason if result.status != "compared" else ""),
    }
    if tensor.sub_format > 1:
        report["groups"] = tensor.sub_format
    if sums is not None:
        has_finite = bool(sums.n_finite)
        report.update(
            min=sums.min if has_finite else None,
            max=sums.max if has_finite else None,
            mean=sums.mean if has_finite else None,
            nan_count=sums.n_nan,
            inf_count=sums.n_inf,
        )
    return report


def _list_or_none(shape: tuple[int, ...] | None) -> list[int] | None:
    return None if shape is None else list(shape)


def _values_report(ref: TensorRef, tensor: dict[str, Any]) -> dict[str, Any]:
    """First values and a histogram of the finite ones: (from, to, count) of equal widths."""
    import numpy as np

    from ait_cmp import _core

    if "nan_count" not in tensor:
        return {}
    first = _core.read_values(ref, begin=0, end=_FIRST_VALUES).tolist()
    low, high = tensor["min"], tensor["max"]
    if low is None:
        return {"first_values": first, "histogram": []}
    # The widest doubles differ by more than a double holds: bins are laid over halves.
    edges = np.linspace(low / 2, high / 2, (_BINS if high > low else 1) + 1)
    counts = np.zeros(len(edges) - 1, np.int64)
    begin = 0
    while True:
        values = _core.read_values(ref, begin=begin, end=begin + _CHUNK)
        if values.size == 0:
            break
        halves = values[np.isfinite(values)].astype(np.float64) / 2
        number = np.searchsorted(edges, halves, side="right") - 1
        counts += np.bincount(np.clip(number, 0, len(counts) - 1), minlength=len(counts))
        begin += _CHUNK
    bins = [
        [float(edges[i] * 2), float(edges[i + 1] * 2), int(count)] for i, count in enumerate(counts)
    ]
    return {"first_values": first, "histogram": bins}


def _text(report: dict[str, Any]) -> Iterator[str]:
    yield f"file      {report['path']}"
    yield f"op        {report['op_name']}"
    if report["dump_time"] is not None:
        yield f"time      {_time(report['dump_time'])}"
    for note in report["notes"]:
        yield f"note      {note}"
    for record in report["overflow"]:
        yield f"overflow  {record}"
    for io in ("inputs", "outputs"):
        for tensor in report[io]:
            yield ""
            yield from _tensor_text(io, tensor)


def _time(microseconds: int) -> str:
    """UTC to the microsecond, or the number where no calendar has it."""
    seconds, rest = divmod(microseconds, 10**6)
    try:
        moment = datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return f"{microseconds} us since 1970"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{rest:06d} UTC"


def _tensor_text(io: str, tensor: dict[str, Any]) -> Iterator[str]:
    shapes = f"shape {tensor['shape']}"
    for kind in ("storage_shape", "original_shape"):
        if tensor[kind] is not None and tensor[kind] != tensor["shape"]:
            shapes += f", {kind.replace('_', ' ')} {tensor[kind]}"
    groups = f" of {tensor['groups']} groups" if "groups" in tensor else ""
    yield (
        f"{io},{tensor['index']:<3}{tensor['dtype']} {tensor['format']}".rstrip()
        + f"{groups}, {shapes}"
        + ("" if tensor["size_bytes"] is None else f", {tensor['size_bytes']} bytes")
    )
    if tensor["state"] != "ok":
        yield f"    state {tensor['state']}"
    if tensor["note"]:
        yield f"    note  {tensor['note']}"
    if "nan_count" not in tensor:
        return
    if tensor["min"] is not None:
        yield f"    min {tensor['min']!r}  max {tensor['max']!r}  mean {tensor['mean']!r}"
    if tensor["nan_count"] or tensor["inf_count"]:
        yield f"    {tensor['nan_count']} NaN, {tensor['inf_count']} inf"
    if "first_values" in tensor:
        yield f"    first values  {' '.join(map(repr, tensor['first_values']))}"
        yield from _histogram_text(tensor["histogram"])


def _histogram_text(bins: list[list[Any]]) -> Iterator[str]:
    largest = max((count for _, _, count in bins), default=0)
    for low, high, count in bins:
        bar = "#" * (max(1, round(_BAR_WIDTH * count / largest)) if count else 0)
        yield f"    {low:>12.5g} .. {high:<12.5g} {count:>12}  {bar}".rstrip()
