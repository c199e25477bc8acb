"""The steps of a plan -> their pairs of tensors, one step after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ait_cmp.compare.plan import Plan
from ait_cmp.discover import GeFile, StepKey
from ait_cmp.info.source import GeScan, scan_ge
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import read_ge_step
from ait_cmp.pairing.graph.padding import Padding, several_paddings
from ait_cmp.pairing.padding import find_padding, trim_padding
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.pairing.readers import Readers, core_readers
from ait_cmp.pairing.repeat import EarlyPairs, Repeats
from ait_cmp.pairing.step import Golden, pair_step
from ait_cmp.report.notes import Note
from ait_cmp.terms import INPUTS_OUTPUTS


class StepPairer:
    """Pairs the steps of a plan; a step like the one before is not paired anew.

    Args:
        plan: What meets what.
        threads: Threads for reading headers.
        padding: Whether leading rows are compared where the my side is padded.
    """

    def __init__(self, plan: Plan, threads: int, *, padding: bool = True) -> None:
        self._plan = plan
        self._threads = threads
        self._leaves_out_padding = padding
        # (rank, graph) -> its paddings in the order of the steps.
        self._padding: dict[tuple[int, str], dict[Padding, None]] = {}
        self._repeats = Repeats(core_readers(threads))
        # (rank, graph) -> golden files that it met and whose headers cannot be read -> why.
        self._lost_golden: dict[tuple[int, str], dict[str, str]] = {}

    @property
    def notes(self) -> list[Note]:
        """What was padded, and golden files that cannot be read.

        My-side tensors may still meet theirs in the files of neighbours.
        """
        padded = [
            Note(
                "padding",
                rank,
                graph,
                f"{f'rank {rank}, ' if rank >= 0 else ''}{graph} is padded: "
                f"{several_paddings(found)} (--no-padding compares shapes as they are).",
            )
            for (rank, graph), found in self._padding.items()
        ]
        return padded + self._notes_of_lost_golden()

    def _notes_of_lost_golden(self) -> list[Note]:
        notes = []
        for (rank, graph), lost in self._lost_golden.items():
            files = "a file that cannot" if len(lost) == 1 else f"{len(lost)} files that cannot"
            first = next(iter(lost.values()))
            text = f"golden: the tensors of {files} be read are not counted; {first}."
            notes.append(Note("lost_golden", rank, graph, text))
        return notes

    def pair(self, my_key: StepKey, golden_key: StepKey | None) -> PairedStep:
        """Pair one step; without a golden step every tensor is unmatched."""
        if golden_key is None:
            return self._alone(my_key)
        plan = self._plan
        files, context = plan.my.ge[my_key], plan.context(my_key)
        fx_files, ge_files = plan.golden.fx.get(golden_key, []), plan.golden.ge.get(golden_key, [])

        early = None if plan.early is None else plan.early.take(my_key, golden_key)

        def pair_anew(readers: Readers) -> StepPairs:
            if plan.golden.kind == "fx":
                return self._pair(my_key, FxStep(fx_files), [], readers, early)
            golden = read_ge_step(ge_files, context, readers)
            for op in golden.ops:
                if op.error is not None:
                    lost = self._lost_golden.setdefault((my_key.rank, my_key.graph), {})
                    lost[op.file.path] = op.error
            return self._pair(my_key, golden, ge_files, readers, early)

        return self._repeats.pair(my_key, (files, fx_files, ge_files), pair_anew, early)

    def _pair(
        self,
        key: StepKey,
        golden: Golden,
        golden_files: Sequence[GeFile],
        readers: Readers,
        early: EarlyPairs | None,
    ) -> StepPairs:
        """A step against a golden step; where it is padded its leading rows are."""
        files, context = self._plan.my.ge[key], self._plan.context(key)
        step = early.step if early else pair_step(key, files, golden, context, readers)
        if not self._leaves_out_padding:
            return step
        padding = find_padding(step, files, golden_files, readers)
        if padding is None:
            return step
        self._padding.setdefault((key.rank, key.graph), {})[padding] = None
        step = pair_step(key, files, golden, context, readers, padding)
        return trim_padding(step, padding, files, golden_files, readers)

    def _alone(self, key: StepKey) -> PairedStep:
        readers = core_readers(self._threads)
        step = pair_step(key, self._plan.my.ge[key], FxStep([]), None, readers)
        reason, kind = self._plan.why_alone(key)
        pairs = [
            pair if pair.status != "unmatched" else pair._replace(reason=reason)
            for pair in step.pairs
        ]
        return PairedStep(StepPairs(pairs, misses=dict.fromkeys(step.misses, kind)))

    def unmet_golden(self) -> Iterator[tuple[StepKey, list[str]]]:
        """Tensors of every golden step that no my-side step meets."""
        golden = self._plan.golden
        for key in self._plan.unmet_golden_steps():
            if golden.kind == "fx":
                yield key, [file.path for file in golden.fx[key]]
                continue
            files = [file.ref for file in golden.ge[key]]
            tensors = [
                f"{file.path},{io},{index}"
                for file, scan in zip(files, map(GeScan._make, scan_ge(files, self._threads)))
                for io, heads in zip(INPUTS_OUTPUTS, (scan.inputs, scan.outputs))
                for index in range(len(heads))
            ]
            yield key, tensors
