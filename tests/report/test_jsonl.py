"""Rows as JSON lines beside the CSV."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import pytest

import small_model
from ait_cmp import Comparison, compare_dirs
from ait_cmp.cli.main import main
from ait_cmp.discover import StepKey
from ait_cmp.report.jsonl_sink import JsonlSink
from ait_cmp.report.report_files import ReportNames
from ait_cmp.report.row import COLUMNS
from ait_cmp.report.sinks import StepReport
from report_rows import EMPTY, paired_step

NOON = time.struct_time((2026, 11, 22, 12, 0, 0, 6, 326, 0))


def objects(path: Path) -> list[dict[str, Any]]:
    """The objects of a file; NaN and infinity, which JSON has not, are refused."""

    def refuse(text: str) -> None:
        pytest.fail(f"{text} is no JSON")

    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line, parse_constant=refuse) for line in lines]


def test_each_row_of_the_csv_is_an_object_with_the_same_cells(tmp_path: Path) -> None:
    small_model.write_dumps(tmp_path, tokens=2)
    out = tmp_path / "out"
    main(
        [
            *("--my-path", str(tmp_path / "ge"), "--golden-path", str(tmp_path / "fx")),
            *("--output", str(out), "--jsonl"),
        ]
    )
    (jsonl,), (table,) = out.glob("*.jsonl"), out.glob("*.csv")
    assert jsonl.stem == table.stem
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = objects(jsonl)
    assert len(found) == len(rows) > 0
    for cells, row in zip(found, rows):
        assert list(cells) == list(row)
        for name, value in cells.items():
            text = row[name].removeprefix("'") if isinstance(value, str) else row[name]
            assert type(value)(text) == value if value is not None else text == ""


def test_the_result_says_where_they_are(tmp_path: Path) -> None:
    small_model.write_dumps(tmp_path, tokens=1)
    folders = (tmp_path / "ge", tmp_path / "fx")
    found = compare_dirs(*folders, output=tmp_path / "out", jsonl=True)
    assert [path.suffix for path in found.jsonl_paths] == [".jsonl"]
    assert compare_dirs(*folders, output=tmp_path / "out").jsonl_paths == []


def test_both_files_of_a_run_have_one_name_also_where_it_is_taken(tmp_path: Path) -> None:
    names = ReportNames(tmp_path, NOON)
    (tmp_path / f"{names.of_rank(-1)}.csv").touch()
    for ending in (".csv", ".jsonl"):
        names.create(names.of_rank(-1), ending).close()
    assert {path.name for path in tmp_path.iterdir()} == {
        "ait_cmp_report_20261122120000.csv",
        "ait_cmp_report_20261122120000_1.csv",
        "ait_cmp_report_20261122120000_1.jsonl",
    }


def test_odd_cells_are_json_all_the_same(tmp_path: Path) -> None:
    row = EMPTY._replace(
        golden_data_path=os.fsdecode(b"/dump/\xff\xe4.npy"),
        cmp_fail_reason='=say "µ"\n',
        cosine_similarity=math.nan,
        relative_euclidean_distance=math.inf,
        max_absolute_error=1e-300,
        custom=("7",),
    )
    sink = JsonlSink(ReportNames(tmp_path, NOON), ["mine"])
    sink.write(StepReport(StepKey(3, "graph_1", 0), paired_step([row])))
    sink.close()
    result = Comparison()
    sink.finish(result)
    ((found,), path) = objects(result.jsonl_paths[0]), result.jsonl_paths[0]
    assert path.name == "ait_cmp_report_rank3_20261122120000.jsonl"
    assert list(found) == [*COLUMNS, "mine"]
    assert found["golden_data_path"] == "/dump/\\xff\\xe4.npy"
    assert found["cmp_fail_reason"] == '=say "µ"\n'
    assert (found["cosine_similarity"], found["relative_euclidean_distance"]) == ("nan", "inf")
    assert (found["max_absolute_error"], found["kl_divergence"]) == (1e-300, None)
    assert found["mine"] == "7"
