"""What a wrong op equals instead, and where it is off: each cause planted alone, and told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import ait_cmp
import planted
from ait_cmp.replay import causes, parts
from ait_cmp.replay.regions import describe_regions

Array = np.ndarray[Any, Any]
Formula = Callable[..., Any]
N = 48
BOTH = planted.flag("transpose_x1", False) + planted.flag("transpose_x2", False)


def sentence(
    folder: Path,
    formula: Formula,
    *,
    type_: str = "MatMul",
    dtype: str = "float16",
    names: tuple[str, ...] = ("x1", "x2"),
    attributes: str = "",
    noise: float = 0.3,
    limits: ait_cmp.Limits | None = None,
) -> str:
    """What is told of an op that computes `formula`, "" if it is right."""
    model = planted.Model(dtype, noise, 4)
    rng = np.random.default_rng(8)
    edges = []
    for number, name in enumerate(names):
        shape = (N,) if name == "bias" else (N, N)
        edges.append((name, model.input(f"arg{number}_1", rng.normal(size=shape))))
    if type_.startswith("Reduce"):
        edges = [edges[0], ("axes", model.constant([-1]))]
    model.op(type_, formula, edges, attributes)
    result = ait_cmp.replay(planted.write(model, folder), limits=limits)
    assert result.counts["not_replayed"] == 0
    return result.wrong[0].sentence if result.wrong else ""


def rounded(x: Array, dtype: str) -> Array:
    return x.astype({"float16": np.float16, "bfloat16": ml_dtypes.bfloat16}[dtype]).astype(
        np.float64
    )


def accumulated(dtype: str, step: int) -> Formula:
    def formula(a: Array, b: Array) -> Array:
        total = np.zeros((a.shape[0], b.shape[1]))
        for k in range(0, a.shape[1], step):
            total = rounded(total + a[:, k : k + step] @ b[k : k + step], dtype)
        return total

    return formula


# --- what it equals ----------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "step"), [("float16", 1), ("bfloat16", 1), ("bfloat16", 16)])
def test_a_product_accumulated_in_half_precision(tmp_path: Path, dtype: str, step: int) -> None:
    told = sentence(tmp_path / "d", accumulated(dtype, step), dtype=dtype, attributes=BOTH)
    each = "" if step == 1 else f", {step} terms at a time"
    assert told.endswith(f"It equals a sum that is accumulated in {dtype}{each}.")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_sum_accumulated_in_half_precision(tmp_path: Path, dtype: str) -> None:
    def formula(x: Array, _: Array) -> Array:
        total = np.zeros(len(x))
        for column in x.T:
            total = rounded(total + column, dtype)
        return total

    told = sentence(tmp_path / "d", formula, type_="ReduceSum", dtype=dtype, names=("x",))
    assert told.endswith(f"It equals a sum that is accumulated in {dtype}.")


def hf32(x: Array) -> Array:
    """11 bits of mantissa and the hidden one, to nearest."""
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(mantissa * 2.0**12) / 2.0**12, exponent)


def test_hf32_is_right_and_said(tmp_path: Path) -> None:
    model = planted.Model("float32", 0.0, 4)
    rng = np.random.default_rng(8)
    edges = [(f"x{i}", model.input(f"arg{i}_1", rng.normal(size=(N, N)))) for i in (1, 2)]
    model.op("MatMul", lambda a, b: hf32(a) @ hf32(b), edges, BOTH)
    (row,) = ait_cmp.replay(planted.write(model, tmp_path / "d")).rows
    assert row.status == "right"
    assert row.reason in ("", "consistent with HF32")


def test_hf32_is_a_cause_where_the_limits_leave_no_room_for_it(tmp_path: Path) -> None:
    limits = ait_cmp.Limits(own_growth_max=0.05, element_max=0.5)
    told = sentence(
        tmp_path / "d",
        lambda a, b: hf32(a) @ hf32(b),
        dtype="float32",
        attributes=BOTH,
        noise=0.0,
        limits=limits,
    )
    assert told.endswith("It equals the result of factors that are rounded to HF32.")


@pytest.mark.parametrize("factor", [0.25, -1.0, 1.01])
def test_a_constant_factor(tmp_path: Path, factor: float) -> None:
    told = sentence(tmp_path / "d", lambda a, b: a @ b * factor, attributes=BOTH)
    assert f"It equals the result times {factor:.4g}"[:-1] in told


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        (lambda a, b: a.T @ b, "x1 transposed @ x2"),
        (lambda a, b: a @ b.T, "x1 @ x2 transposed"),
    ],
)
def test_an_operand_read_transposed(tmp_path: Path, formula: Formula, words: str) -> None:
    assert sentence(tmp_path / "d", formula, attributes=BOTH).endswith(f"It equals {words}.")


def test_the_bias_left_out(tmp_path: Path) -> None:
    told = sentence(
        tmp_path / "d",
        lambda a, b, _: a @ b,
        type_="MatMulV2",
        names=("x1", "x2", "bias"),
        attributes=BOTH,
    )
    assert told.endswith("It equals the result without its bias.")


def test_a_term_left_out(tmp_path: Path) -> None:
    told = sentence(tmp_path / "d", lambda a, _: a, type_="Add", noise=0.0)
    assert told.endswith("It equals x1: x2 was left out.")


def test_subnormal_numbers_flushed_to_zero(tmp_path: Path) -> None:
    def formula(a: Array, b: Array) -> Array:
        y = a * b
        return np.where(np.abs(y) < 2.0**-14, 0.0, y)

    model = planted.Model("float16", 0.0, 4)
    rng = np.random.default_rng(8)
    edges = [(f"x{i}", model.input(f"arg{i}_1", 2.0**-7 * rng.normal(size=(N, N)))) for i in (1, 2)]
    model.op("Mul", formula, edges)
    (wrong,) = ait_cmp.replay(planted.write(model, tmp_path / "d")).wrong
    assert wrong.cause == "It equals the result with subnormal numbers flushed to zero."


def test_the_inputs_of_the_step_before(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    x: list[Array] = []
    for step in (0, 1):
        model = planted.Model("float16", 0.3, step)
        rng = np.random.default_rng(step)
        x.append(rng.normal(size=(N, N)))
        edge = model.input("arg0_1", x[-1])
        old = x[0].astype(np.float16).astype(np.float64)
        model.op("Square", lambda _, old=old: old * old, [("x", edge)])
        planted.write(model, folder, step=step)
    (wrong,) = ait_cmp.replay(folder).wrong
    assert wrong.cause == "It equals the result of the inputs of the step before."


def test_nothing_is_told_where_nothing_fits(tmp_path: Path) -> None:
    def formula(a: Array, b: Array) -> Array:
        return a @ b + np.random.default_rng(1).normal(size=(N, N))

    told = sentence(tmp_path / "d", formula, attributes=BOTH)
    assert "equals" not in told
    assert "Only" not in told


def test_an_op_that_is_too_large_is_tried_on_a_part_that_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(causes, "_MAX_VALUES", N * N - 1)
    monkeypatch.setattr(parts, "PRODUCT_VALUES", N * 8)

    def formula(a: Array, b: Array) -> Array:
        y = a @ b
        y[30:] = (a @ b.T)[30:]
        return y

    told = sentence(tmp_path / "d", formula, attributes=BOTH)
    assert told.endswith("A part of it was tried: It equals x1 @ x2 transposed.")


# --- where it is off ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (np.s_[5, 7], "Only element [5, 7] is off."),
        (np.s_[9], "Only row [9] is off (48 elements)."),
        (np.s_[:, 11], "Only column 11 of the last axis is off (48 elements)."),
        (np.s_[16:32, 32:48], "Only one tile of 16 x 16 is off, from element [16, 32] on."),
        (np.s_[44:], "Only the last 192 of 2304 elements are off."),
        (np.s_[:24:6], "4 of 48 rows are off."),
    ],
)
def test_where_a_product_is_off(tmp_path: Path, place: Any, words: str) -> None:
    def formula(a: Array, b: Array) -> Array:
        y = a @ b
        y[place] = 3.0 * y[place] + 100.0
        return y

    assert sentence(tmp_path / "d", formula, attributes=BOTH, noise=0.0).endswith(words)


def test_elements_that_lie_anywhere_have_no_region() -> None:
    is_wrong = np.zeros((32, 32), np.bool_)
    is_wrong[np.arange(32), (np.arange(32) * 7) % 32] = True
    assert describe_regions(is_wrong) == ""
    assert describe_regions(np.zeros((3, 3), np.bool_)) == ""


def test_a_region_of_more_dimensions() -> None:
    is_wrong = np.zeros((2, 3, 20, 20), np.bool_)
    is_wrong[1, 2, 16:, :5] = True
    assert describe_regions(is_wrong) == (
        "Only one tile of 16 x 16 is off, from element [1, 2, 16, 0] on."
    )
    is_wrong[:] = False
    is_wrong[0, 1, 4] = True
    assert describe_regions(is_wrong) == "Only row [0, 1, 4] is off (20 elements)."
