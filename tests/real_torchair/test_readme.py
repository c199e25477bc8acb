"""The flows under "Make a dump" in README, executed as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ait_cmp.discover import discover

ROOT = Path(__file__).parents[2]


def python_blocks() -> list[str]:
    """Python blocks of the section, in order."""
    section = (ROOT / "README.md").read_text().split("## Make a dump\n")[1].split("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


GE, FX, GE_UNFUSED, GE_REDUCED = range(4)


def run(block: int, folder: Path) -> str:
    """Run a block in a process of its own, as a script in `folder`; what it printed."""
    script = folder / f"block_{block}.py"
    script.write_text(python_blocks()[block])
    command = [sys.executable, Path(__file__).with_name("run_readme.py"), script]
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Made:
    """What a block made: its new dump folder, and what it printed."""

    folder: Path
    printed: str


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Made]:
    """The blocks that dump, run once each in one folder, in the order of README."""
    folder = tmp_path_factory.mktemp("readme")
    found: dict[int, Made] = {}
    for block in (GE, FX, GE_UNFUSED, GE_REDUCED):
        printed = run(block, folder)
        (new,) = {*(folder / "dump").iterdir()} - {old.folder for old in found.values()}
        found[block] = Made(new, printed)
    return found


def compare(commands: list[str]) -> str:
    """Run the first of the commands that a block printed; what `ait-cmp` printed."""
    program, *arguments = shlex.split(commands[0])
    assert program == "ait-cmp"
    command = [Path(sys.executable).with_name(program), *arguments]
    done = subprocess.run(command, cwd=Path(arguments[1]).parent, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def commands(made: Made) -> list[str]:
    return [line for line in made.printed.splitlines() if line.startswith("  ait-cmp ")]


def test_section_has_a_block_for_every_step_of_the_flows() -> None:
    assert len(python_blocks()) == len((GE, FX, GE_UNFUSED, GE_REDUCED))


def test_flow_1_dumps_ge_and_fx_of_the_same_steps(made: dict[int, Made]) -> None:
    ge_tree, fx_tree = discover(made[GE].folder), discover(made[FX].folder)
    assert (ge_tree.kind, fx_tree.kind) == ("ge", "fx")
    assert ge_tree.step_keys() == fx_tree.step_keys()
    assert [graph.number for graph in ge_tree.graph_files] == [1]


def test_flow_1_tells_the_command_that_finds_no_difference(made: dict[int, Made]) -> None:
    ge, fx = made[GE].folder, made[FX].folder
    assert commands(made[FX]) == [f"  ait-cmp --my-path {ge} --golden-path {fx}"]
    assert " 0 fail" in compare(commands(made[FX]))


def test_flow_2_dumps_without_fusion(made: dict[int, Made]) -> None:
    assert (made[GE_UNFUSED].folder / "fusion_switch.json").is_file()
    fused, unfused = discover(made[GE].folder), discover(made[GE_UNFUSED].folder)
    assert (fused.kind, unfused.kind) == ("ge", "ge")
    assert fused.step_keys() == unfused.step_keys()


def test_flow_2_tells_the_command_that_finds_no_difference(made: dict[int, Made]) -> None:
    ge, unfused = made[GE].folder, made[GE_UNFUSED].folder
    assert commands(made[GE_UNFUSED])[0] == f"  ait-cmp --my-path {ge} --golden-path {unfused}"
    assert " 0 fail" in compare(commands(made[GE_UNFUSED]))


def test_flow_3_dumps_the_steps_named(made: dict[int, Made]) -> None:
    steps = [key.step for key in discover(made[GE_REDUCED].folder).step_keys()]
    assert steps == [0, 2, 3]
