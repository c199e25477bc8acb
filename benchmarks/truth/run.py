"""Runs the tool on all cases of a folder, in several processes, and prints the table."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

from benchmarks.table import TRUTH_MARKS, write_readme
from benchmarks.truth import ablate, report
from benchmarks.truth.judge import judge_all

README = Path(__file__).parents[1] / "README.md"


def run(options: argparse.Namespace) -> int:
    """Print the table; answers.json and details.txt have every case."""
    folders = sorted(
        path.parent
        for path in (options.folder / "cases").glob("*/truth.json")
        if any(fnmatch(path.parent.name, pattern) for pattern in options.filter)
    )
    folders = folders[:: options.every or (4 if options.ablate else 1)]
    if options.ablate:
        print("\n".join(ablate.lines(folders, options.processes, {"replay": options.replay})))
        return 0
    (answers,) = judge_all(folders, options.processes, {"replay": options.replay})
    place = options.answers or options.folder
    place.mkdir(parents=True, exist_ok=True)
    (place / "answers.json").write_text(
        json.dumps([asdict(answer) for answer in answers], indent=1) + "\n", encoding="utf-8"
    )
    details = "\n".join(report.details(answers)) + "\n"
    (place / "details.txt").write_text(details, encoding="utf-8")
    text = "\n".join(report.lines(answers))
    print(text)
    if options.write_readme:
        write_readme(README, text, TRUTH_MARKS)
    return 0
