"""Steps of a graph repeat: what was paired for one holds for the next where pairing sees the same.

Pairing looks at the names of the files, at their order, and at what its readers answer. A step
whose files have the same names (but for times), and of which the readers say the same, has the
same pairs with its own paths in them. Any other step is paired anew: nothing tells what a
difference would change. What planning paired, to see which steps meet, is not paired again either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter, eq
from typing import Any, Callable, NamedTuple, Union

import numpy as np

from ait_cmp import _core
from ait_cmp.discover import FxFile, GeFile, StepKey
from ait_cmp.errors import FormatError
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.pairing.readers import Readers
from ait_cmp.tensor_ref import FileRef, TensorRef

Files = Sequence[Union[GeFile, FxFile]]

# (name of a reader, its arguments; several files are a tuple)
_Question = tuple[object, ...]
_UNREADABLE = object()  # an answer that equals no other

# Rows of steps that planning paired and that are kept; of many graphs the first ones.
_N_EARLY_ROWS = 20_000

_GE_NAME = attrgetter("op_type", "op_name", "thread_id", "kind")
_FX_NAME = attrgetter("node", "target", "io", "index", "sub_index", "kind")


class _Paired(NamedTuple):
    """A step that was paired.

    Attributes:
        graph: Its rank and graph.
        names: What pairing sees of the names of its files, a list for each sort of files.
        paths: Their paths.
        answers: All that pairing asked the readers, and what they said.
        step: What it found.
    """

    graph: tuple[int, str]
    names: list[list[tuple[object, ...]]]
    paths: list[str]
    answers: dict[_Question, Any]
    step: PairedStep

    def is_named(self, graph: tuple[int, str], names: list[list[tuple[object, ...]]]) -> bool:
        """Whether it is of this graph, with these names."""
        return self.graph == graph and self.names == names


class EarlyPairs(NamedTuple):
    """A step as planning paired it.

    Attributes:
        step: Its pairs.
        asked: All that pairing asked the readers, and what they said.
    """

    step: StepPairs
    asked: dict[_Question, Any]


class EarlySteps:
    """Steps that planning pairs to see which of them meet; each is taken once by who compares it.

    The first is kept whatever its size, as comparing would begin with it, the next ones as far as
    all together stay small.
    """

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._kept: dict[tuple[StepKey, StepKey], EarlyPairs] = {}
        self._n_rows = 0

    def pair(
        self, my: StepKey, golden: StepKey, pair_anew: Callable[[Readers], StepPairs]
    ) -> StepPairs:
        """Pair a step; all that `pair_anew` reads of files it must ask the readers it is given."""
        asked: dict[_Question, Any] = {}
        step = pair_anew(_Answers(self._readers).recorded(asked))
        self._n_rows += len(step.pairs)
        if not self._kept or self._n_rows <= _N_EARLY_ROWS:
            self._kept[my, golden] = EarlyPairs(step, asked)
        return step

    def take(self, my: StepKey, golden: StepKey) -> EarlyPairs | None:
        """The step if it was paired with this golden step and nobody took it."""
        return self._kept.pop((my, golden), None)


class Repeats:
    """Pairs steps graph by graph in order, each like the one before if it repeats it."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._before: _Paired | None = None

    def pair(
        self,
        key: StepKey,
        files: Sequence[Files],
        pair_anew: Callable[[Readers], StepPairs],
        early: EarlyPairs | None = None,
    ) -> PairedStep:
        """Pair a step.

        Args:
            key: Rank, graph and step of the my side.
            files: Its files by sort: those of the my side, those of FX, those of a golden GE dump.
            pair_anew: Pairs the step if it does not repeat the one before; all that it reads of
                files it must ask these readers.
            early: The step as planning paired it, if `pair_anew` begins with that.
        """
        graph = (key.rank, key.graph)
        names = [_names(of_a_sort) for of_a_sort in files]
        paths = [file.path for of_a_sort in files for file in of_a_sort]
        asked: dict[_Question, Any] = {} if early is None else early.asked
        answers = _Answers(self._readers, asked)
        if self._before is not None and self._before.is_named(graph, names):
            path_of = dict(zip(self._before.paths, paths))
            if answers.are_alike(self._before.answers, path_of):
                return self._before.step.repeated(key, path_of, answers.headers())
        step = PairedStep(pair_anew(answers.recorded(asked)), answers.headers())
        # Where a file is on both sides its path does not tell which of them a pair means.
        is_clear = len(set(paths)) == len(paths)
        self._before = _Paired(graph, names, paths, asked, step) if is_clear else None
        return step


def _names(files: Files) -> list[tuple[object, ...]]:
    """What names say but for times, and which neighbours have one time: they are sorted by it.

    Args:
        files: All of one sort.
    """
    if not files or isinstance(files[0], GeFile):
        return list(map(_GE_NAME, files))
    times = [file.timestamp for file in files]
    return [*map(_FX_NAME, files), tuple(map(eq, times, times[1:]))]


class _Answers:
    """The answers of readers on one step; no question is put to them twice.

    Args:
        readers: Who is asked.
        asked: What was asked before, and the answers.
    """

    def __init__(self, readers: Readers, asked: Mapping[_Question, Any] | None = None) -> None:
        self._readers = readers
        asked = asked or {}
        self._known = {one: said for one, said in asked.items() if said is not _UNREADABLE}

    def _ask(self, question: _Question) -> Any:
        if question not in self._known:
            reader, *arguments = question
            self._known[question] = getattr(self._readers, str(reader))(*arguments)
        return self._known[question]

    def are_alike(self, others: Mapping[_Question, Any], path_of: Mapping[str, str]) -> bool:
        """Whether the same questions have the same answers.

        Args:
            others: Questions on another step, and their answers.
            path_of: Path of a file of the other step -> path of its like in this one.
        """
        try:
            return all(
                _is_equal(self._ask(_on_this_step(question, path_of)), answer)
                for question, answer in others.items()
            )
        except (FormatError, OSError):
            return False

    def headers(self) -> list[_core.GeHeaders]:
        """The headers of GE dumps that were read."""
        return [found for found in self._known.values() if isinstance(found, _core.GeHeaders)]

    def recorded(self, asked: dict[_Question, Any]) -> Readers:
        """Readers that write down in `asked` what they are asked and what they answer."""

        def recorded(reader: str) -> Callable[..., Any]:
            def ask(*arguments: Any) -> Any:
                question = (reader, *(tuple(a) if isinstance(a, list) else a for a in arguments))
                asked[question] = _UNREADABLE
                asked[question] = self._ask(question)
                return asked[question]

            return ask

        readers: dict[str, Any] = {name: recorded(name) for name in Readers._fields[:-1]}
        return Readers(**readers, threads=self._readers.threads)


def _is_equal(answer: Any, other: Any) -> bool:
    if isinstance(answer, _core.GeHeaders):
        return isinstance(other, _core.GeHeaders) and answer.is_like(other)
    if isinstance(answer, np.ndarray):
        is_alike = isinstance(other, np.ndarray) and answer.dtype == other.dtype
        return is_alike and np.array_equal(answer, other, equal_nan=True)
    return bool(answer == other)


def _on_this_step(question: _Question, path_of: Mapping[str, str]) -> _Question:
    reader, *arguments = question
    return (reader, *(_on_this_path(argument, path_of) for argument in arguments))


def _on_this_path(argument: Any, path_of: Mapping[str, str]) -> Any:
    if isinstance(argument, (FileRef, TensorRef)):
        return argument._replace(path=path_of[argument.path])
    if isinstance(argument, tuple):  # of files: those of a whole step, so made the short way
        return tuple([FileRef(path_of[path], kind) for path, kind in argument])
    return argument
