"""Metrics of the user's own, FILE.py:FUNC."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ait_cmp import ConfigError, compare_dirs
from ait_cmp.report.custom import CustomAlgorithm, load_algorithms
from small_model import write_dumps

ONE = np.ones(1, np.float32)


def load(folder: Path, source: str, name: str = "metric") -> CustomAlgorithm:
    path = folder / "mine.py"
    path.write_text(source)
    (algorithm,) = load_algorithms([f"{path}:{name}"])
    return algorithm


def returning(value: str) -> str:
    return f"import numpy as np\n\ndef metric(golden, my):\n    return {value}\n"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("(1, '')", "1"),
        ("(0.1, '')", "0.1"),
        ("('low', '')", "low"),
        ("[float('inf'), '']", "inf"),
        ("(np.float32(0.5), '')", "0.5"),
        ("(np.int64(3), '')", "3"),
        ("(np.abs(golden - my).max(), '')", "0.0"),
        ("(float('nan'), '')", "nan"),
    ],
)
def test_a_number_or_text_becomes_the_cell(tmp_path: Path, value: str, cell: str) -> None:
    assert load(tmp_path, returning(value))(ONE, ONE) == (cell, "")


def test_golden_comes_first(tmp_path: Path) -> None:
    algorithm = load(tmp_path, returning("(float(golden[0] - my[0]), 'done')"))
    assert algorithm(3 * ONE, ONE) == ("2.0", "done")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("return golden[1], ''", "metric: IndexError: index 1 is out of bounds"),
        ("raise RuntimeError('no')", "metric: RuntimeError: no."),
        ("assert False, 'odd'", "metric: AssertionError: odd."),
        ("return 1 // 0, ''", "metric: ZeroDivisionError"),
        ("return undefined, ''", "metric: NameError"),
    ],
)
def test_an_error_of_the_function_is_a_message(tmp_path: Path, line: str, message: str) -> None:
    source = f"def metric(golden, my):\n    if golden[0] == 1:\n        return 0, ''\n    {line}\n"
    value, said = load(tmp_path, source)(5 * ONE, ONE)
    assert value == ""
    assert said.startswith(message)


def test_ctrl_c_in_the_function_is_not_caught(tmp_path: Path) -> None:
    source = (
        "def metric(golden, my):\n    if golden[0] == 1: return 0, ''\n    raise KeyboardInterrupt"
    )
    with pytest.raises(KeyboardInterrupt):
        load(tmp_path, source)(5 * ONE, ONE)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def other(golden, my): pass", "has no function metric"),
        ("metric = 3", "has no function metric"),
        ("def metric(golden): pass", r"two parameters \(golden, my\) expected"),
        ("def metric(golden, my): return 3", r"\(number or text, message text\) expected"),
        ("def metric(golden, my): return 3, 4", r"\(number or text, message text\) expected"),
        ("def metric(golden, my): return 3j, ''", r"\(number or text, message text\) expected"),
        ("def metric(golden, my): return 1 / 0, ''", "called with two arrays.*division by zero"),
        ("def metric(golden, my", "does not load"),
        ("import no_such_module_anywhere", "does not load.*no_such_module_anywhere"),
        ("1 / 0", "does not load: division by zero"),
        ("raise SystemExit(0)", "does not load: 0"),
        ("def metric(golden, my): raise SystemExit(0)", "called with two arrays"),
    ],
)
def test_a_file_that_holds_no_such_metric_is_refused(
    tmp_path: Path, source: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, source)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mine.py", "FILE.py:FUNC expected"),
        ("mine.txt:metric", "FILE.py:FUNC expected"),
        ("nowhere.py:metric", "no file nowhere.py"),
    ],
)
def test_a_specification_of_another_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_algorithms([text])


def test_a_pandas_frame_has_the_column_of_a_custom_metric(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def frame(rows: list[tuple[object, ...]], columns: list[str]) -> list[dict[str, object]]:
        assert {len(row) for row in rows} == {len(columns)}
        return [dict(zip(columns, row)) for row in rows]

    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=frame))
    write_dumps(tmp_path, tokens=1)
    (tmp_path / "mine.py").write_text(returning("(golden.size, '')"))
    specification = f"{tmp_path / 'mine.py'}:metric"
    found = compare_dirs(tmp_path / "ge", tmp_path / "fx", custom_algorithms=[specification])
    cells = [row["metric"] for row in found.to_pandas()]
    assert cells == [row.custom[0] for row in found.rows]
    assert "633" in cells


def test_two_algorithms_of_one_name_are_refused(tmp_path: Path) -> None:
    load(tmp_path, returning("(1, '')"))
    path = tmp_path / "mine.py"
    with pytest.raises(ConfigError, match="2 functions metric, but columns need names"):
        load_algorithms([f"{path}:metric", f"{path}:metric"])
