"""result.json: what the documentation says it holds, against slow oracles."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import ait_cmp
import small_model
from ait_cmp.cli.main import main
from ait_cmp.convert import convert_dir
from ait_cmp.report.result.errors import errors_of

DOC = Path(__file__).parents[2] / "docs" / "en" / "result-format.md"


def read(path: Path) -> dict[str, Any]:
    """The object of a file; NaN and infinities, which JSON has not, are refused."""

    def refuse(text: str) -> None:
        pytest.fail(f"{text} is no JSON")

    found: dict[str, Any] = json.loads(path.read_bytes().decode("ascii"), parse_constant=refuse)
    return found


@pytest.fixture(scope="module")
def result(compared: ait_cmp.Comparison) -> dict[str, Any]:
    assert compared.result_path is not None
    return read(compared.result_path)


def fields_of(heading: str) -> set[str]:
    """First column of the table under a heading of the documentation."""
    text = DOC.read_text(encoding="utf-8")
    section = text.partition(f"# {heading}\n")[2].partition("\n#")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.M)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_it_has_the_fields_of_the_documentation(result: dict[str, Any]) -> None:
    assert set(result) == fields_of("result.json")
    told = fields_of("A divergence")
    assert all(told <= set(found) <= told | {"errors_note"} for found in result["divergences"])
    assert (result["format"], result["version"]) == ("ait-cmp result", 1)


def test_it_stands_beside_the_report_and_names_it(
    compared: ait_cmp.Comparison, result: dict[str, Any]
) -> None:
    (path,) = compared.csv_paths
    name = path.stem.replace("report_rank0", "result")
    assert compared.result_path == path.with_name(f"{name}.json")
    n_rows = len(path.read_text(encoding="utf-8").splitlines()) - 1
    assert result["csv"] == [{"name": path.name, "rank": 0, "rows": n_rows}]


def test_it_says_what_the_summary_and_python_say(
    compared: ait_cmp.Comparison, result: dict[str, Any]
) -> None:
    folder = f"{compared.csv_paths[0].parent}/"  # reports are called by their names here
    summary = compared.summary().replace(folder, "").splitlines()
    assert result["summary"] == [line for line in summary if not line.startswith("page   ")]
    assert result["command"] == ["ait-cmp", "a b"]
    assert result["counts"]["status"] == dict(compared.counts)
    assert result["counts"]["verdict"] == {
        "inherited": 0,
        **Counter(row.verdict for row in compared.rows if row.verdict),
    }
    assert len(compared.divergences) == 2
    assert result["divergence_count"] == 1
    (found,) = result["divergences"]  # the same op in both steps
    first = compared.divergences[0]
    assert (found["op_name"], found["token"], found["places"]) == ("MatMul_3", 0, 2)
    assert found["error"] == first.error
    assert found["candidates"] == list(first.candidates)
    row = compared.rows[found["data_id"]]
    assert (row.op_name, row.my_data_path) == ("MatMul_3", found["my"])
    assert [f"  {line}" for line in found["sentences"]] == result["summary"][
        1 : 1 + len(found["sentences"])
    ]
    assert result["has_differences"]
    assert result["failing_modules"] == [{"module": "", "rows": compared.counts.verdicts["fail"]}]


def tensors_of(found: dict[str, Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    path, io, index = found["my"].rsplit(",", 2)
    mine = getattr(ait_cmp.open_dump(path), io)[int(index)].numpy().astype(np.float64)
    return mine, np.load(found["golden"]).astype(np.float64).reshape(mine.shape)


def slow_heat_map(error: NDArray[Any]) -> list[list[float | None]]:
    """Every element into its cell, one by one."""
    rows, columns = (1, 1, *error.shape)[-2:]
    cells: dict[tuple[int, int], float | None] = {}
    n, m = min(rows, 64), min(columns, 64)
    cell_of_row = [max(k for k in range(n) if k * rows // n <= row) for row in range(rows)]
    cell_of = [max(k for k in range(m) if k * columns // m <= column) for column in range(columns)]
    for at, value in enumerate(error.ravel().tolist()):
        r, c = cell_of_row[at // columns % rows], cell_of[at % columns]
        known = cells.setdefault((r, c), None)
        if not math.isnan(value):
            cells[r, c] = value if known is None else max(known, value)
    return [[cells[r, c] for c in range(m)] for r in range(n)]


def test_errors_are_those_of_the_two_tensors(result: dict[str, Any]) -> None:
    (found,) = result["divergences"]
    mine, golden = tensors_of(found)
    assert found["shape"] == list(mine.shape)
    error = np.abs(mine - golden)
    check(found["errors"], mine, golden, error)


def check(
    told: dict[str, Any], mine: NDArray[Any], golden: NDArray[Any], error: NDArray[Any]
) -> None:
    """Errors as result.json tells them against an array of them; NaN: not finite."""
    finite = error[~np.isnan(error)]
    histogram = told["histogram"]
    largest = float(finite.max()) if finite.size else 0.0
    assert histogram["largest"] == largest
    assert histogram["equal"] == int((finite == 0).sum())
    assert histogram["not_finite"] == error.size - finite.size
    edges = np.array([largest * 10.0 ** ((i - 40) / 4) for i in range(40)])
    n_below = (finite[finite > 0][:, None] > edges).sum(axis=1)
    bins = [0] * 40
    for n in n_below.tolist():
        bins[max(n - 1, 0)] += 1
    assert histogram["bins"] == bins
    wanted = sorted(finite[finite > 0].tolist(), reverse=True)[:10]
    assert [worst["error"] for worst in told["worst"]] == wanted
    for worst in told["worst"]:
        at = tuple(worst["index"])
        assert (worst["my"], worst["golden"], worst["error"]) == (mine[at], golden[at], error[at])
    rows, columns = (1, 1, *error.shape)[-2:]
    assert (told["heat_map"]["rows"], told["heat_map"]["columns"]) == (rows, columns)
    assert told["heat_map"]["cells"] == slow_heat_map(error)


@pytest.mark.parametrize("shape", [(), (7,), (130,), (2, 3, 65), (70, 5), (1, 129, 70)])
def test_errors_of_every_shape(shape: tuple[int, ...]) -> None:
    random = np.random.default_rng(len(shape))
    golden = random.standard_normal(shape)
    mine = golden + random.standard_normal(shape) * 10.0 ** random.uniform(-12, 0, shape)
    error = np.abs(mine - golden)
    check(errors_of(np.ravel(mine), np.ravel(golden), shape), mine, golden, error)


def test_what_is_not_finite_is_left_out() -> None:
    golden = np.array([[1.0, np.nan], [np.inf, 2.0]])
    mine = np.array([[1.5, np.nan], [3.0, 2.0]])
    error = np.array([[0.5, np.nan], [np.nan, 0.0]])
    check(errors_of(mine.ravel(), golden.ravel(), (2, 2)), mine, golden, error)
    nothing = errors_of(np.full(2, np.nan), np.zeros(2), (2,))
    assert nothing["heat_map"]["cells"] == [[None, None]]
    assert nothing["worst"] == []


def test_of_a_complex_number_the_part_with_the_larger_error_counts() -> None:
    told = errors_of(np.array([1.0, 2, 3, 4]), np.array([1.0, 5, 3, 4]), (2,))
    assert told["worst"] == [{"index": [0], "my": 2.0, "golden": 5.0, "error": 3.0}]
    assert told["heat_map"]["cells"] == [[3.0, 0.0]]


def test_errors_beyond_float64_are_its_largest_number() -> None:
    told = errors_of(np.array([1.7e308]), np.array([-1.7e308]), (1,))
    assert told["histogram"]["largest"] == np.finfo(np.float64).max
    assert sum(told["histogram"]["bins"]) == 1


def test_tensors_without_an_element_have_no_errors() -> None:
    told = errors_of(np.zeros(0), np.zeros(0), (0, 4))
    assert told["heat_map"] == {"rows": 0, "columns": 4, "cells": []}
    assert sum(told["histogram"]["bins"]) == told["histogram"]["equal"] == 0


def test_the_neighbourhood_is_that_of_the_graph(
    compared: ait_cmp.Comparison, result: dict[str, Any]
) -> None:
    (found,) = result["divergences"]
    ops, edges = found["neighbourhood"]["ops"], found["neighbourhood"]["edges"]
    names = [op["op_name"] for op in ops]
    assert [name for name, op in zip(names, ops) if op["distance"] == 0] == ["MatMul_3"]
    assert {op["distance"] for op in ops} <= {-2, -1, 0, 1, 2}
    for edge in edges:
        step = ops[edge["to"]]["distance"] - ops[edge["from"]]["distance"]
        assert step >= 0 or "MatMul_3" not in (names[edge["from"]], names[edge["to"]])
    # What flows out of the op differs, what flows into it does not.
    center = names.index("MatMul_3")
    assert {edge["differs"] for edge in edges if edge["from"] == center} == {True}
    assert {edge["differs"] for edge in edges if edge["to"] == center} <= {False, None}
    by_id = {row.data_id: row for row in compared.rows}
    for op in ops:
        if op["data_id"] is not None:
            row = by_id[op["data_id"]]
            assert (row.op_name, row.io, row.verdict) == (op["op_name"], "outputs", op["verdict"])
            assert op["error"] == row.relative_euclidean_distance


def test_without_an_output_folder_it_is_made_when_asked_for(
    compared: ait_cmp.Comparison, result: dict[str, Any]
) -> None:
    assert compared.run is not None
    again = ait_cmp.compare_dirs(compared.run.my_path, compared.run.golden_path)
    assert again.result_path is None
    made = again.result
    same = ("counts", "divergences", "outputs", "reach", "limits", "failing_modules")
    assert {name: made[name] for name in same} == {name: result[name] for name in same}
    assert made["command"] is None


@pytest.fixture(scope="module")
def different(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small dumps that differ, in `ge` and `fx`."""
    folder = tmp_path_factory.mktemp("different")
    small_model.write_dumps(folder, ranks=[0])
    for file in (folder / "fx").rglob("mul-*OUTPUT*"):
        np.save(file, np.load(file) * 2)
    return folder


def test_json_is_printed_in_place_of_the_summary(
    different: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(different / "ge"), str(different / "fx"), "--json", "-o", str(tmp_path)]
    assert main([*words, "--no-progress"]) == 1
    printed = json.loads(capsys.readouterr().out)
    (path,) = tmp_path.glob("ait_cmp_result_*.json")
    assert printed == read(path)
    result = ait_cmp.compare_dirs(different / "ge", different / "fx").result
    assert printed["divergences"] == json.loads(json.dumps(result["divergences"]))
    assert [found["places"] for found in printed["divergences"]] == [2]
    assert printed["command"] == ["ait-cmp", *words, "--no-progress"]


def test_reduced_tensors_have_no_errors_and_say_why(different: Path, tmp_path: Path) -> None:
    shutil.copytree(different / "ge", tmp_path / "ge")
    convert_dir(tmp_path / "ge", settle=0, force=True)
    made = ait_cmp.compare_dirs(tmp_path / "ge", different / "fx").result
    assert {found["errors_note"] for found in made["divergences"]} == {
        "a reduced dump keeps no values"
    }
    assert all(found["neighbourhood"] for found in made["divergences"])
