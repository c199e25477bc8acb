"""`ait-cmp columns`: what every column of the reports means."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ait_cmp.cli.language import add_language_option, language_of

if TYPE_CHECKING:
    from ait_cmp.report.columns import Language

_INTRODUCTION: dict[Language, str] = {
    "en": """\
# Columns of the reports

Every cell may be empty: not computed. A *share* of 0.05 is 5 %. RED is the relative Euclidean
distance. *Growth* is an error divided by what the operator was given. This page is printed by
`ait-cmp columns`.
""",
    "zh": """\
# 报告各列的含义

任何单元格都可能为空，表示未计算。比例 0.05 即 5 %。RED 为相对欧氏距离。“增长” 为误差与算子
所得到的误差之比。本页由 `ait-cmp columns --lang zh` 生成。
""",
}
_TITLES: dict[Language, tuple[str, str]] = {
    "en": (
        "Comparison: `ait_cmp_report_*.csv`, a row for every tensor of the GE dump",
        "Replay: `ait_cmp_replay_*.csv`, a row for every output",
    ),
    "zh": (
        "比对：`ait_cmp_report_*.csv`，GE 落盘数据的每个张量一行",
        "重放：`ait_cmp_replay_*.csv`，每个输出一行",
    ),
}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `columns`."""
    parser = commands.add_parser(
        "columns",
        help="what every column of the reports means",
        description="Print what every column of the reports means, as a Markdown page.",
    )
    add_language_option(parser)


def page_lines(language: Language) -> Iterator[str]:
    """The page docs/{language}/columns.md."""
    from ait_cmp.report.columns import COMPARE_COLUMNS, column_lines
    from ait_cmp.report.replay_columns import REPLAY_COLUMNS

    yield from _INTRODUCTION[language].splitlines()
    for title, columns in zip(_TITLES[language], (COMPARE_COLUMNS, REPLAY_COLUMNS)):
        yield ""
        yield f"## {title}"
        yield ""
        yield from column_lines(columns, language)


def run(options: argparse.Namespace) -> int:
    """Print the page."""
    for line in page_lines("zh" if language_of(options) == "zh" else "en"):
        print(line)
    return 0
