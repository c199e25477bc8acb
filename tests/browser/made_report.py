"""Reports made by hand: a model of repeated layers with planted divergences."""

from __future__ import annotations

import math
import random
from typing import Any

from ait_cmp.report.html.columns import Cell

COLUMNS = [
    "token_id", "data_id", "golden_data_path", "golden_op_type", "golden_dtype", "golden_shape",
    "golden_max_value", "golden_min_value", "golden_mean_value", "my_data_path", "my_op_type",
    "my_dtype", "my_shape", "my_max_value", "my_min_value", "my_mean_value", "cosine_similarity",
    "max_relative_error", "mean_relative_error", "max_absolute_error", "mean_absolute_error",
    "kl_divergence", "relative_euclidean_distance", "cmp_fail_reason", "rank", "graph", "op_name",
    "io", "index", "status", "match", "verdict", "upstream_error", "error_growth",
    "my_nan_count", "my_inf_count", "golden_nan_count", "golden_inf_count",
    "nonfinite_mismatch_count", "worst_index", "my_worst", "golden_worst", "estimated",
    "one_thousandth_err_ratio", "five_thousandths_err_ratio", "block_error", "block_growth",
    "bias_z", "decision_flips", "own_error", "own_growth", "fx_node", "module", "source",
]  # fmt: skip

# One layer of the model: op type, FX target, where in the module.
_LAYER = [
    ("Mul", "aten.mul.Tensor", "input_norm"), ("MatMul", "aten.mm.default", "attn.q_proj"),
    ("MatMul", "aten.mm.default", "attn.k_proj"), ("Add", "aten.add.Tensor", "attn"),
    ("SoftmaxV2", "aten._softmax.default", "attn"), ("MatMul", "aten.mm.default", "attn.o_proj"),
    ("Cast", "", ""), ("Add", "aten.add.Tensor", ""), ("MatMul", "aten.mm.default", "mlp.up_proj"),
    ("Sigmoid", "aten.sigmoid.default", "mlp.act"),
    ("MatMul", "aten.mm.default", "mlp.down_proj"), ("Add", "aten.add.Tensor", ""),
]  # fmt: skip


class MadeTable:
    """Rows of a made-up model; some of its ops diverge.

    Attributes:
        columns: Names of the columns.
        data: The rows as dictionaries.
    """

    def __init__(self, n_rows: int, diverging: dict[int, float], n_tokens: int = 2) -> None:
        """Rows with a number in `diverging` have that error, and lend it to what follows."""
        self.columns = COLUMNS
        self.data: list[dict[str, Cell]] = []
        rng = random.Random(7)
        per_token = math.ceil(n_rows / n_tokens)
        lent = 0.004
        for number in range(n_rows):
            token, place = divmod(number, per_token)
            if place == 0:
                lent = 0.004
            row = _made_row(rng, number, token, place // 2, "outputs" if place % 2 else "inputs")
            given = lent
            error = diverging.get(number, given * math.exp(rng.gauss(0, 0.5)))
            if number in diverging:
                lent = error / 2
            growth = error / max(given, 0.0039)
            fails = number in diverging
            row.update(
                relative_euclidean_distance=error,
                upstream_error=given,
                error_growth=growth,
                verdict="fail" if fails else "pass" if error < 0.05 else "inherited",
            )
            self.data.append(row)

    def rows(self) -> list[list[Cell]]:
        """Every row in the order of the columns."""
        return [[row.get(name, "") for name in self.columns] for row in self.data]


def _made_row(rng: random.Random, number: int, token: int, op: int, io: str) -> dict[str, Cell]:
    kind, target, module = _LAYER[op % len(_LAYER)]
    layer = op // len(_LAYER)
    name = f"{kind}_{op}"
    folder = f"/dumps/run 1/{{side}}/worldsize1_global_rank0/20261122113000/0/graph_1/1/{token}"
    floats = {
        column: rng.gauss(0, 1)
        for column in COLUMNS
        if column.endswith(("_value", "_error", "_worst", "_ratio", "divergence", "_z"))
    }
    return {
        **floats,
        "token_id": token,
        "data_id": number,
        "golden_data_path": f"{folder.format(side='fx')}/mm_{op}-{target}.{io}.{number}.npy",
        "golden_op_type": target,
        "golden_dtype": "torch.float32",
        "golden_shape": "[1, 16, 128]",
        "my_data_path": f"{folder.format(side='ge')}/{kind}.{name}.{op}.6.17065{number},{io},0",
        "my_op_type": kind,
        "my_dtype": "torch.bfloat16",
        "my_shape": "[1, 16, 128]",
        "cosine_similarity": 1 - rng.random() * 1e-5,
        "rank": 0,
        "graph": "graph_1",
        "op_name": name,
        "io": io,
        "index": 0,
        "status": "compared",
        "match": "dataflow",
        "my_nan_count": 0,
        "golden_nan_count": 0,
        "nonfinite_mismatch_count": 0,
        "worst_index": rng.randrange(2048),
        "block_error": rng.random() * 0.01,
        "block_growth": rng.random(),
        "fx_node": f"mm_{op}" if target else "",
        "module": f"layers.{layer}.{module}" if module else "",
        "source": f"/models/qwen/modeling_qwen.py:{30 + op % 90}" if module else "",
    }


def divergence(table: MadeTable, number: int, **changes: Any) -> dict[str, Any]:
    """What result.json says of the row that diverges, with pictures of made-up errors."""
    row = table.data[number]
    names = ("rank", "graph", "op_name", "fx_node", "module", "source", "data_id")
    return {
        **{name: row[name] for name in names},
        "token": row["token_id"],
        "op_type": row["my_op_type"],
        "kind": "growth",
        "upstream_error": row["upstream_error"],
        "error": row["relative_euclidean_distance"],
        "error_growth": row["error_growth"],
        "limit": 4.0,
        "candidates": [row["op_name"]],
        "places": 2,
        "later_failures": 41,
        "replay": None,
        "sentences": [],
        "my": row["my_data_path"],
        "golden": row["golden_data_path"],
        "my_dtype": row["my_dtype"],
        "golden_dtype": row["golden_dtype"],
        "shape": [1, 16, 128],
        "errors": made_errors(),
        "neighbourhood": _neighbourhood(table, number),
        **changes,
    }


def made_errors() -> dict[str, Any]:
    """Errors of a tensor [1, 16, 128] of which one tile is wrong."""
    rng = random.Random(3)
    bins = [round(400 * math.exp(-(((place - 22) / 6) ** 2))) for place in range(40)]
    bins[38:] = [24, 8]
    cells = [
        [0.5 if 4 <= r < 8 and 16 <= c < 32 else rng.random() * 1e-3 for c in range(64)]
        for r in range(16)
    ]
    worst = [
        {"index": [0, 4 + k, 40 + k], "my": 1.25 + k, "golden": 0.75 + k, "error": 0.5 - k / 100}
        for k in range(10)
    ]
    histogram = {"largest": 0.5, "bins": bins, "equal": 120, "not_finite": 2}
    heat_map = {"rows": 16, "columns": 128, "cells": cells}
    return {"histogram": histogram, "worst": worst, "heat_map": heat_map}


def _neighbourhood(table: MadeTable, number: int) -> dict[str, Any]:
    distances = {-8: -2, -6: -2, -4: -1, -2: -1, 0: 0, 2: 1, 4: 1, 6: 2, 8: 2}
    ops = []
    for offset, distance in distances.items():
        row = table.data[number + offset]
        names = ("op_name", "fx_node", "module", "source", "error_growth", "verdict", "data_id")
        ops.append(
            {
                **{name: row[name] for name in names},
                "op_type": row["my_op_type"],
                "distance": distance,
                "error": row["relative_euclidean_distance"],
            }
        )
    pairs = [(0, 2), (1, 2), (1, 3), (2, 4), (3, 4), (4, 5), (4, 6), (5, 7), (6, 8), (6, 7)]
    edges = [{"from": a, "to": b, "differs": a >= 4} for a, b in pairs]
    edges[0]["differs"] = None
    return {"ops": ops, "edges": edges, "left_out": 3}


def made_result(table: MadeTable, divergences: list[dict[str, Any]]) -> dict[str, Any]:
    """The content of a result.json."""
    verdicts = [row["verdict"] for row in table.data]
    return {
        "format": "ait-cmp result",
        "version": 1,
        "program": "0.1.0",
        "time": "2026-11-27T09:52:00+08:00",
        "command": ["ait-cmp", "--my-path", "/dumps/run 1/ge", "--golden-path", "/dumps/fx"],
        "my_path": "/dumps/run 1/ge",
        "golden_path": "/dumps/run 1/fx",
        "cpu_level": "avx512",
        "counts": {
            "status": {"compared": len(verdicts), "unmatched": 0},
            "verdict": {name: verdicts.count(name) for name in ("pass", "inherited", "fail")},
        },
        "failing_modules": [{"module": "layers.0", "rows": 3}, {"module": "", "rows": 1}],
        "has_differences": True,
        "was_interrupted": False,
        "inputs_differ": [],
        "divergences": divergences,
        "divergence_count": len(divergences),
        "outputs": [{"sentence": "lm_head: RED 0.021, cosine 0.9998, argmax differs in 1 of 16."}],
        "reach": ["The answer is about 1040 of 5736 tensors."],
        "notes": ["golden: the newest of 3 runs was taken.", "my: 2 files of an aborted dump."],
    }
