"""One JSON object for machines."""

from __future__ import annotations

import json
from typing import Any


def json_line(value: dict[str, Any]) -> str:
    """The object on one line; NaN and infinity, which JSON has not, become texts."""
    return json.dumps(without_nan(value), allow_nan=False)


def without_nan(value: Any) -> Any:
    """The value with texts in place of NaN and infinities; tuples become lists."""
    if isinstance(value, dict):
        return {name: without_nan(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(one) for one in value]
    is_number = not isinstance(value, float) or abs(value) < float("inf")
    return value if is_number else repr(value)
