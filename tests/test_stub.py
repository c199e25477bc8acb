"""The stub of the extension names what the extension has, with the same parameters.

`nox -s lint` holds the stub against the module with stubtest too; that cannot see the signatures,
which pybind11 keeps in the first line of a docstring.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

import ait_cmp
from ait_cmp import _core

Functions = dict[str, ast.FunctionDef]

STUB = ast.parse(Path(ait_cmp.__file__).with_name("_core.pyi").read_text(encoding="utf-8"))
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}


def functions_of(node: ast.Module | ast.ClassDef) -> Functions:
    """The functions and properties that a stub declares, by name."""
    return {item.name: item for item in node.body if isinstance(item, ast.FunctionDef)}


def is_property(function: ast.FunctionDef) -> bool:
    """Whether a stub declares an attribute that can only be read."""
    return [ast.unparse(decorator) for decorator in function.decorator_list] == ["property"]


def parameters(function: ast.FunctionDef) -> list[tuple[str, str, str | None]]:
    """(name, kind, default) of every parameter but self."""
    arguments = function.args
    assert arguments.vararg is None
    assert arguments.kwarg is None
    plain = [*arguments.posonlyargs, *arguments.args]
    n_required = len(plain) - len(arguments.defaults)
    found = [
        (name.arg, "plain", ast.unparse(default) if default else None)
        for name, default in zip(plain, [*[None] * n_required, *arguments.defaults])
    ]
    found += [
        (name.arg, "keyword", ast.unparse(default) if default else None)
        for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults)
    ]
    return found[1:] if found and found[0][0] == "self" else found


def documented(member: object) -> list[tuple[str, str, str | None]]:
    """Parameters of a function of the extension, from the first line of its docstring."""
    line = (member.__doc__ or "").splitlines()[0]
    (function,) = ast.parse(f"def {line}: ...").body
    assert isinstance(function, ast.FunctionDef)
    return parameters(function)


def public(names: Mapping[str, object]) -> set[str]:
    """Names that a caller may use: no underscore in front, or a method that a class defines."""
    return {
        name
        for name, value in names.items()
        if not name.startswith("_")
        or name in ("__iter__", "__next__", "__len__", "__getitem__", "__setitem__")
        or (name == "__init__" and "self:" in (value.__doc__ or ""))
    }


def test_the_stub_has_the_names_of_the_module() -> None:
    assigned = {
        item.target.id
        for item in STUB.body
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    }
    declared = {name for name in assigned if not name.startswith("_")}
    declared |= set(CLASSES) | set(functions_of(STUB))
    assert declared == public(vars(_core))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_stub_has_the_members_of_a_class(name: str) -> None:
    members = vars(getattr(_core, name))
    declared = functions_of(CLASSES[name])
    assert set(declared) == public(members)
    read_only = {name for name, function in declared.items() if is_property(function)}
    assert read_only == {name for name, value in members.items() if isinstance(value, property)}


@pytest.mark.parametrize("name", sorted(functions_of(STUB)))
def test_the_stub_has_the_parameters_of_a_function(name: str) -> None:
    assert parameters(functions_of(STUB)[name]) == documented(getattr(_core, name))


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_stub_has_the_parameters_of_methods(name: str) -> None:
    for method, function in functions_of(CLASSES[name]).items():
        if not is_property(function):
            assert parameters(function) == documented(getattr(getattr(_core, name), method)), method
