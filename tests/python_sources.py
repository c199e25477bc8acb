"""What tests ask of a Python file of the package, found in one parse of it.

Trees of all files are too many to be kept, and parsing takes longer than all that is asked.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from said_sentences import Said, blocks, in_tree


class ImportOf(NamedTuple):
    """An import statement.

    Attributes:
        line: Where it stands.
        base: The module of `from module import names`; "" without one.
        names: What is imported.
        level: Dots before the module.
        is_for_types: Whether only a type checker sees it.
    """

    line: int
    base: str
    names: list[str]
    level: int
    is_for_types: bool


class Source(NamedTuple):
    """What stands in a Python file.

    Attributes:
        docstring: That of the module.
        imports: All of them, those inside of functions, too.
        texts: What it says in words.
    """

    docstring: str | None
    imports: list[ImportOf]
    texts: list[Said]


@functools.cache
def read_source(path: Path) -> Source:
    """Reads a file of the package."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return Source(ast.get_docstring(tree), list(_imports_in(tree)), list(in_tree(tree, path)))


def _imports_in(tree: ast.Module) -> Iterator[ImportOf]:
    statements = [statement for block in blocks(tree) for statement in block]
    for_types = {
        id(inner)
        for statement in statements
        if isinstance(statement, ast.If) and _is_type_checking(statement.test)
        for block in blocks(ast.Module(statement.body, []))
        for inner in block
    }
    for statement in statements:
        is_for_types = id(statement) in for_types
        if isinstance(statement, ast.Import):
            names = [alias.name for alias in statement.names]
            yield ImportOf(statement.lineno, "", names, 0, is_for_types)
        elif isinstance(statement, ast.ImportFrom):
            names = [alias.name for alias in statement.names]
            base, level = statement.module or "", statement.level
            yield ImportOf(statement.lineno, base, names, level, is_for_types)


def _is_type_checking(test: ast.expr) -> bool:
    return isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"
