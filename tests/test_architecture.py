"""The rules of the house: which room may know which, and how large a file or a hall may become."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import pytest

from python_sources import read_source

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "python" / "ait_cmp"
CSRC = ROOT / "csrc"

#: A room of csrc includes only itself and what stands before it.
CSRC_ORDER = (
    *("simd", "io", "tensor", "formats", "compare", "sketch", "report", "replay", "bench", "bind"),
)
MAX_LINES = 450
#: Entries at the top of the package besides these, and how many of them may be files.
MAX_ROOMS, MAX_FILES, MAX_CSRC = 18, 6, 12
NO_ROOMS = {"__init__.py", "__main__.py", "_core.pyi", "py.typed", "__pycache__"}
STANDARD_FOLDER = Path(sysconfig.get_path("stdlib"))
#: Python 3.9 does not list its own modules: those are meant that lie in its folder.
STANDARD = set(
    getattr(sys, "stdlib_module_names", ())
    or {path.name.split(".")[0] for path in STANDARD_FOLDER.glob("*")}
    | {path.name.split(".")[0] for path in STANDARD_FOLDER.glob("lib-dynload/*")}
    | set(sys.builtin_module_names)
)
CODE = (".py", ".pyi", ".cpp", ".h", ".js", ".css", ".html")


class Import(NamedTuple):
    """One module that another one imports.

    Attributes:
        file: The importing file.
        line: Its line.
        module: Dotted name of the importing module.
        target: Dotted name of the imported one.
        is_for_types: Whether only a type checker sees it.
    """

    file: Path
    line: int
    module: str
    target: str
    is_for_types: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: imports {self.target}"


def module_name(path: Path) -> str:
    """`ait_cmp.report.row` of its file."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def module_files() -> list[Path]:
    """Every Python file of the package."""
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


@lru_cache(maxsize=1)
def module_names() -> frozenset[str]:
    """Dotted names of the modules of the package."""
    return frozenset(map(module_name, module_files()))


@cache
def imports_of(path: Path) -> list[Import]:
    """All imports of a file, those inside of functions, too."""
    found: list[Import] = []
    module = module_name(path)
    for line, base, names, level, is_for_types in read_source(path).imports:
        assert level == 0, f"{path}:{line}: a relative import"
        named = [f"{base}.{name}" for name in names] if base else names
        targets = [name if not base or name in module_names() else base for name in named]
        found += [
            Import(path, line, module, target, is_for_types) for target in dict.fromkeys(targets)
        ]
    return found


@lru_cache(maxsize=1)
def own_imports() -> list[Import]:
    """Imports of the package's own modules at run time, without those of the extension."""
    found = [at for path in module_files() for at in imports_of(path) if not at.is_for_types]
    return [
        at
        for at in found
        if at.target.startswith("ait_cmp.") and not at.target.startswith("ait_cmp._core")
    ]


def room_of(module: str) -> str:
    """`report` of `ait_cmp.report.row`; a file at the top is a room of its own."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def find_circle(arrows: dict[str, set[str]]) -> list[str]:
    """Names that lead back to the first of them; none if there is no circle."""
    done: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in done:
            return []
        for target in sorted(arrows.get(name, ())):
            if circle := visit(target, [*way, name]):
                return circle
        done.add(name)
        return []

    for name in sorted(arrows):
        if circle := visit(name, []):
            return circle
    return []


def arrows_of(found: list[Import], *, rooms: bool) -> dict[str, set[str]]:
    """Who imports whom: modules, or the rooms that they stand in."""
    arrows: dict[str, set[str]] = {}
    for at in found:
        source, target = (
            (room_of(at.module), room_of(at.target)) if rooms else (at.module, at.target)
        )
        if source != target:
            arrows.setdefault(source, set()).add(target)
    return arrows


def told(circle: list[str], found: list[Import], *, rooms: bool) -> str:
    """The imports that make a circle, with their lines."""
    lines = []
    for source, target in zip(circle, circle[1:]):
        lines += [
            str(at)
            for at in found
            if (source, target)
            == ((room_of(at.module), room_of(at.target)) if rooms else (at.module, at.target))
        ][:2]
    return "\n".join(lines)


@pytest.mark.parametrize("rooms", [False, True], ids=["modules", "rooms"])
def test_imports_form_no_circle(rooms: bool) -> None:
    found = [at for at in own_imports() if at.module not in ("ait_cmp", "ait_cmp.__main__")]
    circle = find_circle(arrows_of(found, rooms=rooms))
    assert not circle, f"{' -> '.join(circle)}\n{told(circle, found, rooms=rooms)}"


def test_a_circle_is_found_and_a_ladder_is_none() -> None:
    assert find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert find_circle({"a": {"b", "c"}, "b": {"c"}}) == []


def test_nothing_but_the_entry_imports_the_command_line() -> None:
    bad = [
        f"{at}: only __main__ may know cli"
        for at in own_imports()
        if room_of(at.target) == "cli"
        and room_of(at.module) != "cli"
        and at.module != "ait_cmp.__main__"
    ]
    assert bad == []


def test_only_the_dump_helpers_know_torch() -> None:
    bad = [
        f"{at}: only dump/ may know torch"
        for path in module_files()
        for at in imports_of(path)
        if at.target.split(".")[0] in ("torch", "torch_npu", "torchair")
        and room_of(at.module) != "dump"
    ]
    assert bad == []


def test_reading_and_comparing_needs_numpy_alone() -> None:
    """What else is imported is of Python, optional, or of dump/."""
    allowed = {"numpy", "ait_cmp", "pandas", "watchfiles", "distributed", "cloudpickle"}
    top_level = [
        f"{at}: not part of the base install"
        for path in module_files()
        if room_of(module_name(path)) != "dump"
        for at in imports_of(path)
        if at.target.split(".")[0] not in allowed | STANDARD
    ]
    assert top_level == []


def csrc_files() -> list[Path]:
    """Every C++ file of the core."""
    return sorted(path for path in CSRC.rglob("*") if path.suffix in (".cpp", ".h"))


def includes_of(path: Path) -> Iterator[tuple[str, str]]:
    """(file:line, included file) of every include line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line):
            yield f"{path.relative_to(ROOT)}:{number}", match[1]


def csrc_room(path: str) -> str:
    """`io` of `io/bytes.h`; a file at the top belongs to the lowest room."""
    return path.split("/")[0] if "/" in path else CSRC_ORDER[0]


def test_every_room_of_the_core_has_its_place_in_the_order() -> None:
    rooms = {path.name for path in CSRC.iterdir() if path.is_dir()}
    assert rooms == set(CSRC_ORDER)


def test_a_room_of_the_core_includes_only_rooms_below_it() -> None:
    bad = []
    for path in csrc_files():
        own = csrc_room(str(path.relative_to(CSRC)))
        for where, included in includes_of(path):
            is_ours = (CSRC / included).is_file()
            if is_ours and CSRC_ORDER.index(csrc_room(included)) > CSRC_ORDER.index(own):
                bad.append(f"{where}: {own}/ is below {csrc_room(included)}/")
    assert bad == []


def test_only_the_bindings_know_python() -> None:
    bad = [
        f"{where}: only csrc/bind may include {included}"
        for path in [*csrc_files(), *sorted((ROOT / "tests").rglob("*.cpp"))]
        if csrc_room(str(path.relative_to(CSRC) if CSRC in path.parents else "")) != "bind"
        for where, included in includes_of(path)
        if "pybind11" in included or included == "Python.h"
    ]
    assert bad == []


def test_files_stay_small_enough_to_be_read() -> None:
    files = [path for room in (PACKAGE, CSRC) for path in room.rglob("*") if path.suffix in CODE]
    files += (ROOT / "tests").rglob("*.py")
    long = {
        f"{path.relative_to(ROOT)}:{n}: a file has at most {MAX_LINES} lines"
        for path in files
        if (n := len(path.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    }
    assert long == set()


def test_no_room_becomes_a_hall() -> None:
    data = (".xz", ".json", ".so")
    top = [path for path in PACKAGE.iterdir() if path.name not in NO_ROOMS]
    top = [path for path in top if path.suffix not in data]
    assert len(top) <= MAX_ROOMS, sorted(path.name for path in top)
    files = sorted(path.name for path in top if path.is_file())
    assert len(files) <= MAX_FILES, files
    assert len(list(CSRC.iterdir())) <= MAX_CSRC


def test_every_room_says_its_job_and_the_map_has_it() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for room in (PACKAGE, CSRC):
        for path in sorted(room.iterdir()):
            if path.is_dir() and path.name not in NO_ROOMS:
                assert f"`{path.name}/`" in text, f"ARCHITECTURE.md: {path.name}/ is not in the map"
    for path in sorted(PACKAGE.rglob("__init__.py")):
        assert read_source(path).docstring, path
