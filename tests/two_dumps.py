"""Two GE dumps of the evaluator of the tests, golden without noise, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import ait_cmp
import planted
from ait_cmp.report.summary import summary_lines

Array = np.ndarray[Any, Any]
Build = Callable[[planted.Model], planted.Model]
ROUNDOFF = 2.0**-11


def spoil(name: str) -> Callable[[Array, np.random.Generator], Array]:
    return planted.BUGS[name]


def write(
    folder: Path,
    build: Build = planted.transformer,
    *,
    step: int = 0,
    **options: Any,
) -> Path:
    return planted.write_files(files_of(build, step=step, **options), folder, step)


@cache
def files_of(
    build: Build,
    *,
    noise: float = 0.5,
    bug: str = "",
    how: Callable[[Array, np.random.Generator], Array] | None = None,
    **options: Any,
) -> dict[str, bytes]:
    """Most tests have the golden side of the others."""
    return planted.files_of(build(planted.Model("float16", noise, 7, bug, how)), **options)


def two_dumps(tmp_path: Path, build: Build = planted.transformer, **of_mine: Any) -> list[Path]:
    golden = write(tmp_path / "golden", build, noise=0.0)
    return [write(tmp_path / "my", build, **of_mine), golden]


def told(result: ait_cmp.Comparison) -> list[tuple[str, str]]:
    return [(one.op_name, one.kind) for one in result.divergences]


def own(result: ait_cmp.Comparison) -> dict[str, float]:
    """Op -> own_growth, of those that were replayed."""
    return {
        row.op_name: row.own_growth
        for row in result.rows
        if row.io == "outputs" and row.own_growth is not None
    }


def summary(result: ait_cmp.Comparison) -> str:
    return "\n".join(summary_lines(result))


def cancelling(model: planted.Model) -> planted.Model:
    """A difference of two products that are nearly equal: their rounding becomes large."""
    x = model.input("arg0_1", np.random.default_rng(1).normal(size=(32, 32)))
    a = model.input("arg1_1", np.array(1.0))
    b = model.input("arg2_1", np.array(1.06))
    first = model.op("Mul", np.multiply, [("x1", x), ("x2", a)])
    second = model.op("Mul", np.multiply, [("x1", x), ("x2", b)])
    difference = model.op("Sub", np.subtract, [("x1", first), ("x2", second)])
    model.op("Neg", np.negative, [("x", difference)])
    return model


def with_an_unknown_op(model: planted.Model) -> planted.Model:
    """An op of a type that nobody has a reference for."""
    x = model.input("arg0_1", np.random.default_rng(1).normal(size=(32, 32)))
    fused = model.op("MyFusedOp", lambda a: a * a + a, [("x", x)])
    model.op("Neg", np.negative, [("x", fused)])
    return model
