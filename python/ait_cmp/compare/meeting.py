"""Two dumps -> which of their steps meet, with what their files say where names leave a choice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cache

from ait_cmp.align.choices import Choices, read_pairs
from ait_cmp.align.graph_choice import node_score
from ait_cmp.align.graph_texts import GraphTexts
from ait_cmp.align.steps import Alignment, align
from ait_cmp.compare.evidence import FileEvidence
from ait_cmp.discover import DumpTree, StepKey
from ait_cmp.discover.runs import number_ranges
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import read_ge_step
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.readers import Readers, core_readers, remembering
from ait_cmp.pairing.repeat import EarlySteps
from ait_cmp.pairing.step import Golden, pair_step


def meet(
    my: DumpTree,
    golden: DumpTree,
    texts: GraphTexts,
    *,
    pairs: Sequence[str] = (),
    offset: int | None = None,
    threads: int = 1,
) -> tuple[Alignment, EarlySteps]:
    """Pair the ranks, graphs and steps of two dumps.

    Args:
        my: Dump under test.
        golden: Reference.
        texts: Graph texts of both.
        pairs: MY=GOLDEN, parts of the dumps that meet because the user says so.
        offset: My step s meets golden step s + offset because the user says so.
        threads: Threads for reading headers.

    Returns:
        What meets what, and the steps that were paired to tell it.

    Raises:
        ConfigError: One of `pairs` names no part, or several.
    """
    readers = remembering(core_readers(threads))

    def context_of(key: StepKey) -> GraphContext | None:
        return texts.context(key.rank, key.graph, (file.op_name for file in my.ge[key]))

    early = EarlySteps(readers)

    def pair(my_key: StepKey, golden_key: StepKey) -> StepPairs:
        context = context_of(my_key)

        def pair_anew(recorded: Readers) -> StepPairs:
            step: Golden
            if golden.kind == "fx":
                step = FxStep(golden.fx[golden_key])
            else:
                step = read_ge_step(golden.ge[golden_key], context, recorded)
            return pair_step(my_key, my.ge[my_key], step, context, recorded)

        return early.pair(my_key, golden_key, pair_anew)

    @cache
    def named_nodes(key: StepKey) -> frozenset[str]:
        context = context_of(key)
        return frozenset() if context is None else context.named_nodes

    evidence = FileEvidence(my, golden, context_of, pair, readers)
    try:
        alignment = align(
            my,
            golden,
            score=node_score(golden, named_nodes) if golden.kind == "fx" else None,
            evidence=evidence,
            choices=Choices(read_pairs(pairs, my, golden), offset),
        )
        return alignment, early
    finally:
        evidence.forget()


def golden_of_wish(golden: DumpTree, ranks: Collection[int] | None) -> DumpTree:
    """The golden dump as far as ranks were asked for.

    A dump of one rank stands for whatever rank is asked for: which step and rank it meets, the
    alignment tells.
    """
    there = {key.rank for key in golden.step_keys()}
    if ranks is None or len(there) <= 1:
        return golden
    missing = set(ranks) - there
    note = (
        f"{golden.root}: there is no rank {number_ranges(missing)} in this dump; it has "
        f"{number_ranges(there)}."
    )
    return replace(
        golden,
        ge={key: files for key, files in golden.ge.items() if key.rank in ranks},
        fx={key: files for key, files in golden.fx.items() if key.rank in ranks},
        notes=[*golden.notes, *([note] if missing else [])],
    )


def without_unmet_steps(golden: DumpTree, alignment: Alignment) -> tuple[DumpTree, Alignment]:
    """The golden steps that meet one: where steps were asked for, the others were not."""
    met = {pair.golden for pair in alignment.steps}
    return (
        replace(
            golden,
            ge={key: files for key, files in golden.ge.items() if key in met},
            fx={key: files for key, files in golden.fx.items() if key in met},
        ),
        replace(alignment, golden_steps_only=[]),
    )
