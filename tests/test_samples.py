"""Real graphs with known truth: a clean dump raises no alarm, a wrong operator is named.

Graph texts and FX files were written by the genuine torchair running a small Llama; GE files were
made by evaluating the same graph. The fp16 sample is that of `ait-cmp demo` (two tokens, MatMul_3
disturbed in `ge_wrong`); the bf16 one has matmul tensors in FRACTAL_NZ and rounding noise at every
op (one token, Mul_9 disturbed in `ge_wrong_mul_9`).
"""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

import ait_cmp


@functools.cache
def compared(
    my: Path, golden: Path, replay: Literal["suspects", "all"] = "suspects"
) -> ait_cmp.Comparison:
    return ait_cmp.compare_dirs(my, golden, replay=replay)


def match_counts(result: ait_cmp.Comparison, token: int) -> Counter[str]:
    return Counter(row.match for row in result.rows if row.token_id == token)


def n_tensors(folder: Path) -> int:
    from ait_cmp import _core

    files = [str(path) for path in folder.rglob("*") if path.is_file() and path.suffix != ".txt"]
    return sum(len(scan[2]) + len(scan[3]) for scan in _core.scan_ge(files, 1))


def test_every_exact_counterpart_of_a_clean_fp16_dump_is_found_and_equal(sample: Path) -> None:
    result = compared(sample / "ge", sample / "fx")
    for token in (0, 1):
        assert match_counts(result, token)["dataflow"] == 155
    found = [row for row in result.rows if row.match == "dataflow"]
    assert min(row.cosine_similarity or 0 for row in found) > 0.999999
    assert result.counts.verdicts["fail"] == 0
    assert result.first_divergence == []
    assert not result.has_differences


def test_views_and_graph_inputs_are_paired_and_pass(sample: Path, bf16_sample: Path) -> None:
    for folder, n_around_views, tokens in ((sample, 33 + 52, 2), (bf16_sample, 64 + 98, 1)):
        result = compared(folder / "ge", folder / "fx")
        found = [row for row in result.rows if row.match in ("view", "argument")]
        assert len(found) >= 0.9 * n_around_views * tokens
        assert {row.verdict for row in found} == {"pass"}


def test_a_clean_bf16_dump_with_rounding_noise_raises_no_alarm(bf16_sample: Path) -> None:
    result = compared(bf16_sample / "ge", bf16_sample / "fx")
    assert match_counts(result, 0)["dataflow"] == 284
    assert result.counts.verdicts["fail"] == 0
    assert result.counts["shape_mismatch"] == 0
    assert result.first_divergence == []
    assert max(row.error_growth or 0 for row in result.rows) < 1.7
    assert result.replayed == {}


def test_every_output_of_a_clean_dump_is_right_when_all_are_replayed(
    sample: Path, bf16_sample: Path
) -> None:
    for folder in (sample, bf16_sample):
        result = compared(folder / "ge", folder / "fx", "all")
        outputs = [row for row in result.rows if row.io == "outputs"]
        assert all(row.own_growth is not None and row.own_growth < 1.5 for row in outputs)
        assert result.replayed.keys() == {"right"}
        assert not result.has_differences


def test_every_tensor_has_exactly_one_row_and_the_statuses_add_up(sample: Path) -> None:
    for side in ("ge", "ge_wrong"):
        result = compared(sample / side, sample / "fx")
        paths = [row.my_data_path for row in result.rows]
        assert len(paths) == len(set(paths)) == n_tensors(sample / side)
        assert sum(result.counts.values()) == result.counts.total == len(paths)


@pytest.mark.parametrize("golden", ["ge", "fx"])
def test_the_wrong_matmul_is_named_in_both_flows(sample: Path, golden: str) -> None:
    result = compared(sample / "ge_wrong", sample / golden)
    (found,) = result.first_divergence
    assert (found.token, found.op_name, found.op_type) == (0, "MatMul_3", "MatMul")
    assert found.replay == (
        "MatMul_3 (MatMul) does not compute a MatMul of its inputs: off by 0.035, 71.9 times its "
        "rounding, 228 of 256 elements."
    )
    assert result.replayed == {"wrong": 2}
    rows = [row for row in result.rows if row.token_id == 0]
    place = next(i for i, row in enumerate(rows) if row.op_name == "MatMul_3")
    assert {row.verdict for row in rows[:place]} <= {"pass", ""}


def test_fusion_against_no_fusion_pairs_names_and_the_edges_of_fused_ops(sample: Path) -> None:
    result = compared(sample / "ge_wrong", sample / "ge")
    assert result.counts["unmatched"] == 0
    for row in result.rows:
        is_fused = row.my_op_type == "AutomaticBufferFusionOp"
        assert row.match == ("fused" if is_fused else "name")


def test_a_wrong_op_without_an_fx_name_is_named_by_what_its_cast_keeps(bf16_sample: Path) -> None:
    result = compared(bf16_sample / "ge_wrong_mul_9", bf16_sample / "fx")
    assert {(found.op_name, found.kind) for found in result.divergences} == {("Mul_9", "block")}
    for found in result.divergences:
        assert "Mul_9 (Mul) does not compute a Mul of its inputs: off by" in (found.replay or "")
    rows = [row for row in result.rows if row.op_name == "Mul_9" and row.io == "outputs"]
    assert {row.match for row in rows} == {"view"}


def test_a_dump_against_itself_is_equal_in_every_metric(sample: Path) -> None:
    result = compared(sample / "ge", sample / "ge")
    assert result.counts["compared"] == result.counts.total
    for row in result.rows:
        assert (row.cosine_similarity, row.max_absolute_error, row.kl_divergence) == (1, 0, 0)
