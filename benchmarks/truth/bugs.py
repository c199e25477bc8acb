"""The table of planted bugs: what is wrong, in which operators, in which way."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from benchmarks.truth import changes as wrong
from benchmarks.truth import find_ops as find
from benchmarks.truth.evaluate import Change
from benchmarks.truth.ge_graph import Op


@dataclass(frozen=True)
class Kind:
    """A kind of bug.

    Args:
        name: What is wrong.
        find: Which ops can have it.
        change: What they compute.
        is_hidden: The op writes no dump file.
    """

    name: str
    find: find.Find
    change: Change
    is_hidden: bool = False


KINDS = (
    # any operator
    Kind("scale_1.2", find.floats, wrong.scaled(1.2)),
    Kind("scale_1.05", find.floats, wrong.scaled(1.05)),
    Kind("scale_1.01", find.floats, wrong.scaled(1.01)),
    Kind("scale_1.003", find.product, wrong.scaled(1.003)),
    Kind("scale_0.25", find.product, wrong.scaled(0.25)),
    Kind("token_zero", find.floats, wrong.token(torch.zeros_like)),
    Kind("token_scaled", find.floats, wrong.token(lambda y: 1.3 * y)),
    Kind("token_of_neighbour", find.product, wrong.token(lambda y: y.roll(1, -1))),
    Kind("channel_zero", find.product, wrong.channel(5, torch.zeros_like)),
    Kind("channel_scaled", find.norm_weight, wrong.channel(7, lambda y: 2 * y)),
    Kind("tile_zero", find.product, wrong.part(torch.zeros_like, "tile")),
    Kind("tile_of_other_values", find.product, wrong.part(lambda y: y.flip(0, 1), "tile")),
    Kind("tail_zero", find.floats, wrong.part(torch.zeros_like, "tail")),
    Kind("row_scaled", find.floats, wrong.part(lambda y: 1.5 * y, "row")),
    Kind("element_far_off", find.floats, wrong.output(wrong.far_element)),
    Kind("saturated", find.product, wrong.output(wrong.saturated)),
    Kind("flushed", find.floats, wrong.output(wrong.flushed)),
    Kind("truncated", find.product, wrong.truncated(torch.bfloat16)),
    Kind("sums_in_bf16", find.product, wrong.coarse_sums(torch.bfloat16)),
    Kind("sums_in_fp16", find.product, wrong.coarse_sums(torch.float16)),
    Kind("one_nan", find.floats, wrong.output(wrong.not_a_number)),
    Kind("row_overflows", find.product, wrong.output(wrong.infinite_row)),
    Kind("no_file_scale_1.3", find.product, wrong.scaled(1.3), is_hidden=True),
    Kind("no_file_token_zero", find.residual, wrong.token(torch.zeros_like), is_hidden=True),
    # norms
    Kind("eps_1e-2", find.eps, wrong.input_scaled(1, 1000.0)),
    Kind("eps_too_large", find.eps, wrong.output(lambda y: y * 1.2)),
    Kind("norm_weight_missing", find.norm_weight, wrong.weightless),
    Kind("mean_of_padded", find.of_type("ReduceMean"), wrong.mean_of_padded),
    Kind("mean_of_part", find.of_type("ReduceMean"), wrong.mean_of_part),
    Kind("rough_rsqrt", find.of_type("Rsqrt"), wrong.function(wrong.rough_rsqrt)),
    Kind("square_forgotten", find.of_type("Pow"), wrong.function(torch.abs)),
    Kind("layer_norm_bias_missing", find.of_type("LayerNormV4"), wrong.inputs(
        lambda x: [*x[:3], torch.zeros_like(x[3])])),
    # attention
    Kind("mask_off_by_one", find.mask, wrong.shifted(1, 1, -1)),
    Kind("mask_of_one_head", find.mask, wrong.mask_of_one_head_missing),
    Kind("mask_missing_in_rows", find.mask, wrong.mask_of_last_rows_missing),
    Kind("mask_missing", find.mask, wrong.only(0)),
    Kind("scores_scale", find.scale_of_scores, wrong.scaled(1.2)),
    Kind("scores_scale_missing", find.scale_of_scores, wrong.scaled(8.0)),
    Kind("softmax_tail", find.of_type("SoftmaxV2"), wrong.softmax_without_tail),
    Kind("softmax_without_max", find.of_type("SoftmaxV2"), wrong.softmax_without_max),
    Kind("softmax_wrong_axis", find.of_type("SoftmaxV2"), wrong.softmax_of_wrong_axis),
    Kind("heads_swapped", find.mixed, wrong.output(wrong.heads_swapped)),
    Kind("heads_of_scores_swapped", find.scores, wrong.output(wrong.heads_swapped)),
    Kind("heads_repeated_in_other_order", find.repeated_heads, wrong.output(
        wrong.heads_in_other_order)),
    Kind("values_shifted", find.mixed, wrong.shifted(1, 1, -2)),
    Kind("positions_off_by_one", find.rotary_cos, wrong.inputs(
        lambda x: [t.roll(1, 0) if t.ndim == 2 else t for t in x])),
    Kind("rotary_sign", find.of_type("Neg"), wrong.inputs(wrong.without_negation)),
    Kind("rotary_halves_exchanged", find.of_type("ConcatV2"), wrong.inputs(wrong.halves_exchanged)),
    Kind("concat_half_zero", find.of_type("ConcatV2"), wrong.inputs(wrong.half_zero)),
    # products, residuals, activations, embeddings, caches
    Kind("square_weight_transposed", find.square_weight, wrong.inputs(wrong.transposed_weight)),
    Kind("bias_missing", find.with_bias, wrong.inputs(wrong.without_bias)),
    Kind("residual_dropped", find.residual, wrong.only(1)),
    Kind("branch_dropped", find.residual, wrong.only(0)),
    Kind("residual_scaled", find.residual, wrong.input_scaled(0, 0.9)),
    Kind("residual_dropped_in_token", find.residual, wrong.only_in_token(1)),
    Kind("gelu_for_silu", find.of_type("Swish"), wrong.function(torch.nn.functional.gelu)),
    Kind("relu_for_gelu", find.of_type("Gelu"), wrong.function(torch.relu)),
    Kind("tanh_gelu", find.of_type("Gelu"), wrong.function(
        lambda x: torch.nn.functional.gelu(x, approximate="tanh"))),
    Kind("wrong_embedding_row", find.of_type("GatherV2"), wrong.inputs(wrong.wrong_row)),
    Kind("stale_slot", find.of_type("ScatterElements"), wrong.from_step(1, wrong.stale_slot)),
    Kind("slot_off_by_one", find.of_type("ScatterElements"), wrong.from_step(
        1, wrong.inputs(wrong.slot_off_by_one))),
    # quantised
    Kind("codes_clipped", find.of_type("DynamicQuant"), wrong.codes_clipped),
    Kind("codes_truncated", find.of_type("DynamicQuant"), wrong.codes_truncated),
    Kind("scale_of_other_row", find.of_type("DynamicQuant"), wrong.codes_of_wrong_scale),
    Kind("int8_product_scale_1.05", find.of_type("QuantBatchMatmulV3"), wrong.scaled(1.05)),
    Kind("int8_channel_scale", find.of_type("QuantBatchMatmulV3"), wrong.channel(
        3, lambda y: 4 * y)),
    Kind("int8_token_zero", find.of_type("QuantBatchMatmulV3"), wrong.token(torch.zeros_like)),
    Kind("int8_weight_scale_1.05", find.of_type("WeightQuantBatchMatmulV2"), wrong.scaled(1.05)),
    Kind("int8_weight_scale_1.01", find.of_type("WeightQuantBatchMatmulV2"), wrong.scaled(1.01)),
    Kind("int8_weight_row", find.of_type("WeightQuantBatchMatmulV2"), wrong.part(
        torch.zeros_like, "row")),
    Kind("swiglu_halves", find.of_type("SwiGlu"), wrong.inputs(
        lambda x: [torch.cat(x[0].chunk(2, -1)[::-1], -1)])),
    Kind("rms_gamma_missing", find.of_type("RmsNorm"), wrong.inputs(
        lambda x: [x[0], torch.ones_like(x[1])])),
    # experts
    Kind("second_choice_wrong", find.of_type("TopKV2"), wrong.second_choice_wrong),
    Kind("experts_exchanged", find.of_type("BatchMatMul"), wrong.inputs(
        wrong.weights_of_other_expert)),
    Kind("gates_not_normalised", find.of_type("RealDiv"), wrong.only(0)),
    # fused attention
    Kind("attention_scale_1.1", find.fused_attention, wrong.attention_scale(1.1)),
    Kind("attention_scale_2", find.fused_attention, wrong.attention_scale(2.0)),
    Kind("attention_mask_shifted", find.fused_attention, wrong.attention_mask_shifted),
    Kind("attention_heads_swapped", find.fused_attention, wrong.output(wrong.heads_swapped)),
)  # fmt: skip


@dataclass(frozen=True)
class Bug:
    """What is wrong in one dump.

    Args:
        name: Kind and op; of several bugs joined by "+".
        kinds: Kinds of the bugs.
        ops: The graph op of each.
        changes: Op -> change.
        hidden: Ops that write no file.
    """

    name: str
    kinds: tuple[str, ...]
    ops: tuple[str, ...]
    changes: dict[str, Change]
    hidden: frozenset[str] = frozenset()


def _pick(program: str, kind: Kind, graph: find.Graph) -> Op | None:
    """One of the ops that can have the bug, another one for another program."""
    found = [op for op in graph.ops if op.fed and kind.find(graph, op)]
    if not found:
        return None
    return found[zlib.crc32(f"{program} {kind.name}".encode()) % len(found)]


def single(program: str, graph: find.Graph) -> list[Bug]:
    """One bug of every kind that the graph can have."""
    bugs = []
    for kind in KINDS:
        op = _pick(program, kind, graph)
        if op is not None and (kind.name != "experts_exchanged" or "moe" in program):
            hidden = frozenset([op.name] if kind.is_hidden else [])
            bugs.append(
                Bug(
                    f"{kind.name}@{op.name}",
                    (kind.name,),
                    (op.name,),
                    {op.name: kind.change},
                    hidden,
                )
            )
    return bugs


def double(bugs: Sequence[Bug]) -> list[Bug]:
    """Two at once: a small early one before a large one, and two large ones."""
    by_kind = {bug.kinds[0]: bug for bug in bugs}
    pairs = (
        ("scale_1.05", "residual_dropped_in_token"),
        ("token_scaled", "scores_scale"),
        ("tile_zero", "gelu_for_silu"),
        ("scale_1.2", "tile_zero"),
        ("int8_product_scale_1.05", "int8_token_zero"),
    )
    found = []
    for first, second in pairs:
        if first in by_kind and second in by_kind:
            one, two = by_kind[first], by_kind[second]
            if one.ops != two.ops:
                found.append(
                    Bug(
                        f"{one.name}+{two.name}",
                        one.kinds + two.kinds,
                        one.ops + two.ops,
                        {**one.changes, **two.changes},
                    )
                )
    return found
