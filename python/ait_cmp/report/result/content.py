"""The content of result.json (docs/en/result-format.md), made of a comparison."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ait_cmp import _core
from ait_cmp.pairing.pair import Pair
from ait_cmp.report.divergence_groups import Group, group_divergences
from ait_cmp.report.exhibits import MOST_EXHIBITS, Exhibit, Where, where_of
from ait_cmp.report.json_text import without_nan
from ait_cmp.report.result.errors import errors_of
from ait_cmp.report.result.parts import parts_of, runs_of
from ait_cmp.report.summary import (
    input_sentence,
    most_first,
    output_sentences,
    reach_sentences,
    sentences_of,
    summary_lines,
)
from ait_cmp.report.values import MAX_VALUES, read_pair, shape_of

if TYPE_CHECKING:
    from ait_cmp.report.comparison import Comparison

FORMAT = "ait-cmp result"
VERSION = 1
# The first pictures may be of tensors as large as any that are looked at, later ones of a part.
_LARGE_PICTURES = 16
_LATER_SHARE = 8
_ENOUGH = "enough values were looked at before"
_TOO_MANY = "the values cannot be read, or there are too many"
# What a divergence has under the same name in Python.
_FIELDS = (
    *("rank", "graph", "token", "op_name", "op_type", "kind", "upstream_error", "error"),
    *("error_growth", "given_block", "block_error", "block_growth", "limit", "fx_node", "module"),
    *("source", "candidates", "places", "later_failures", "replay"),
)


def content_of(result: Comparison) -> dict[str, Any]:
    """The object of result.json: plain data, without NaN and infinities."""
    counts = result.counts
    groups = group_divergences(result.divergences)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "program": _core.__version__,
        **_facts(result),
        "cpu_level": ", ".join(sorted({run.cpu_level for run in result.tally.runs}))
        or _core.isa_in_use(),
        "counts": {
            "status": dict(counts),
            "golden": counts.golden,
            "verdict": counts.verdicts,
            "match": dict(sorted(counts.matches.items())),
            "estimated": dict(sorted(counts.estimated.items())),
        },
        "failing_modules": [
            {"module": module, "rows": rows} for module, rows in most_first(counts.failing_modules)
        ],
        "has_differences": result.has_differences,
        "was_interrupted": result.was_interrupted,
        "inputs_differ": [
            {
                "rank": found.rank,
                "graph": found.graph,
                "token": found.token,
                "op_name": found.name,
                "sentence": input_sentence(found),
            }
            for found in result.inputs_differ
        ],
        "divergences": list(_divergences(result, groups[:MOST_EXHIBITS])),
        "divergence_count": len(groups),
        "diverging_ops": [
            {"graph": graph, "op_name": name, "op_type": kind}
            for graph, name, kind in sorted(
                {(found.graph, found.op_name, found.op_type) for found in result.divergences}
            )
        ],
        "outputs": [{"sentence": sentence} for sentence in output_sentences(result)],
        "reach": reach_sentences(result),
        "notes": result.notes,
        "summary": list(summary_lines(result, beside=True)),
        "csv": list(_reports(result)),
        "runs": runs_of(result.tally),
        "merge": parts_of(result, groups),
    }
    plain = without_nan(content)
    assert isinstance(plain, dict)
    return plain


def _facts(result: Comparison) -> dict[str, Any]:
    run = result.run
    if run is None:
        return {}
    now = datetime.datetime.now().astimezone()
    return {
        "time": run.time,
        "made": now.isoformat(timespec="seconds"),
        "command": None if run.command is None else list(run.command),
        "my_path": run.my_path,
        "golden_path": run.golden_path,
        "limits": vars(run.limits),
    }


def _divergences(result: Comparison, groups: Sequence[Group]) -> Iterator[dict[str, Any]]:
    for number, group in enumerate(groups):
        found = group.first
        told = {name: getattr(found, name) for name in _FIELDS}
        told["sentences"] = sentences_of(group)
        picture = result.pictures.get(where_of(found))
        exhibit = result.exhibits.get(where_of(found))
        if picture is None:
            picture = _NO_PICTURE if exhibit is None else picture_of(exhibit, number)
        yield {**told, **_fitting(picture, number)}


_NO_PICTURE = {"errors": None, "errors_note": "not looked at", "neighbourhood": None}


def pictures_of(result: Comparison) -> dict[Where, dict[str, Any]]:
    """The pictures of all exhibits that may be shown."""
    groups = group_divergences(result.divergences)[:MOST_EXHIBITS]
    places = enumerate(where_of(group.first) for group in groups)
    return {
        where: picture_of(result.exhibits[where], number)
        for number, where in places
        if where in result.exhibits
    }


def picture_of(exhibit: Exhibit, number: int) -> dict[str, Any]:
    """What result.json holds of a divergence beside its cells.

    Args:
        exhibit: The divergence.
        number: How many are pictured before it: fewer values are looked at of later ones.
    """
    row, shape = exhibit.row, shape_of(exhibit.row.my_shape or "")
    errors, note = _errors(exhibit.pair, shape, _most_values(number))
    return {
        "data_id": row.data_id,
        "my": row.my_data_path,
        "golden": row.golden_data_path,
        "my_dtype": row.my_dtype,
        "golden_dtype": row.golden_dtype,
        "shape": list(shape),
        "errors": errors,
        "errors_note": note,
        "neighbourhood": exhibit.neighbourhood,
    }


def _fitting(picture: Mapping[str, Any], number: int) -> dict[str, Any]:
    """A picture as it is where so many stand before it: merging may move it back."""
    shape = picture.get("shape", ())
    is_large = picture["errors"] is not None and math.prod(shape) > _most_values(number)
    return {**picture, "errors": None, "errors_note": _ENOUGH} if is_large else dict(picture)


def _most_values(number: int) -> int:
    return MAX_VALUES if number < _LARGE_PICTURES else MAX_VALUES // _LATER_SHARE


def _errors(pair: Pair, shape: tuple[int, ...], most: int) -> tuple[dict[str, Any] | None, str]:
    """Errors, or None and why there are none."""
    if any(ref is None or ref.kind != "dump" for ref in (pair.my, pair.golden)):
        return None, "a reduced dump keeps no values"
    if math.prod(shape) > most:
        return None, _ENOUGH if most < MAX_VALUES else _TOO_MANY
    values = read_pair(pair)
    if values is None:
        return None, _TOO_MANY
    return errors_of(*values, shape), ""


def _reports(result: Comparison) -> Iterator[dict[str, Any]]:
    for path, (rank, number) in zip(result.csv_paths, result.counts.ranks.items()):
        yield {"name": path.name, "rank": rank, "rows": number}
