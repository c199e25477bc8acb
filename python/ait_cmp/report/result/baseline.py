"""What an earlier run found: a gate lets through what it had already."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ait_cmp.errors import FormatError
from ait_cmp.report.findings import Divergence
from ait_cmp.report.result.reading import read_result


class KnownOp(NamedTuple):
    """An op of a graph, in whatever rank and step it diverges."""

    graph: str
    op_name: str
    op_type: str


class Baseline:
    """The divergences of a result.json.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, ops: Iterable[KnownOp]) -> None:
        self.path = path
        self._ops = frozenset(ops)

    def __contains__(self, found: object) -> bool:
        return isinstance(found, Divergence) and self._has(found)

    def _has(self, found: Divergence) -> bool:
        return KnownOp(found.graph, found.op_name, found.op_type) in self._ops


def read_baseline(path: Path) -> Baseline:
    """The baseline that a file is.

    Raises:
        FormatError: It is no result.json.
        OSError: It cannot be read.
    """
    result = read_result(path)
    told: list[dict[str, Any]] = result.get("diverging_ops", result.get("divergences", []))
    try:
        return Baseline(
            path, [KnownOp(*(str(op[name]) for name in KnownOp._fields)) for op in told]
        )
    except (KeyError, TypeError) as error:
        message = f"{path}: a divergence with {', '.join(KnownOp._fields)} expected ({error})"
        raise FormatError(message) from error
