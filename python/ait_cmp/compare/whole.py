"""What a run says beside its graphs: of both dumps, of what met nothing, of its options."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from ait_cmp.compare.plan import Plan
from ait_cmp.discover import StepKey
from ait_cmp.report import sanity
from ait_cmp.report.comparison import Comparison, one_run
from ait_cmp.report.notes import Note, in_order
from ait_cmp.report.packed_texts import PackedTexts
from ait_cmp.report.tally import GoldenSeen, UnmetStep


@dataclass
class PlanFacts:
    """What a plan says of its two dumps.

    Attributes:
        my_root: The folder under test.
        golden_root: The reference.
        first_rank: The first rank of the my side.
        notes: Sentences on what was chosen, and on what looks wrong.
        unread: Sentences on what could not be read.
        refused: Sentences on graph texts of another model.
        golden: What was seen of the golden dump.
        unused: Golden tensors of steps that nothing meets.
    """

    my_root: str
    golden_root: str
    first_rank: int
    notes: list[Note]
    unread: list[Note]
    refused: list[Note]
    golden: GoldenSeen
    unused: list[str]


def facts_of(plan: Plan, unmet: Iterable[tuple[StepKey, Sequence[str]]]) -> PlanFacts:
    """The facts of a plan; graph texts that nobody has asked for yet are not read for it.

    Args:
        plan: The plan.
        unmet: Golden steps that no my step meets, with their tensors.
    """
    first = plan.first_rank
    trees = sanity.warn_of_trees(plan.my, plan.golden, plan.alignment)
    golden, unused = plan.golden_seen, list[str]()
    for key, tensors in unmet:
        golden.unmet.append(UnmetStep(key.rank, key.graph, key.step, len(tensors)))
        unused += tensors
    return PlanFacts(
        plan.my.root,
        plan.golden.root,
        first,
        [*plan.notes, *(Note("capture", first, "", text) for text in trees)],
        plan.unread,
        [Note("rows", rank, graph, text) for (rank, graph), text in plan.refused.items()],
        golden,
        unused,
    )


def complete(
    result: Comparison,
    facts: Sequence[PlanFacts],
    filter_notes: Sequence[str],
    patterns: Sequence[str] | None,
) -> None:
    """Add to what the graphs of a run say what it says as a whole.

    Args:
        result: All graphs.
        facts: Of each plan that was followed.
        filter_notes: Sentences on patterns that nothing fits.
        patterns: Names of the ops that were wanted, None: all.
    """
    tally, first = result.tally, min(one.first_rank for one in facts)
    golden = GoldenSeen()
    for one in facts:
        golden = golden.merged(one.golden)
    unused = (one.unused for one in facts)
    result.unused_golden = PackedTexts(chain(result.unused_golden, *unused))
    tally.golden = golden
    result.counts.golden["unused"] += golden.n_unmet
    run_notes = [Note("filter", first, "", text) for text in filter_notes]
    run_notes += _notes_of_filter(result, first, patterns)
    tally.notes = list(
        in_order([*(note for one in facts for note in one.notes), *tally.notes, *run_notes])
    )
    tally.unread = list(in_order([*(note for one in facts for note in one.unread), *tally.unread]))
    tally.refused = list(in_order(note for one in facts for note in one.refused))
    if result.run is not None:
        tally.runs = [one_run(result.run, sorted(result.counts.ranks))]
    result.tell()


def _notes_of_filter(
    result: Comparison, first_rank: int, patterns: Sequence[str] | None
) -> list[Note]:
    if not patterns or result.was_interrupted or not result.divergences:
        return []
    names = " or ".join(patterns)
    text = (
        f"Only operators that fit {names} were compared: what feeds them is not known, and "
        "the first divergence may lie before."
    )
    return [Note("reach", first_rank, "", text)]
