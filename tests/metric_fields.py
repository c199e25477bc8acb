"""The fields of metrics in Python, written from the table in the core.

`python tests/metric_fields.py` rewrites the blocks from `# metrics` to `# end of metrics` in
`report/row.py` and `compare/arrays.py`; a test says when that is due.
"""

from __future__ import annotations

import re
from pathlib import Path

from ait_cmp import _core

PACKAGE = Path(__file__).parents[1] / "python" / "ait_cmp"
FILES = (PACKAGE / "report" / "row.py", PACKAGE / "compare" / "arrays.py")
BLOCK = re.compile(r"(    # metrics (\w+):[^\n]*\n).*?(    # end of metrics\n)", re.DOTALL)


def fields_of(group: str) -> str:
    """Lines that declare a group of the metrics, or all metrics."""
    default = "" if group in ("after_sides", "everywhere") else " = None"
    return "".join(
        f"    {name}: float | None{default}\n"
        for name, _, its_group, _ in _core.metrics
        if group in (its_group, "everywhere")
    )


def with_fields(text: str) -> str:
    """The text of a module, its blocks made anew."""
    return BLOCK.sub(lambda block: block[1] + fields_of(block[2]) + block[3], text)


if __name__ == "__main__":
    for path in FILES:
        path.write_text(with_fields(path.read_text(encoding="utf-8")), encoding="utf-8")
