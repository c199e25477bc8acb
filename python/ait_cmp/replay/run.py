"""`ait_cmp.replay`: a dump -> rows, step by step."""

from __future__ import annotations

import fnmatch
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Union

from ait_cmp.align.graph_texts import GraphTexts
from ait_cmp.config import Limits, one_or_several_numbers, one_or_several_texts, thread_count
from ait_cmp.discover import DumpTree, StepKey, discover
from ait_cmp.discover.scan import size_of
from ait_cmp.errors import ConfigError
from ait_cmp.pairing.ge_step import GeOp, read_ge_step
from ait_cmp.pairing.readers import core_readers
from ait_cmp.replay.op_texts import OpTexts
from ait_cmp.replay.references import REFERENCES, Reference
from ait_cmp.replay.result import Replay, WrongOp
from ait_cmp.replay.rows import COLUMNS, ReplayRow, csv_lines, rows_of, table_lines
from ait_cmp.replay.step import StepReplay
from ait_cmp.replay.user_references import load_references
from ait_cmp.report.interrupts import interrupts_held
from ait_cmp.report.report_files import RankFiles, ReportNames
from ait_cmp.terms import ByteProgress

PathText = Union[str, Path]
# Called with (outputs done, outputs known so far).
Progress = Callable[[int, int], None]


def replay(
    dump: PathText,
    *,
    ops: str | Sequence[str] | None = None,
    tokens: int | Sequence[int] | None = None,
    ranks: int | Sequence[int] | None = None,
    output: PathText | None = None,
    references: str | Sequence[str] = (),
    limits: Limits | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
    export: PathText | None = None,
) -> Replay:
    """Recompute every operator of a GE dump from its own dumped inputs.

    Args:
        dump: Folder of the dump, at any level of its tree.
        ops: Only ops whose name fits one of these patterns, or this one (`MatMul_*`).
        tokens: Only these steps, counted from 0, or this one.
        ranks: Only these ranks, or this one.
        output: Folder for the CSV, made if missing; None writes no file.
        references: Python files with references of your own, one or several, see the README.
        limits: What honest rounding may do; None takes the defaults.
        threads: Threads for reading headers; None takes all cores that the process may use.
        progress: Called with (outputs done, outputs known so far).
        export: Folder for what somebody else needs to see of the wrong ops, or of those that
            `ops` names; None writes nothing.

    Returns:
        Rows, wrong ops and edges. Ctrl-C ends it early with `was_interrupted` set.

    Raises:
        ConfigError: A folder, a file or an argument is wrong.

    Example:
        >>> found = ait_cmp.replay("ait-cmp-demo/ge_wrong", tokens=0)
        >>> [(one.row.op_name, round(one.row.own_growth)) for one in found.wrong]
        [('MatMul_3', 72)]
        >>> found.counts
        {'right': 95, 'wrong': 1, 'not_replayed': 0}
    """
    known: Mapping[str, Reference] = {
        **REFERENCES,
        **load_references(one_or_several_texts(references, "references")),
    }
    tree = discover(
        dump,
        ranks=None if ranks is None else one_or_several_numbers(ranks, "ranks"),
        tokens=None if tokens is None else one_or_several_numbers(tokens, "tokens"),
    )
    if tree.kind != "ge":
        message = f"{dump}: a GE dump expected, found an FX dump: only GE operators are replayed"
        raise ConfigError(message)
    patterns = None if ops is None else one_or_several_texts(ops, "ops")
    run = _Run(tree, known, limits or Limits(), patterns, thread_count(threads), progress)
    run.export = None if export is None else Path(export)
    files = None if output is None else _files(Path(output))
    if files is None:
        return run.replay(None)
    with closing(files):
        return run.replay(files)


def _files(folder: Path) -> RankFiles:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"output folder {folder} cannot be made: {error.strerror}"
        raise ConfigError(message) from error
    names = ReportNames(folder, time.localtime(), "replay")
    return RankFiles(names, ".csv", table_lines([COLUMNS]))


class _Run:
    """One replay in progress."""

    def __init__(
        self,
        tree: DumpTree,
        references: Mapping[str, Reference],
        limits: Limits,
        patterns: Sequence[str] | None,
        threads: int,
        progress: Progress | None,
    ) -> None:
        self._tree = tree
        self._texts = GraphTexts([tree])
        self._references = references
        self._limits = limits
        self._patterns = patterns
        self._readers = core_readers(threads)
        self._progress = progress
        self._graphs: dict[tuple[int, str], OpTexts | None] = {}
        self._result = Replay()
        self._n_known = 0
        # Bytes of the files that are wanted, and of those read so far.
        self._sizes: dict[str, int] = {}
        self._n_read = 0
        self._byte_progress = progress if isinstance(progress, ByteProgress) else None
        if self._byte_progress is not None:
            files = (file for step in tree.ge.values() for file in step)
            wanted = (file.path for file in files if self._is_named(file.op_name))
            self._sizes = {path: size_of(path) for path in wanted}
        self._n_bytes = sum(self._sizes.values())
        self._notes: list[str] = []
        self.export: Path | None = None

    def replay(self, files: RankFiles | None) -> Replay:
        result = self._result
        try:
            for key, step in self._steps():
                self._replay_step(key, step, files)
        except KeyboardInterrupt:
            result.was_interrupted = True
        result.notes = [*self._tree.notes, *self._texts.notes, *self._notes]
        if self._patterns and not result.rows and not result.was_interrupted:
            result.notes.append(f"No operator has a name that fits {' or '.join(self._patterns)}.")
        result.csv_paths = list(files.paths) if files is not None else []
        return result

    def _steps(self) -> Iterator[tuple[StepKey, StepReplay]]:
        """Steps in order; each knows the one before of its graph, for what it left behind."""
        before: dict[tuple[int, str], StepReplay] = {}
        for key in self._tree.step_keys():
            files = self._tree.ge[key]
            context = self._texts.context(key.rank, key.graph, (file.op_name for file in files))
            texts = self._op_texts(key)
            step = StepReplay(
                read_ge_step(files, context, self._readers),
                texts,
                self._limits,
                before.get((key.rank, key.graph)),
            )
            before[key.rank, key.graph] = step
            self._n_known += sum(len(op.outputs) for op in step.ops if self._is_wanted(op))
            yield key, step

    def _op_texts(self, key: StepKey) -> OpTexts | None:
        graph = (key.rank, key.graph)
        if graph not in self._graphs:
            source = self._texts.source(*graph)
            context = self._texts.context(*graph, ())
            self._graphs[graph] = None
            if source is not None and context is not None:
                texts = OpTexts(*source, context.graph, self._references)
                if not self._patterns:
                    texts.read(range(len(context.graph.ops)))
                self._graphs[graph] = texts
        return self._graphs[graph]

    def _is_wanted(self, op: GeOp) -> bool:
        return self._is_named(op.name)

    def _is_named(self, name: str) -> bool:
        patterns = self._patterns
        return not patterns or any(fnmatch.fnmatchcase(name, one) for one in patterns)

    def _tell(self, op: GeOp) -> None:
        """Tell who looks on that an op is done."""
        if self._byte_progress is not None:
            # The name of a file that is called by a hash is known only now.
            path = op.file.path
            self._n_read += self._sizes[path] if path in self._sizes else size_of(path)
            self._byte_progress.tell_bytes(self._n_read, max(self._n_read, self._n_bytes))
        if self._progress is not None:
            self._progress(len(self._result.rows), self._n_known)

    def _replay_step(self, key: StepKey, step: StepReplay, files: RankFiles | None) -> None:
        n_right = 0
        for op in step.ops:
            if not self._is_wanted(op):
                continue
            found = step.replay(op)
            rows = rows_of(key, found)
            with interrupts_held():  # rows, counts and the CSV tell the same after Ctrl-C
                self._result.rows.extend(rows)
                self._result.edges.extend(found.differences)
                if files is not None and rows:
                    files.append(key.rank, [csv_lines([row]) for row in rows])
                n_right += self._count(step, op, rows, n_right)
            self._export(key, step, op, rows)
            self._tell(op)

    def _count(self, step: StepReplay, op: GeOp, rows: Sequence[ReplayRow], n_right: int) -> int:
        """1 for an op that is right; a wrong one is remembered."""
        wrong = [row for row in rows if row.status == "wrong"]
        if wrong:
            worst = max(wrong, key=lambda row: row.own_growth or 0.0)
            self._result.wrong.append(WrongOp(worst, n_right, step.cause(op, worst.index)))
        return int(not wrong and any(row.status == "right" for row in rows))

    def _export(self, key: StepKey, step: StepReplay, op: GeOp, rows: Sequence[ReplayRow]) -> None:
        """What somebody else needs to see: of the wrong ops, or of those that were asked for."""
        is_wrong = any(row.status == "wrong" for row in rows)
        if self.export is None or not (is_wrong or self._patterns):
            return
        sentence = self._result.wrong[-1].sentence if is_wrong else rows[0].reason if rows else ""
        rank = "" if key.rank < 0 else f"rank{key.rank}."
        name = f"{op.name}.{rank}{key.graph}.{key.step}"
        home = step.export(op, self.export, name, sentence or f"{op.name} is right.")
        note = f"{op.name} cannot be exported: it is fused, or a value is missing."
        if home is None:
            self._notes.append(note)
        else:
            self._notes.append(f"{op.name} is exported to {home}.")
