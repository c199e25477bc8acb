"""Every script of examples/ does on the sample what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ait_cmp.cli.demo import unpack_sample

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    unpack_sample(folder / "ait-cmp-demo")
    return folder


def run(sample: Path, script: str, *words: object) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    return subprocess.run(
        [sys.executable, str(EXAMPLES / script), *map(str, words)],
        cwd=sample,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_notebook_names_the_operator_and_draws_the_error(sample: Path) -> None:
    done = run(sample, "notebook.py")
    assert done.returncode == 0, done.stderr
    assert "step 0: MatMul_3 (MatMul), off by " in done.stdout
    drawn = [line for line in done.stdout.splitlines() if "#" in line]
    assert drawn[0].endswith(" MatMul_3")
    assert "first values: [" in done.stdout


def test_the_metric_of_ones_own_is_a_column_and_a_list(sample: Path) -> None:
    folders = (sample / "ait-cmp-demo" / "ge_wrong", sample / "ait-cmp-demo" / "fx")
    done = run(sample, "own_metric.py", *folders)
    assert done.returncode == 0, done.stderr
    shares = [float(line.split("%")[0]) for line in done.stdout.splitlines()]
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
    sample: Path, my: str, status: int, said: str
) -> None:
    folders = (sample / "ait-cmp-demo" / my, sample / "ait-cmp-demo" / "fx")
    done = run(sample, "ci_gate.py", *folders)
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.startswith(said)


def test_the_size_of_a_dump_is_about_what_it_is(sample: Path) -> None:
    (text,) = (sample / "ait-cmp-demo/ge").glob("*.txt")
    done = run(sample, "dump_size.py", text)
    assert done.returncode == 0, done.stderr
    said = float(done.stdout.split()[2])
    files = [path for path in (sample / "ait-cmp-demo/ge").rglob("graph_1/1/0/*") if path.is_file()]
    real = sum(path.stat().st_size - 300 for path in files) / 1e6
    assert 0.9 * real < said < 1.1 * real


def test_every_example_has_a_test() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in tested for path in EXAMPLES.glob("*.py"))
