"""Whole comparisons of small dumps: rows, accounting, reports, filters, interruption."""

from __future__ import annotations

import csv
import os
import shutil
import signal
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from ait_cmp import Comparison, ConfigError, Limits, Row, _core, compare_dirs
from ait_cmp.compare.step_pairer import StepPairer
from ait_cmp.discover import StepKey
from ait_cmp.report.comparison import Counts
from ait_cmp.report.csv_sink import CsvSink
from ait_cmp.report.kept_rows import KeptRows
from make_dump import Dump, DumpTensor
from oracle import expect
from small_model import (
    ABS,
    FX_FILES_PER_TOKEN,
    MUL,
    ROWS_PER_TOKEN,
    SQRT,
    dumps_of,
    values_of,
    write_dumps,
    write_fx_token,
    write_ge_token,
    write_graph,
)
from trees import rank_name

#: (op, io, index) of a token in execution order, with the rule that pairs each.
TENSORS = {
    ("Abs_1", "inputs", 0): "argument",
    ("Abs_1", "outputs", 0): "dataflow",
    ("Mul_2", "inputs", 0): "dataflow",
    ("Mul_2", "inputs", 1): "argument",
    ("Mul_2", "outputs", 0): "dataflow",
    ("Sqrt_3", "inputs", 0): "dataflow",
    ("Sqrt_3", "outputs", 0): "",
}
ONE_REPORT = "ait_cmp_report_*.csv"


def compare(root: Path, output: Path | None = None, **options: object) -> Comparison:
    """`root`/ge against `root`/fx, a report in `root`/out if not elsewhere."""
    return compare_dirs(root / "ge", root / "fx", output=output or root / "out", **options)


def tensor_of_row(row: Row) -> tuple[str, str, int]:
    return row.op_name, row.io, row.index


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def assert_adds_up(found: Comparison) -> None:
    """One row per tensor, and totals that are their sums."""
    addresses = [row.my_data_path for row in found.rows]
    assert len(set(addresses)) == len(addresses)
    statuses = Counter(row.status for row in found.rows)
    assert {status: n for status, n in found.counts.items() if n} == dict(statuses)
    assert found.counts.total == len(found.rows)
    verdicts = Counter(row.verdict for row in found.rows if row.verdict)
    assert {verdict: n for verdict, n in found.counts.verdicts.items() if n} == dict(verdicts)
    assert found.counts.golden["unused"] == len(found.unused_golden)
    assert all(row.cmp_fail_reason for row in found.rows if row.status != "compared")


class Whole(NamedTuple):
    """A comparison of three tokens, its dumps, and what it said of its progress."""

    root: Path
    found: Comparison
    told: list[tuple[int, int]]


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dumps of three tokens: not to be changed."""
    root = tmp_path_factory.mktemp("dumps")
    write_dumps(root, tokens=3)
    return root


@pytest.fixture(scope="module")
def whole(dumps: Path) -> Whole:
    told: list[tuple[int, int]] = []
    found = compare(dumps, progress=lambda done, known: told.append((done, known)))
    return Whole(dumps, found, told)


def test_every_tensor_of_the_my_side_has_one_row_in_execution_order(whole: Whole) -> None:
    found = whole.found
    assert [tensor_of_row(row) for row in found.rows] == list(TENSORS) * 3
    assert [row.match for row in found.rows] == list(TENSORS.values()) * 3
    assert [row.token_id for row in found.rows] == [0] * 7 + [1] * 7 + [2] * 7
    assert [row.data_id for row in found.rows] == list(range(3 * ROWS_PER_TOKEN))
    assert_adds_up(found)
    golden = found.counts.golden
    assert golden["used"] + golden["unused"] == 3 * FX_FILES_PER_TOKEN
    assert (found.counts["compared"], found.counts["unmatched"]) == (18, 3)
    assert (found.first_divergence, found.has_differences) == ([], False)


def test_a_row_says_what_was_compared_and_how_it_came_out(whole: Whole) -> None:
    row = next(r for r in whole.found.rows if tensor_of_row(r) == ("Mul_2", "outputs", 0))
    golden = values_of(0)["mul"]
    my = golden.astype(np.float16).astype(np.float32)
    assert row.my_data_path == f"{next((whole.root / 'ge').rglob(f'1/0/{MUL}'))},outputs,0"
    assert Path(row.golden_data_path).name.startswith("mul-aten.mul.Tensor.OUTPUT.0.")
    assert (row.my_op_type, row.golden_op_type) == ("Mul", "aten.mul.Tensor")
    assert (row.my_dtype, row.golden_dtype) == ("torch.float32", "torch.float32")
    assert row.my_shape == row.golden_shape == "[3, 211]"
    assert (row.my_max_value, row.golden_min_value) == (my.max(), golden.min())
    assert (row.rank, row.graph, row.verdict, row.cmp_fail_reason) == (-1, "graph_1", "pass", "")
    for name, truth in expect(my, golden).metrics.items():
        assert abs(getattr(row, name) - truth.value) <= truth.bound, name


def test_the_report_holds_the_rows(whole: Whole) -> None:
    found = whole.found
    (path,) = found.csv_paths
    lines = read(path)
    assert path.parent == whole.root / "out"
    assert path.match(ONE_REPORT)
    assert len(lines) == len(found.rows)
    for line, row in zip(lines, found.rows):
        for name, cell in line.items():
            value = getattr(row, name)
            expected = None if cell == "" else type(value)(cell)
            assert expected == (None if value == "" else value), name


def test_without_an_output_folder_no_file_is_written(tmp_path: Path) -> None:
    write_dumps(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert compare_dirs(tmp_path / "ge", tmp_path / "fx").csv_paths == []
    assert sorted(tmp_path.rglob("*")) == before


def test_threads_give_the_same_bytes(dumps: Path, tmp_path: Path) -> None:
    reports = [compare(dumps, tmp_path, threads=threads).csv_paths[0] for threads in (1, 2, 7)]
    assert len({path.read_bytes() for path in reports}) == 1


def test_cpu_levels_give_the_same_bytes(
    dumps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core looks at the variable each time, so that one process can take all levels."""
    reports: list[bytes] = []
    for isa in _core.isas():
        monkeypatch.setenv("AIT_CMP_ISA", isa)
        assert _core.isa_in_use() == isa
        found = compare(dumps, tmp_path / isa, tokens=[0, 1])
        reports.append(found.csv_paths[0].read_bytes())
    assert len(reports) == len(_core.isas())
    assert len(set(reports)) == 1


def test_each_rank_has_its_own_report(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1, ranks=[0, 1])
    found = compare(tmp_path)
    assert [row.rank for row in found.rows] == [0] * ROWS_PER_TOKEN + [1] * ROWS_PER_TOKEN
    assert [row.data_id for row in found.rows] == 2 * list(range(ROWS_PER_TOKEN))
    assert [path.name.split("_2")[0] for path in found.csv_paths] == [
        "ait_cmp_report_rank0",
        "ait_cmp_report_rank1",
    ]
    assert [len(read(path)) for path in found.csv_paths] == [ROWS_PER_TOKEN] * 2
    assert found.counts["compared"] == 12
    assert_adds_up(found)


def test_only_the_wanted_ranks_and_tokens_are_compared(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=3, ranks=[0, 1])
    found = compare(tmp_path, ranks=[1], tokens=[0, 2])
    assert {(row.rank, row.token_id) for row in found.rows} == {(1, 0), (1, 2)}
    assert found.counts["compared"] == 12
    assert_adds_up(found)


def test_only_the_wanted_ops_are_compared(dumps: Path, tmp_path: Path) -> None:
    found = compare(dumps, tmp_path, tokens=[0, 1], ops=["M*", "*_1"])
    assert {row.op_name for row in found.rows} == {"Mul_2", "Abs_1"}
    assert {row.status for row in found.rows} == {"compared"}
    assert len(found.rows) == 10


def test_a_token_without_golden_is_unmatched_rows(tmp_path: Path) -> None:
    write_dumps(tmp_path)
    shutil.rmtree(tmp_path / "fx/graph_1/1")
    found = compare(tmp_path)
    alone = [row for row in found.rows if row.token_id == 1]
    assert len(alone) == ROWS_PER_TOKEN
    assert {row.status for row in alone} == {"unmatched"}
    assert {row.cmp_fail_reason for row in alone} == {"The golden dump has no step 1 of graph_1."}
    assert_adds_up(found)


def test_golden_tensors_of_a_token_that_the_my_side_lacks_are_counted(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1)
    write_fx_token(tmp_path / "fx", 1)
    found = compare(tmp_path)
    assert sum(found.counts.golden.values()) == 2 * FX_FILES_PER_TOKEN
    assert_adds_up(found)


def test_two_ge_dumps_pair_by_name_without_a_graph_text(tmp_path: Path) -> None:
    for side in ("a", "b"):
        write_ge_token(tmp_path / side, 0)
    found = compare_dirs(tmp_path / "a", tmp_path / "b")
    assert [tensor_of_row(row) for row in found.rows] == list(TENSORS)
    assert {row.match for row in found.rows} == {"name"}
    assert {row.cosine_similarity for row in found.rows} == {1.0}
    assert {row.kl_divergence for row in found.rows} == {0.0}
    assert [row.golden_data_path for row in found.rows] == [
        row.my_data_path.replace(f"{tmp_path}/a", f"{tmp_path}/b") for row in found.rows
    ]
    assert_adds_up(found)


def disturb(folder: Path, factor: float) -> None:
    """Mul computes something else, and Sqrt works on that."""
    values = values_of(0)
    values["mul"] = values["mul"] * np.linspace(1, factor, 3, dtype=np.float32)[:, None]
    values["sqrt"] = np.sqrt(values["mul"])
    for name, dump in dumps_of(values).items():
        (folder / name).write_bytes(dump.file_bytes())


def test_the_op_that_computes_something_else_is_named(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1)
    disturb(write_ge_token(tmp_path / "ge", 0), 2.0)
    found = compare(tmp_path)
    (first,) = found.first_divergence
    assert (first.rank, first.graph, first.token) == (-1, "graph_1", 0)
    assert (first.op_name, first.op_type, first.reason) == ("Mul_2", "Mul", "growth")
    assert (first.candidates, first.later_failures) == (("Mul_2",), 0)
    assert Path(first.file).name == MUL
    assert found.has_differences


def test_limits_decide_what_passes(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1)
    disturb(write_ge_token(tmp_path / "ge", 0), 2.0)
    wide = Limits(cosine_min=0, red_max=10, growth_max=1e9, block_growth_max=1e9)
    assert compare(tmp_path).counts.verdicts["fail"] == 2
    assert not compare(tmp_path, limits=wide).has_differences


def test_a_custom_metric_has_its_column_and_its_message(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1)
    (tmp_path / "mine.py").write_text(
        "def span(golden, my):\n    return float(golden.max() - my.min()), f'{my.size} values'\n"
    )
    found = compare(tmp_path, custom_algorithms=[f"{tmp_path / 'mine.py'}:span"])
    lines = read(found.csv_paths[0])
    assert list(lines[0])[-1] == "span"
    for line, row in zip(lines, found.rows):
        if row.status == "compared":
            assert float(line["span"]) == pytest.approx(row.golden_max_value - row.my_min_value)
            assert line["cmp_fail_reason"].endswith("633 values")
        else:
            assert line["span"] == ""


def test_a_custom_metric_of_values_without_numbers_is_a_message(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def one(golden, my):\n    return 1, ''\n")
    raw = Dump(outputs=(DumpTensor(41, (4,), b"\x12\x34", None, (4,)),), op_name="Abs_1")
    for side in ("a", "b"):
        (write_ge_token(tmp_path / side, 0) / ABS).write_bytes(raw.file_bytes())
    found = compare_dirs(
        tmp_path / "a", tmp_path / "b", custom_algorithms=[f"{tmp_path / 'mine.py'}:one"]
    )
    first = found.rows[0]
    assert (first.my_dtype, first.status, first.custom) == ("hifloat4", "compared", ("",))
    assert "Compared as bytes: equal." in first.cmp_fail_reason
    assert "Custom algorithms" in first.cmp_fail_reason
    assert found.rows[-1].custom == ("1",)


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_an_interrupt_leaves_whole_lines_of_what_was_done(tmp_path: Path, calls: int) -> None:
    write_dumps(tmp_path, tokens=4)
    n_calls = 0

    def interrupt(done: int, known: int) -> None:
        nonlocal n_calls
        assert done <= known
        n_calls += 1
        if n_calls == calls:
            raise KeyboardInterrupt

    found = compare(tmp_path, progress=interrupt)
    assert found.was_interrupted
    assert 0 < len(found.rows) < 4 * ROWS_PER_TOKEN
    assert [tensor_of_row(row) for row in found.rows] == (list(TENSORS) * 4)[: len(found.rows)]
    compared = [row for row in found.rows if row.status == "compared"]
    assert {row.verdict for row in compared} == {"pass"}
    assert found.csv_paths[0].read_bytes().endswith(b"\n")
    assert [line["my_data_path"] for line in read(found.csv_paths[0])] == [
        row.my_data_path for row in found.rows
    ]
    assert_adds_up(found)


@pytest.mark.parametrize("at", ["counts", "rows", "write"])
def test_ctrl_c_while_a_step_is_reported_leaves_accounts_that_agree(
    dumps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    places = {"counts": (Counts, "add"), "rows": (KeptRows, "add"), "write": (CsvSink, "write")}
    real = getattr(*places[at])

    def interrupted(self: Any, *rows: Any) -> Any:
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGINT)
        return real(self, *rows)

    monkeypatch.setattr(*places[at], interrupted)
    before = signal.getsignal(signal.SIGINT)
    found = compare(dumps, tmp_path)
    assert found.was_interrupted
    assert len(found.rows) == found.counts.total == len(read(found.csv_paths[0]))
    assert len(found.rows) >= ROWS_PER_TOKEN
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_pairing_leaves_the_steps_before_it(
    dumps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = StepPairer.pair

    def pair(self: StepPairer, my_key: StepKey, golden_key: StepKey | None) -> Any:
        if my_key.step == 2:
            raise MemoryError
        return real(self, my_key, golden_key)

    monkeypatch.setattr(StepPairer, "pair", pair)
    with pytest.raises(MemoryError):
        compare(dumps, tmp_path)
    (report,) = tmp_path.glob("*.csv")
    assert {line["token_id"] for line in read(report)} == {"0", "1"}


@pytest.mark.parametrize(
    ("mine", "words"),
    [
        (b"\x12\x34", "Compared as bytes: equal."),
        (b"\x12\x35", "as bytes they differ first at byte 1 of 2."),
        (b"\x12", "The sizes differ: 1 bytes against 2."),
    ],
)
def test_values_without_a_public_coding_are_compared_as_bytes(
    tmp_path: Path, mine: bytes, words: str
) -> None:
    for side, content in (("a", mine), ("b", b"\x12\x34")):
        raw = Dump(outputs=(DumpTensor(41, (4,), content, None, (4,)),), op_name="Abs_1")
        (write_ge_token(tmp_path / side, 0) / ABS).write_bytes(raw.file_bytes())
    row = compare_dirs(tmp_path / "a", tmp_path / "b").rows[0]
    assert (row.my_dtype, row.match) == ("hifloat4", "name")
    assert row.status == ("compared" if "equal" in words else "unsupported")
    assert row.verdict == ("pass" if "equal" in words else "")
    assert words in row.cmp_fail_reason


def test_progress_ends_with_everything_done(whole: Whole) -> None:
    assert whole.told == sorted(whole.told)
    assert whole.told[-1] == (3 * ROWS_PER_TOKEN, 3 * ROWS_PER_TOKEN)


def test_counts_of_parts_merge_to_those_of_the_whole(whole: Whole, tmp_path: Path) -> None:
    counts = whole.found.counts
    merged = compare(whole.root, tmp_path, tokens=[0]).counts
    merged.merge(compare(whole.root, tmp_path, tokens=[1, 2]).counts)
    assert merged == counts
    assert (merged.golden, merged.verdicts) == (counts.golden, counts.verdicts)
    assert merged.matches == counts.matches


@pytest.mark.parametrize("threads", [0, -1, 10**6, 10**20])
def test_no_threads_and_too_many_are_refused(dumps: Path, tmp_path: Path, threads: int) -> None:
    with pytest.raises(ConfigError, match=f"a number from 1 to 1024 expected, found {threads}"):
        compare(dumps, tmp_path, threads=threads)


def test_the_inserted_op_says_why_it_has_no_counterpart(whole: Whole) -> None:
    last = whole.found.rows[-1]
    assert Path(last.my_data_path.split(",")[0]).name == SQRT
    assert (last.status, last.golden_data_path) == ("unmatched", "")
    assert (
        last.cmp_fail_reason == "An operator that only GE has: the graph names no FX tensor for it."
    )
    assert last.my_max_value is not None


def test_a_dump_that_lacks_most_operators_is_told(whole: Whole, tmp_path: Path) -> None:
    assert not any("operators of the graph" in note for note in whole.found.notes)
    write_dumps(tmp_path)
    for name in (MUL, SQRT):
        for file in (tmp_path / "ge").rglob(name):
            file.unlink()
    found = [note for note in compare(tmp_path).notes if "operators of the graph" in note]
    assert found == [
        "graph_1: 2 of 3 operators of the graph are missing on the my side: was the dump cut "
        "short, or limited to some operators?"
    ]


def test_the_graph_text_may_lie_on_the_golden_side(tmp_path: Path) -> None:
    write_ge_token(tmp_path / "ge", 0)
    write_fx_token(tmp_path / "fx", 0)
    write_graph(tmp_path / "fx")
    assert compare(tmp_path).counts["compared"] == 6


def test_ranks_that_only_one_side_has_are_unmatched(tmp_path: Path) -> None:
    write_dumps(tmp_path, tokens=1, ranks=[0, 1])
    shutil.rmtree(tmp_path / "fx" / rank_name(1))
    found = compare(tmp_path)
    alone = [row for row in found.rows if row.rank == 1]
    assert {row.cmp_fail_reason for row in alone} <= {"The golden dump has no rank 1."}
    assert any("rank 1" in note for note in found.notes) or alone
    assert_adds_up(found)


def test_a_step_folder_with_a_number_beyond_64_bits_is_no_step(tmp_path: Path) -> None:
    for side in ("a", "b"):
        folder = write_ge_token(tmp_path / side, 0)
        shutil.copytree(folder, folder.parent / str(2**63))
    found = compare_dirs(tmp_path / "a", tmp_path / "b", output=tmp_path)
    assert {row.status for row in found.rows} <= {"compared", "unmatched"}
    assert found.counts["compared"] >= ROWS_PER_TOKEN
    assert found.counts.total == len(found.rows)
