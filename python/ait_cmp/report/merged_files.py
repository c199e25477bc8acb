"""Reports of several hosts -> one: their result.json and their CSV files, row by row."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ait_cmp import _core
from ait_cmp.config import PathText
from ait_cmp.errors import ConfigError
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.csv_sink import portions_of, whole_rows
from ait_cmp.report.html import CsvTable, page
from ait_cmp.report.html_sink import HtmlSink
from ait_cmp.report.merging import check_fit, put_together
from ait_cmp.report.report_files import LineFile, ReportNames
from ait_cmp.report.result.read_parts import comparison_of
from ait_cmp.report.result.reading import newest_run, read_result, result_beside
from ait_cmp.report.result_sink import ResultSink
from ait_cmp.report.row import COLUMNS


def merge_reports(
    folders: Sequence[Path],
    output: Path,
    *,
    html: bool | PathText = False,
    command: Sequence[str] | None = None,
) -> tuple[Comparison, list[str]]:
    """Write the report of all ranks; the comparison has no rows, they are in its CSV files.

    Args:
        folders: Of each its newest run.
        output: Folder for the report; it is there, and none of them.
        html: Write the page, too: to this file, or (True) beside the CSV files.
        command: The words of a command line that result.json is to tell.

    Returns:
        What was found, and which run was taken of a folder with several.

    Raises:
        ConfigError: A folder has no report, or they do not fit together.
        FormatError: A file is none of ours, of another version, or damaged.
        OSError: A file cannot be read or written.
    """
    parts, notes = [], []
    for folder in folders:
        part, note = _read(folder)
        parts.append(part)
        notes += [note] if note else []
        if folder.resolve() == output.resolve():
            message = f"{output}: a folder of its own expected for what {folder} is merged into"
            raise ConfigError(message)
    check_fit(parts, [str(folder) for folder in folders])
    head = _core.csv_lines([(*COLUMNS, *parts[0].custom_names)])
    for part in parts:
        for path in part.csv_paths:
            _check_head(path, head)
    whole = put_together(parts)
    assert whole.run is not None
    whole.run = replace(whole.run, command=command)
    sources = dict(zip(whole.counts.ranks, whole.csv_paths))
    names = ReportNames(output, time.localtime(whole.run.started)).free(sources)
    page_sink = None if html is False else HtmlSink.of(names, html)
    made: list[Path] = []
    try:
        for rank, source in sources.items():
            file = names.create(names.of_rank(rank), ".csv")
            made.append(file.path)
            try:
                file.append([head])
                _copy(source, file, whole.counts.ranks[rank])
            finally:
                file.close()
    except BaseException:  # a report without its result.json is none
        for path in made:
            path.unlink(missing_ok=True)
        raise
    whole.csv_paths = made
    ResultSink(names).finish(whole)
    if page_sink is not None:
        page_sink.put(page(whole.result, CsvTable(made)), whole)
    return whole, notes


def _read(folder: Path) -> tuple[Comparison, str]:
    """What the newest run of a folder found, and a sentence if there are others."""
    if not folder.is_dir():
        what = "a folder of reports expected" if folder.exists() else "no such folder"
        message = f"{folder}: {what}"
        raise ConfigError(message)
    csv_paths, note = newest_run(folder)
    path = result_beside(csv_paths[0])
    if path is None:
        message = f"{folder}: there is no result.json beside {csv_paths[0].name}: compare again"
        raise ConfigError(message)
    part = comparison_of(read_result(path), path)
    for report in part.csv_paths:
        if not report.is_file():
            message = f"{report}: this report is missing; {path.name} names it"
            raise ConfigError(message)
    return part, note


def _check_head(path: Path, head: bytes) -> None:
    with path.open("rb") as file:
        if file.read(len(head)) != head:
            message = f"{path}: other columns than this version of ait-cmp writes"
            raise ConfigError(message)


def _copy(source: Path, file: LineFile, n_rows: int) -> None:
    """Append the rows of a report."""
    n_copied = 0
    with source.open("rb") as lines:
        next(lines, b"")
        for portion in portions_of(whole_rows(lines)):
            file.append(portion)
            n_copied += len(portion)
    check_rows(source, n_copied, n_rows)


def check_rows(report: Path | str, n_found: int, n_rows: int) -> None:
    """ConfigError where a report has not as many rows as its result.json says."""
    if n_found != n_rows:
        message = f"{report}: {n_rows} rows expected, as its result.json says, found {n_found}: "
        message += "was it copied whole?"
        raise ConfigError(message)
