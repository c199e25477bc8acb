"""Large ops in parts: the same answer as in one, and memory that stays bounded."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ait_cmp
import planted
from ait_cmp.replay import chain, parts
from ait_cmp.replay.references import attention
from forked import Forked

Array = np.ndarray[Any, Any]


def rows_by_output(folder: Path) -> dict[tuple[str, int], Any]:
    return {(row.op_name, row.index): row for row in ait_cmp.replay(folder).rows}


@cache
def model_with(bug: str) -> planted.Model:
    return planted.transformer(planted.Model("bfloat16", 0.5, 3, bug, planted.BUGS["row"]))


@pytest.mark.parametrize("bug", ["", "SoftmaxV2", "Mul_2", "ReduceSum"])
@pytest.mark.parametrize("is_fused", [False, True])
def test_an_op_in_parts_has_the_verdict_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bug: str, is_fused: bool
) -> None:
    # What comes before a bug is what lies there without one.
    since = "" if is_fused else bug
    folder = planted.write(model_with(bug), tmp_path / "d", is_fused=is_fused, since=since)
    whole = rows_by_output(folder)
    for module in (parts, chain):
        monkeypatch.setattr(module, "PART_VALUES", 96)
    monkeypatch.setattr(parts, "PRODUCT_VALUES", 96)
    in_parts = rows_by_output(folder)
    assert whole.keys() == in_parts.keys()
    for key, row in whole.items():
        other = in_parts[key]
        assert (other.status, other.n_wrong, other.edge) == (row.status, row.n_wrong, row.edge)
        for name in ("own_error", "own_growth", "worst_units", "bias"):
            # Signed errors cancel in the bias: it shows the last bits of products of other shapes.
            near = pytest.approx(getattr(row, name), rel=1e-6, abs=1e-6 if name == "bias" else 1e-9)
            assert getattr(other, name) == near, (key, name)


def test_attention_in_blocks_of_queries_is_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    q, k, v = (rng.normal(size=(1, 2, 9, 4)) for _ in range(3))

    def attend() -> tuple[Array, Array, Array]:
        value, slack = np.zeros_like(q), np.zeros_like(q)
        mask = attention._Mask(None, 0, None, [7])
        logs = attention._attend(value, slack, q, k, v, mask, 0.5, 2.0**-11, False)
        return value, slack, logs

    whole = attend()
    monkeypatch.setattr(attention, "_SCORES", 18)
    for one, other in zip(whole, attend()):
        np.testing.assert_allclose(other, one, rtol=1e-12)


# --- memory ------------------------------------------------------------------------------------

SIDE = 1280
#: Prints the largest anonymous memory of the replay of each folder in MB, above that before it.
MEASURE = """
import sys, threading, time
import ait_cmp, ait_cmp.replay.run
def anonymous():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1000 for line in status if line.startswith("RssAnon"))
for folder in sys.argv[1:]:
    before, peak, is_over = anonymous(), 0.0, False
    def watch():
        global peak
        while not is_over:
            peak = max(peak, anonymous())
            time.sleep(0.001)
    watcher = threading.Thread(target=watch)
    watcher.start()
    result = ait_cmp.replay(folder)
    is_over = True
    watcher.join()
    assert result.counts["not_replayed"] == 0, result.not_replayed
    print(peak - before)
"""
KEEP = planted.flag("keep_dims", True)
LAST = 'attr { key: "axes" value { list { i: -1 val_type: VT_LIST_INT } } }\n'
HEADS = 'attr { key: "input_layout" value { s: "BNSD" } }\n'


def softmax(x: Array) -> Array:
    weights = np.exp(x - x.max(-1, keepdims=True))
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def build_chain(m: planted.Model, x: str, y: str) -> None:
    scaled = m.op("Muls", lambda a: a * 0.5, [("x", x)], planted.number("value", 0.5))
    added = m.op("Add", np.add, [("x1", scaled), ("x2", y)])
    silu = m.op("Swish", lambda a: a / (1 + np.exp(-a)), [("x", added)])
    m.op("Mul", np.multiply, [("x1", silu), ("x2", y)])


def build_attention(m: planted.Model, _: str, __: str) -> None:
    """The scores are 384 times as large as the tensors; with keys of zeros all are equal."""
    m.data.clear()
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3, 1, 1, 3072, 8))
    values[1] = 0.0
    q, k, v = (m.input(f"arg{i}_1", each) for i, each in enumerate(values, 2))
    m.op(
        "PromptFlashAttention",
        lambda q, _, v: np.broadcast_to(v.mean(-2, keepdims=True), q.shape),
        [("query", q), ("key", k), ("value", v)],
        planted.integer("num_heads", 1) + planted.number("scale_value", 0.125) + HEADS,
    )  # fmt: skip


def build_product(m: planted.Model, x: str, _: str) -> None:
    """By a matrix whose product is known without taking it."""
    unit = m.input("arg2_1", np.eye(SIDE))
    m.op("MatMul", lambda a, _: a, [("x1", x), ("x2", unit)])


def build_choice(m: planted.Model, _: str, __: str) -> None:
    """Of rows that are sorted."""
    falling = m.input("arg2_1", np.tile(np.arange(SIDE, 0.0, -1.0), (SIDE, 1)))
    first = np.tile(np.arange(3), (SIDE, 1))
    inputs = [("x", falling), ("k", m.constant([3]))]
    m.op("TopKV2", lambda a, _: [a[:, :3], first], inputs)


BUILD: dict[str, Callable[[planted.Model, str, str], object]] = {
    "elementwise": lambda m, x, y: m.op("Mul", np.multiply, [("x1", x), ("x2", y)]),
    "cast": lambda m, x, _: m.op(
        "Cast", lambda a: a, [("x", x)], planted.integer("dst_type", 0), "float32"
    ),
    "exact": lambda m, x, _: m.op(
        "Transpose", lambda a, _: a.T, [("x", x), ("perm", m.constant([1, 0]))]
    ),
    "softmax": lambda m, x, _: m.op("SoftmaxV2", softmax, [("x", x)], LAST),
    "sum": lambda m, x, _: m.op(
        "ReduceSum",
        lambda a, _: a.sum(-1, keepdims=True),
        [("x", x), ("axes", m.constant([-1]))],
        KEEP,
    ),
    "sum of rows": lambda m, x, _: m.op(
        "ReduceSum",
        lambda a, _: a.sum(0, keepdims=True),
        [("x", x), ("axes", m.constant([0]))],
        KEEP,
    ),
    "product": build_product,
    "choice": build_choice,
    "chain": build_chain,
    "attention": build_attention,
}  # fmt: skip


def test_memory_stays_below_twice_the_largest_tensor_and_200_mb(
    tmp_path: Path, forked: Forked
) -> None:
    few = np.random.default_rng(2).normal(size=(2, SIDE, 64)).astype(np.float16)
    inputs = [np.tile(columns, SIDE // 64) for columns in few]
    limits = {}
    for kind, build in BUILD.items():
        model = planted.Model("float16", 0.0, 1)
        x, y = (model.input(f"arg{i}_1", values) for i, values in enumerate(inputs))
        build(model, x, y)
        folder = planted.write(model, tmp_path / kind, is_fused=kind == "chain")
        tensors = [*model.data.values(), *(array for op in model.ops for array in op.values)]
        limits[str(folder)] = 2 * max(array.size for array in tensors) * 8 / 1e6 + 200
    done = forked.run(MEASURE, *limits)
    assert done.status == 0, done.err
    assert len(done.out.split()) == len(limits)
    peaks = dict(zip(limits, map(float, done.out.split())))
    assert {folder: peak for folder, peak in peaks.items() if peak >= limits[folder]} == {}
