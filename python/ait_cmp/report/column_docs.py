"""Docstrings of records whose fields are columns, from the one table."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any

from ait_cmp.report.columns import COMPARE_COLUMNS


def document(record: Any, **others: str) -> None:
    """Give a record and its fields what the table says of them; `others` are no columns."""
    table = {column.name: column for column in COMPARE_COLUMNS}
    lines = []
    for name in record._fields:
        if name in others:
            text = others[name]
        else:
            text = table[name].en
            if table[name].normal:
                text += f" Normal: {table[name].normal}."
        getattr(record, name).__doc__ = text
        lines.append(f"    {name}: {text}")
    # Python 3.13 has taken the indentation off by itself.
    told, example, rest = cleandoc(record.__doc__ or "").partition("Example:")
    record.__doc__ = "\n".join([f"{told}Attributes:", *lines, "", f"{example}{rest}"])
