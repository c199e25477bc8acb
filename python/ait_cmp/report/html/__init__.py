"""One self-contained HTML file: the answer, the course of the error, and every row."""

from __future__ import annotations

from ait_cmp.report.html.page import page
from ait_cmp.report.html.tables import ComparisonTable, CsvTable

__all__ = ["ComparisonTable", "CsvTable", "page"]
