"""Where an op is in the user's model: files of the dump helpers, or the graph text."""

from __future__ import annotations

import fnmatch
import functools
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ait_cmp
from ait_cmp.fx_sources import FORMAT, VERSION, file_name

UP_PROJ = {"module": "layers.0.mlp.up_proj", "file": "/models/qwen.py", "line": 38, "code": "x"}


@pytest.fixture(scope="module")
def products(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ge and fx: the graph text, and the files of its products in both steps: not to be changed.

    What is said of the nodes of a graph is the same for all ops.
    """
    folder = tmp_path_factory.mktemp("products")
    found = [*sample.glob("ge_wrong/*.txt"), *sample.glob("ge_wrong/**/MatMul.*")]
    for path in [*found, *sample.glob("fx/**/mm*")]:
        _, *inside = path.relative_to(sample).parts
        target = Path(folder, "fx" if path.suffix == ".npy" else "ge", *inside)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    return folder


@pytest.fixture
def dump(products: Path, tmp_path: Path) -> Path:
    """A dump that a test may add files to, and whose graph text it may change."""
    return Path(shutil.copytree(products / "ge", tmp_path / "ge", copy_function=linked))


def linked(source: str, target: str) -> None:
    """A second name of a dump file; what tests write into is copied."""
    (shutil.copy2 if source.endswith(".txt") else os.link)(source, target)


@pytest.fixture(scope="module")
def described(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dump with a file that says where its nodes are in the model: not to be changed."""
    folder = tmp_path_factory.mktemp("described") / "ge"
    shutil.copytree(sample / "ge_wrong", folder, copy_function=linked)
    write(folder, nodes_of(sample))
    return folder


@functools.cache
def whole(sample: Path, described: Path) -> ait_cmp.Comparison:
    """All ops of both steps."""
    return ait_cmp.compare_dirs(described, sample / "fx", replay="none")


def graph_text(dump: Path) -> Path:
    (path,) = dump.rglob("dynamo_original_graph_*.txt")
    return path


def pid_of(dump: Path) -> int:
    found = re.search(r"pid_(\d+)", graph_text(dump).name)
    return int(found[1]) if found else 1


@functools.cache
def nodes_of(sample: Path) -> dict[str, dict[str, Any]]:
    """Every FX node that the rows of the sample name, mm_3 with an origin."""
    rows = ait_cmp.compare_dirs(sample / "ge_wrong", sample / "fx", replay="none").rows
    nodes: dict[str, dict[str, Any]] = {row.fx_node: {} for row in rows if row.fx_node}
    return {**nodes, "mm_3": UP_PROJ}


def write(dump: Path, nodes: Any, number: int = 0, pid: int | None = None, **changes: Any) -> Path:
    path = graph_text(dump).parent / file_name(pid_of(dump) if pid is None else pid, number)
    content = {"format": FORMAT, "version": VERSION, "nodes": nodes, **changes}
    path.write_text(json.dumps(content))
    return path


def compare(products: Path, dump: Path) -> ait_cmp.Comparison:
    return ait_cmp.compare_dirs(dump, products / "fx", replay="none")


def origins(result: ait_cmp.Comparison) -> dict[str, tuple[str, str]]:
    return {row.op_name: (row.module, row.source) for row in result.rows if row.module}


def test_files_of_the_dump_helper_say_module_and_line(sample: Path, described: Path) -> None:
    result = whole(sample, described)
    found = origins(result)
    assert found["MatMul_3"] == ("layers.0.mlp.up_proj", "/models/qwen.py:38")
    of_node = {row.op_name for row in result.rows if row.fx_node == "mm_3"}
    assert set(found) == of_node
    told = result.divergences[0]
    assert (told.module, told.source) == found["MatMul_3"]
    first = result.summary().splitlines()[0]
    assert first.endswith("MatMul_3 (MatMul), FX node mm_3, layers.0.mlp.up_proj, qwen.py:38")
    modules = {one["module"]: one["rows"] for one in result.result["failing_modules"]}
    assert modules["layers.0"] == 2  # MatMul_3 in two steps; what reads it is of another node
    (pictured,) = result.result["divergences"]
    assert pictured["module"] == "layers.0.mlp.up_proj"
    middle = next(op for op in pictured["neighbourhood"]["ops"] if op["distance"] == 0)
    assert middle["source"] == "/models/qwen.py:38"


def test_of_several_files_the_one_with_the_nodes_of_the_graph_is_taken(
    sample: Path, products: Path, dump: Path
) -> None:
    nodes = nodes_of(sample)
    write(dump, {**nodes, **{f"other_{i}": {"module": "x"} for i in range(50)}, "mm_3": {}}, 0)
    write(dump, nodes, 1)
    write(dump, {f"mm_{i}": {"module": "wrong"} for i in range(3)}, 2)
    assert origins(compare(products, dump))["MatMul_3"][0] == "layers.0.mlp.up_proj"


def test_a_file_of_another_process_is_not_of_this_graph(
    sample: Path, products: Path, dump: Path
) -> None:
    if not re.search(r"pid_(\d+)", graph_text(dump).name):
        pytest.skip("this graph text does not tell its process")
    write(dump, nodes_of(sample), pid=pid_of(dump) + 1)
    assert origins(compare(products, dump)) == {}


def test_a_file_of_another_graph_says_nothing(products: Path, dump: Path) -> None:
    write(dump, {"mm_3": UP_PROJ, "strange": {"module": "x"}})
    assert origins(compare(products, dump)) == {}


def with_attribute(dump: Path, op: str, stack: str) -> None:
    path = graph_text(dump)
    text = path.read_text()
    quoted = stack.replace("\\", "\\\\").replace('"', '\\"')
    attribute = f'attr {{ key: "nn_module_stack" value {{ s: "{quoted}" }} }}\n'
    changed = re.sub(
        rf'^( *)name: "{op}"\n', rf"\g<0>\1{_escaped(attribute)}", text, count=1, flags=re.M
    )
    assert changed != text
    path.write_text(changed)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\")


@pytest.mark.parametrize(
    ("last", "module"),
    [
        ("\"L['self'].layers[0].mlp.up_proj\"", "layers.0.mlp.up_proj"),
        ("'layers.0.mlp.up_proj'", "layers.0.mlp.up_proj"),
    ],
)
def test_attributes_of_the_graph_text_say_the_module(
    products: Path, dump: Path, last: str, module: str
) -> None:
    outer = "'L__self__': (\"L['self']\", <class 'qwen.Model'>)"
    with_attribute(dump, "MatMul_3", f"{{{outer}, 'up': ({last}, <class 'torch.nn.Linear'>)}}")
    assert origins(compare(products, dump)) == {"MatMul_3": (module, "")}


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_text("{"),
        lambda path: path.write_text("[]"),
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.write_text(json.dumps({"format": FORMAT, "version": 99})),
        lambda path: path.write_text(json.dumps({"format": FORMAT, "version": 1, "nodes": 3})),
    ],
    ids=["cut", "list", "deep", "no UTF-8", "later", "no nodes"],
)
def test_a_damaged_file_is_told_and_left_out(
    products: Path, dump: Path, damage: Callable[[Path], object]
) -> None:
    path = write(dump, {})
    damage(path)
    result = compare(products, dump)
    assert origins(result) == {}
    (note,) = [note for note in result.notes if "FX sources cannot be read" in note]
    assert str(path) in note
    assert result.divergences[0].op_name == "MatMul_3"


def test_values_of_another_kind_are_not_known(sample: Path, products: Path, dump: Path) -> None:
    odd = {"module": 3, "file": None, "line": "38"}
    write(dump, {**nodes_of(sample), "mm_3": odd, "mm_2": "text"})
    assert origins(compare(products, dump)) == {}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("MatMul_3", {"MatMul_3"}),
        ("mm_3", {"MatMul_3", "Transpose_8", "Reshape_21", "Reshape_22"}),
        ("SoftmaxV2", {"SoftmaxV2", "SoftmaxV2_1"}),
        ("*.mlp.*", {"MatMul_3", "Transpose_8", "Reshape_21"}),
    ],
)
def test_ops_are_chosen_by_name_fx_node_type_or_module(
    sample: Path, described: Path, pattern: str, names: set[str]
) -> None:
    result = ait_cmp.compare_dirs(described, sample / "fx", ops=pattern, replay="none")
    all_rows = whole(sample, described).rows
    wanted = {
        row.op_name
        for row in all_rows
        if any(
            fnmatch.fnmatchcase(name, pattern)
            for name in (row.op_name, row.fx_node, row.my_op_type, row.module)
            if name
        )
    }
    assert {row.op_name for row in result.rows} == wanted
    assert names & wanted
    assert len(result.rows) < len(all_rows)


@pytest.mark.parametrize(
    ("pattern", "near"),
    [
        ("Matmul_3", "MatMul_3"),
        ("mm3", "mm_3"),
        ("*.mpl.*", None),
        ("layers.0.mlp.upproj", "layers.0.mlp.up_proj"),
        ("qqqqqq", None),
    ],
)
def test_a_pattern_that_fits_nothing_is_told_with_what_is_near(
    sample: Path, products: Path, dump: Path, pattern: str, near: str | None
) -> None:
    write(dump, nodes_of(sample))
    patterns = ["MatMul_2", pattern]
    result = ait_cmp.compare_dirs(dump, products / "fx", ops=patterns, replay="none")
    (note,) = [note for note in result.notes if note.startswith("No operator, FX node, type or")]
    assert f"fits {pattern}" in note
    assert (near is None and "near" not in note) or (near is not None and near in note)
