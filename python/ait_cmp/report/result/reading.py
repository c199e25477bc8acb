"""Reports on disk -> what a page needs: their result.json and their CSV files."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ait_cmp.errors import ConfigError, FormatError
from ait_cmp.report.html import CsvTable
from ait_cmp.report.result.content import FORMAT, VERSION

# "_2": of a second run in the same second.
_REPORT = re.compile(r"ait_cmp_report_(?:rank\d+_)?(?P<run>\d{14}(?:_\d+)?)\.csv")
# What the results of several runs have in common is added up, or said one after the other.
_LISTS = (
    "inputs_differ",
    "divergences",
    "diverging_ops",
    "outputs",
    "reach",
    "notes",
    "summary",
    "csv",
)


class Reports(NamedTuple):
    """One run, or several that belong together.

    Attributes:
        csv_paths: The reports.
        result: The content of result.json; of several runs put together.
        notes: Sentences on what was chosen.
    """

    csv_paths: list[Path]
    result: dict[str, Any]
    notes: list[str]

    @property
    def has_differences(self) -> bool:
        """Whether a run found some."""
        return bool(self.result.get("has_differences"))


def read_reports(paths: Sequence[Path]) -> Reports:
    """The reports that are meant.

    Args:
        paths: CSV files, or folders: of a folder its newest run.

    Raises:
        ConfigError: There is none.
        FormatError: A file is none of ours.
        OSError: A file cannot be read.
    """
    csv_paths: list[Path] = []
    results: list[dict[str, Any]] = []
    notes: list[str] = []
    for path in paths:
        if not path.exists():
            message = f"{path}: no such file or folder"
            raise ConfigError(message)
        found, note = newest_run(path) if path.is_dir() else ([path], "")
        csv_paths += found
        notes += [note] if note else []
    for path in _results_of(csv_paths):
        results.append(read_result(path))
    if not results:
        notes.append("There is no result.json beside the reports: the page has their rows alone.")
        results.append(_of_rows(CsvTable(csv_paths)))
    result = _merged(results)
    result["notes"] = [*notes, *result.get("notes", [])]
    return Reports(csv_paths, result, notes)


def read_result(path: Path) -> dict[str, Any]:
    """The content of a result.json.

    Raises:
        FormatError: It is none, or of a later version.
        OSError: It cannot be read.
    """
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        message = f"{path}: a result.json of ait-cmp expected, found no JSON ({error})"
        raise FormatError(message) from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        message = f'{path}: a result.json of ait-cmp expected ("format": "{FORMAT}")'
        raise FormatError(message)
    if found.get("version") != VERSION:
        message = f"{path}: version {VERSION} of result.json expected, found "
        message += f"{found.get('version')!r}: written by another ait-cmp"
        raise FormatError(message)
    for name in _LISTS:
        if not isinstance(found.get(name, []), list):
            message = f"{path}: {name}: a list expected"
            raise FormatError(message)
    return found


def newest_run(folder: Path) -> tuple[list[Path], str]:
    """The reports of the newest run of a folder, and a sentence if there are others."""
    runs: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if match := _REPORT.fullmatch(path.name):
            runs.setdefault(match["run"], []).append(path)
    if not runs:
        message = f"{folder}: no report of ait-cmp (ait_cmp_report_*.csv) in this folder"
        raise ConfigError(message)
    newest = max(runs, key=lambda run: tuple(map(int, run.split("_"))))
    note = ""
    if len(runs) > 1:
        note = f"{folder}: of {len(runs)} runs the newest, {newest}, is taken."
    return runs[newest], note


def _results_of(csv_paths: Iterable[Path]) -> list[Path]:
    """The results beside the reports, each once."""
    beside = (result_beside(path) for path in csv_paths)
    return list(dict.fromkeys(path for path in beside if path is not None))


def result_beside(csv_path: Path) -> Path | None:
    """The result.json of the run that wrote a report, None if there is none."""
    match = _REPORT.fullmatch(csv_path.name)
    if not match:
        return None
    beside = csv_path.with_name(f"ait_cmp_result_{match['run']}.json")
    return beside if beside.exists() else None


def _of_rows(table: CsvTable) -> dict[str, Any]:
    """What rows alone tell."""
    columns = list(table.columns)
    counts: dict[str, Counter[str]] = {"status": Counter(), "verdict": Counter()}
    for row in table.rows():
        for name, numbers in counts.items():
            numbers[str(row[columns.index(name)])] += 1
    counts["verdict"].pop("", None)
    return {
        "format": FORMAT,
        "version": VERSION,
        "counts": {name: dict(numbers) for name, numbers in counts.items()},
        "has_differences": bool(counts["verdict"]["fail"]),
    }


def _merged(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = dict(results[0])
    if len(results) == 1:
        return first
    for name in _LISTS:
        first[name] = [one for result in results for one in result.get(name, [])]
    counts: dict[str, Counter[str]] = {}
    modules: Counter[str] = Counter()
    for result in results:
        for what, numbers in result.get("counts", {}).items():
            counts.setdefault(what, Counter()).update(numbers)
        for found in result.get("failing_modules", []):
            modules[found["module"]] += found["rows"]
    first["counts"] = {what: dict(numbers) for what, numbers in counts.items()}
    first["failing_modules"] = [
        {"module": name, "rows": rows} for name, rows in modules.most_common()
    ]
    first["divergence_count"] = sum(result.get("divergence_count", 0) for result in results)
    for name in ("has_differences", "was_interrupted"):
        first[name] = any(result.get(name) for result in results)
    return first
