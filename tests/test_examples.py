"""Every script of examples/ does on the sample what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_notebook_names_the_operator_and_draws_the_error(
    beside_first_step: Path, run_program: Any
) -> None:
    done = run_program(EXAMPLES / "notebook.py", beside_first_step)
    assert done.status == 0, done.err
    assert "step 0: MatMul_3 (MatMul), off by " in done.out
    drawn = [line for line in done.out.splitlines() if "#" in line]
    assert drawn[0].endswith(" MatMul_3")
    assert "first values: [" in done.out


def test_the_metric_of_ones_own_is_a_column_and_a_list(
    beside_first_step: Path, run_program: Any
) -> None:
    folders = (
        beside_first_step / "ait-cmp-demo" / "ge_wrong",
        beside_first_step / "ait-cmp-demo" / "fx",
    )
    done = run_program(EXAMPLES / "own_metric.py", beside_first_step, *folders)
    assert done.status == 0, done.err
    shares = [float(line.split("%")[0]) for line in done.out.splitlines()]
    assert len(shares) == 5
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0


@pytest.mark.parametrize(
    ("my", "status", "said"),
    [
        ("ge", 0, "report: "),
        ("ge_wrong", 1, "FAILED: MatMul_3 (MatMul) computes something else in graph_1, step 0"),
        ("missing", 2, "FAILED: "),
    ],
)
def test_the_gate_opens_for_what_is_right_alone(
    beside_first_step: Path, run_program: Any, my: str, status: int, said: str
) -> None:
    folders = (beside_first_step / "ait-cmp-demo" / my, beside_first_step / "ait-cmp-demo" / "fx")
    done = run_program(EXAMPLES / "ci_gate.py", beside_first_step, *folders)
    assert done.status == status, done.out + done.err
    assert done.out.startswith(said)


def test_the_size_of_a_dump_is_about_what_it_is(beside_first_step: Path, run_program: Any) -> None:
    (text,) = (beside_first_step / "ait-cmp-demo/ge").glob("*.txt")
    done = run_program(EXAMPLES / "dump_size.py", beside_first_step, text)
    assert done.status == 0, done.err
    said = float(done.out.split()[2])
    step = next((beside_first_step / "ait-cmp-demo/ge").rglob("graph_1/1/0"))
    files = [path for path in step.iterdir() if path.is_file()]
    real = sum(path.stat().st_size - 300 for path in files) / 1e6
    assert 0.9 * real < said < 1.1 * real


def test_every_example_has_a_test() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in tested for path in EXAMPLES.glob("*.py"))
