"""Unmatched rows counted by kind: the kinds are those of their sentences, and add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import small_model
from ait_cmp import Comparison, compare_dirs
from ait_cmp.report.findings import Divergence
from ait_cmp.report.summary import summary_lines
from ait_cmp.report.tally import note_of_not_compared
from ait_cmp.sentences import say
from ait_cmp.terms import MISS_KINDS
from report_rows import EMPTY

# What a sentence has in it -> its kind: every sentence of the dumps below.
_KINDS = {
    "An operator that only GE has": "ge_only",
    "The FX dump has no file": "no_golden",
    "The golden dump has no step": "alone",
    "The golden dump has no rank": "alone",
    "the text is of another model": "other_model",
    "The graph text has no op": "unknown_op",
    "constant": "constant",
    "argument": "argument",
    "Earlier execution": "repeated",
}


def kinds_by_sentence(found: Comparison) -> Counter[str]:
    unmatched = [row.cmp_fail_reason for row in found.rows if row.status == "unmatched"]
    return Counter(next(k for words, k in _KINDS.items() if words in why) for why in unmatched)


def as_it_is(root: Path) -> None:
    """Nothing is changed."""


def without_an_fx_node(root: Path) -> None:
    for path in (root / "fx").rglob("*OUTPUT*"):
        if path.name.startswith("mul"):
            path.unlink()


def with_an_unknown_op(root: Path) -> None:
    for path in (root / "ge").rglob("Mul.*"):
        path.rename(path.with_name(path.name.replace("Mul.Mul_2", "Mul.Other")))


def with_an_op_run_twice(root: Path) -> None:
    for path in list((root / "ge").rglob("Mul.*")):
        *words, task, stream, time = path.name.split(".")
        again = ".".join([*words, str(int(task) + 50), stream, str(int(time) + 50)])
        path.with_name(again).write_bytes(path.read_bytes())


def without_the_last_golden_step(root: Path) -> None:
    folder = max((path for path in (root / "fx").rglob("2") if path.is_dir()), key=str)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


@pytest.mark.parametrize("ops", [None, ["Mul*", "Other*", "Sqrt*"]])
@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        without_an_fx_node,
        with_an_unknown_op,
        with_an_op_run_twice,
        without_the_last_golden_step,
    ],
)
def test_kinds_are_those_of_the_sentences_and_add_up(
    tmp_path: Path, change: Callable[[Path], None], ops: list[str] | None
) -> None:
    """Steps 1 and 2 repeat step 0."""
    small_model.write_dumps(tmp_path, tokens=3)
    change(tmp_path)
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx", ops=ops)
    assert found.counts.misses == kinds_by_sentence(found)
    assert sum(found.counts.misses.values()) == found.counts["unmatched"]
    assert found.counts["unmatched"] or change is as_it_is
    lines = [line for line in summary_lines(found) if line.startswith("unmatched")]
    assert len(lines) == bool(found.counts["unmatched"])
    for kind, number in found.counts.misses.items():
        assert f"{number} {say(f'miss_{kind}').text()}" in lines[0]


@pytest.mark.parametrize("after", [1, 12])
def test_rows_that_an_interrupt_leaves_out_are_not_counted(tmp_path: Path, after: int) -> None:
    small_model.write_dumps(tmp_path, tokens=3)
    without_an_fx_node(tmp_path)

    def stop(n_done: int, _n_known: int) -> None:
        if n_done >= after:
            raise KeyboardInterrupt

    found = compare_dirs(tmp_path / "ge", tmp_path / "fx", progress=stop)
    assert found.was_interrupted
    assert found.counts.misses == kinds_by_sentence(found)


@pytest.mark.parametrize("kind", MISS_KINDS)
def test_every_kind_has_words(kind: str) -> None:
    assert not say(f"miss_{kind}").text().endswith(".")


def test_a_summary_of_everything_is_one_screen() -> None:
    row = EMPTY._replace(op_name="A", status="unreadable", cmp_fail_reason="It.")
    result = Comparison([row], has_graph_text=False, was_interrupted=True)
    result.tally.not_compared = note_of_not_compared(row)
    result.refused = result.overwritten = result.left_out = ["Said.", "Told."]
    result.csv_paths = [Path("a.csv")] * 3
    result.counts.update(unmatched=3, unreadable=1)
    result.counts.misses = {"ge_only": 2, "argument": 1}
    result.counts.matches = result.counts.estimated = {"stats": 3}
    result.counts.without_block = 2
    result.divergences = [
        Divergence(
            *(0, "graph_1", 0, f"MatMul_{i}", f"MatMul{i}", "growth"),
            *(0.0, 0.1, 9.0, 0.0, 0.1, 9.0, 4.0),
            *("/a", "/b"),
            my_tensor="/a,outputs,0",
            candidates=("A", "B"),
            remarks=("One.", "Two.", "Three."),
        )
        for i in range(9)
    ]
    lines = list(summary_lines(result))
    assert len(lines) <= 25
    assert "... and 8 more operators that diverge: see the report" in lines
    assert any(line.startswith("my tensors") for line in lines)
