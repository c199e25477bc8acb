"""What the sources say in words: every text of theirs that may reach a person who reads a report.

A text is what stands in quotes, `{}` where something is put in. Left out are docstrings, what goes
to the log, and the messages of errors that end a run: those stay English.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
# Errors that end a run, or that only a program makes: `raise` of one is no sentence of a report.
_USAGE_ERRORS = frozenset(
    (
        "AitCmpError",
        "ConfigError",
        "TypeError",
        "AttributeError",
        "ImportError",
        "IndexError",
        "ShapeError",
    )
)
_CPP_USAGE = re.compile(r"invalid_argument|CpuLevelError|static_assert|#include")
_LOG_CALLS = frozenset(("debug", "info", "warning", "error", "exception"))
# At least two words, the second of small letters.
_WORDS = re.compile(r"(?<![\w-])[A-Za-z]+[,:;.)]? \(?[a-z]+\b")
# What stands before and after the words.
_ENDS = re.compile(r"^(\{\}|[ :;,.])+|(\{\}|[ :;,.])+$")
_NUMBER = re.compile(r"\d+")
# A number of the sources may be a blank of the tables.
_NUMBER_OR_BLANK = r"(?:\g<0>|\\{n\\w*\\})"


class Said(NamedTuple):
    """A text of the sources.

    Attributes:
        path: The file, from the root of the project.
        line: Where it stands in it.
        text: Its words, `{}` between them.
    """

    path: str
    line: int
    text: str

    @property
    def place(self) -> str:
        """What an editor opens."""
        return f"{self.path}:{self.line}"

    def is_in(self, tables: Iterable[str]) -> bool:
        """Whether the words stand in a text of the tables, in their order."""
        parts = _ENDS.sub("", self.text).split("{}")
        if any(_in_order(parts, text) for text in tables):
            return True
        if not any(map(_NUMBER.search, parts)):
            return False
        with_blanks = (_NUMBER.sub(_NUMBER_OR_BLANK, re.escape(part)) for part in parts)
        return any(map(re.compile(".*?".join(with_blanks)).search, tables))


def _in_order(parts: list[str], text: str) -> bool:
    at = 0
    for part in parts:
        at = text.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def has_words(text: str) -> bool:
    """Whether it says something."""
    return _WORDS.search(text) is not None


def in_python(path: Path) -> Iterator[Said]:
    """The texts of a Python file."""
    return in_tree(ast.parse(path.read_text(encoding="utf-8")), path)


def in_tree(tree: ast.Module, path: Path) -> Iterator[Said]:
    """The texts of a Python file that has been parsed."""
    name = str(path.relative_to(ROOT))
    unsaid = {id(statement) for statement in _unsaid(tree)}
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        if id(node) in unsaid or _is_docstring(node) or _is_told_elsewhere(node):
            continue
        text = _text(node)
        if text is not None and has_words(text):
            yield Said(name, node.lineno, text)
        parts = _children(node)
        if isinstance(node, ast.JoinedStr):
            parts = [part for part in parts if not isinstance(part, ast.Constant)]
        left += reversed(parts)


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes right below one in which texts may stand; `ast.iter_child_nodes` is slower."""
    found: list[ast.AST] = []
    for value in vars(node).values():
        kind = type(value)
        if kind is list:
            found += [part for part in value if isinstance(part, ast.AST)]
        elif kind not in _WITHOUT_TEXT and isinstance(value, ast.AST):
            found.append(value)
    return found


# Most of what a node has: names, lines and columns.
_WITHOUT_TEXT = frozenset((int, str, type(None), ast.Name, ast.Load, ast.Store))


def blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Every run of statements, those inside of statements, too."""
    left: list[ast.AST] = [tree]
    while left:
        node = left.pop()
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                yield block
                left += block
        left += getattr(node, "handlers", ())
        left += getattr(node, "cases", ())


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "{}" for part in node.values)
    return None


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _unsaid(tree: ast.Module) -> Iterator[ast.stmt]:
    """Errors that end a run, with what their messages are of."""
    found = list(blocks(tree))
    raised = [part for block in found for part in block if _is_usage_error(part)]
    if not raised:
        return
    names = {name for part in raised for name in _makers(part)}
    for statement in tree.body:
        if names & (_assigned(statement) | {getattr(statement, "name", "")}):
            yield statement
    for block in found:
        yield from _usage_errors(block)


def _usage_errors(block: list[ast.stmt]) -> Iterator[ast.stmt]:
    for number, statement in enumerate(block):
        if _is_usage_error(statement):
            yield statement
            names = _names_in(statement)
            for before in reversed(block[:number]):
                if names & _assigned(before):
                    yield before
                    names |= _names_in(before)


def _names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _is_told_elsewhere(node: ast.AST) -> bool:
    """Whether it makes an error that ends the run, or a line of the log."""
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    log_call, error = getattr(function, "attr", ""), getattr(function, "id", "")
    return log_call in _LOG_CALLS or error in _USAGE_ERRORS


def _is_usage_error(node: ast.AST) -> bool:
    raised = node.exc if isinstance(node, ast.Raise) else None
    is_call = isinstance(raised, ast.Call) and isinstance(raised.func, ast.Name)
    return is_call and raised.func.id in _USAGE_ERRORS  # type: ignore[union-attr]


def _makers(raised: ast.AST) -> set[str]:
    """Functions and constants of the module that make the message of an error."""
    calls = [part.func for part in ast.walk(raised) if isinstance(part, ast.Call)]
    formats = [part.value for part in calls if isinstance(part, ast.Attribute)]
    return {part.id for part in [*calls, *formats] if isinstance(part, ast.Name)}


def _assigned(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else ()
    if isinstance(statement, ast.AugAssign):
        targets = [statement.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


# Of C++: a literal, a comment, the end of a statement, anything else.
_TOKEN = re.compile(
    r'"(?P<text>(?:[^"\\\n]|\\.)*)"|//[^\n]*|\'(?:[^\'\\]|\\.)+\'|(?P<end>[;{}])|(?P<other>[^"/\';{}]+|.)'
)
# Between two literals of one text: nothing, or values that are added.
_ADDED = re.compile(r"\s*\+[^?=,]*\+\s*|\s*\+=\s*[^?=,]*\+\s*")


def in_cpp(path: Path) -> Iterator[Said]:
    """The texts of a C++ file: literals with what is added between them."""
    source = path.read_text(encoding="utf-8")
    text, between, start, code = "", "", None, ""

    def done() -> Iterator[Said]:
        if start is not None and has_words(text) and not _CPP_USAGE.search(code):
            line = source.count("\n", 0, start) + 1
            yield Said(str(path.relative_to(ROOT)), line, text)

    for token in _TOKEN.finditer(source):
        if token["text"] is not None:
            said = re.sub(r"\\(.)", r"\1", token["text"])
            if start is not None and (not between.strip() or _ADDED.fullmatch(between)):
                text += ("{}" if between.strip() else "") + said
            else:
                yield from done()
                text, start = said, token.start()
            between = ""
        elif token["end"]:
            yield from done()
            text, between, start, code = "", "", None, ""
        elif token["other"]:
            between += token["other"]
            code += token["other"]
    yield from done()


def not_told(said: Iterable[Said], tables: Collection[str]) -> list[str]:
    """Place and text of what does not stand in the tables."""
    return [f"{one.place}: {one.text!r}" for one in said if not one.is_in(tables)]
