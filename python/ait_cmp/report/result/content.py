"""The content of result.json (docs/en/result-format.md), made of a comparison."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ait_cmp import _core
from ait_cmp.pairing.pair import Pair
from ait_cmp.report.divergence_groups import Group, group_divergences
from ait_cmp.report.exhibits import MOST_EXHIBITS, where_of
from ait_cmp.report.json_text import without_nan
from ait_cmp.report.result.errors import errors_of
from ait_cmp.report.summary import (
    input_sentence,
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
# Values that the pictures of one run are made of at most.
_MOST_VALUES = 1 << 28
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
        "cpu_level": _core.isa_in_use(),
        "counts": {
            "status": dict(counts),
            "golden": counts.golden,
            "verdict": counts.verdicts,
            "match": counts.matches,
            "estimated": counts.estimated,
        },
        "failing_modules": [
            {"module": module, "rows": rows}
            for module, rows in Counter(counts.failing_modules).most_common()
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
            for graph, name, kind in dict.fromkeys(
                (found.graph, found.op_name, found.op_type) for found in result.divergences
            )
        ],
        "outputs": [{"sentence": sentence} for sentence in output_sentences(result)],
        "reach": reach_sentences(result),
        "notes": result.notes,
        "summary": list(summary_lines(result)),
        "csv": list(_reports(result)),
    }
    plain = without_nan(content)
    assert isinstance(plain, dict)
    return plain


def _facts(result: Comparison) -> dict[str, Any]:
    run = result.run
    if run is None:
        return {}
    started = datetime.datetime.fromtimestamp(run.started).astimezone()
    return {
        "time": started.isoformat(timespec="seconds"),
        "command": None if run.command is None else list(run.command),
        "my_path": run.my_path,
        "golden_path": run.golden_path,
        "limits": vars(run.limits),
    }


def _divergences(result: Comparison, groups: Sequence[Group]) -> Iterator[dict[str, Any]]:
    n_left = _MOST_VALUES
    for group in groups:
        found = group.first
        exhibit = result.exhibits.get(where_of(found))
        told = {name: getattr(found, name) for name in _FIELDS}
        told["sentences"] = sentences_of(group)
        if exhibit is None:
            yield {**told, "errors": None, "errors_note": "not looked at", "neighbourhood": None}
            continue
        row, shape = exhibit.row, shape_of(exhibit.row.my_shape or "")
        errors, note, n_values = _errors(exhibit.pair, shape, n_left)
        n_left -= n_values
        yield {
            **told,
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


def _errors(
    pair: Pair, shape: tuple[int, ...], most: int
) -> tuple[dict[str, Any] | None, str, int]:
    """Errors, or None and why there are none; and how many values were read."""
    if any(ref is None or ref.kind != "dump" for ref in (pair.my, pair.golden)):
        return None, "a reduced dump keeps no values", 0
    if most < MAX_VALUES:
        return None, "enough values were looked at before", 0
    values = read_pair(pair)
    if values is None:
        return None, "the values cannot be read, or there are too many", 0
    return errors_of(*values, shape), "", values[0].size


def _reports(result: Comparison) -> Iterator[dict[str, Any]]:
    for path, (rank, number) in zip(result.csv_paths, result.counts.ranks.items()):
        yield {"name": path.name, "rank": rank, "rows": number}
