"""What is compared with what: two folders -> steps that meet, or the sentence why nothing does."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ait_cmp.align.graph_texts import GraphTexts
from ait_cmp.align.steps import Alignment
from ait_cmp.compare.meeting import golden_of_wish, meet, without_unmet_steps
from ait_cmp.compare.read_ahead import ReadAhead
from ait_cmp.discover import DumpTree, StepKey, discover
from ait_cmp.discover.runs import name_list
from ait_cmp.errors import ConfigError
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.repeat import EarlySteps
from ait_cmp.report.notes import Note
from ait_cmp.report.tally import GoldenSeen
from ait_cmp.terms import MissKind, NotePlace

_NO_GRAPH_TEXT = (
    "{root}: no graph text dynamo_original_graph_*.txt found. It links GE operators with FX nodes; "
    "without it a GE dump cannot be compared with an FX dump. It is written beside the dump when "
    "the configuration comes from ait_cmp.dump.torchair_dump.get_ge_dump_config() "
    "(debug.graph_dump.type = 'txt'); copy it into {root}."
)


# A graph text and an FX dump of one model have all node names in common that both have.
_LEAST_COMMON = 0.5


@dataclass(frozen=True)
class Plan:
    """Two dumps side by side: complete when it is made, the same to the end of the run.

    Attributes:
        my: Dump under test.
        golden: Reference.
        alignment: Ranks, graphs and steps that meet.
        texts: Graph texts of both, read when a step asks for its own.
        steps: Every step of the my side with its golden step, None without one, in report order.
        refused: (rank, graph) whose graph text is of another model -> a sentence.
        early: Steps that were paired to tell what meets what, None where nobody did.
    """

    my: DumpTree
    golden: DumpTree
    alignment: Alignment
    texts: GraphTexts
    steps: tuple[tuple[StepKey, StepKey | None], ...]
    refused: Mapping[tuple[int, str], str] = field(default_factory=dict)
    early: EarlySteps | None = field(default=None, compare=False)

    @property
    def first_rank(self) -> int:
        """The lowest rank of the my side: what is said of the whole run is said with it."""
        return min((key.rank for key, _ in self.steps), default=-1)

    @property
    def notes(self) -> list[Note]:
        """Sentences of discovery, alignment and graph reading."""
        said = _notes(self.my, self.golden, self.alignment, self.texts)
        return [Note(place, self.first_rank, "", text) for place, text in said]

    @property
    def unread(self) -> list[Note]:
        """What of both dumps could not be read and has no row."""
        said: list[tuple[NotePlace, str]] = [
            *(("my", f"my: {sentence}") for sentence in self.my.unread),
            *(("golden", f"golden: {sentence}") for sentence in self.golden.unread),
            *(("graph_text", sentence) for sentence in self.texts.notes),
        ]
        return [Note(place, self.first_rank, "", text) for place, text in said]

    @property
    def golden_seen(self) -> GoldenSeen:
        """Ranks of the golden side, and those that nothing meets."""
        ranks = {key.rank for key in self.golden.step_keys()}
        return GoldenSeen(ranks, set(self.alignment.golden_ranks_only))

    def context(self, key: StepKey) -> GraphContext | None:
        """The graph of a my-side step."""
        return _context(self.my, self.texts, key)

    def unmet_golden_steps(self) -> list[StepKey]:
        """Golden steps that no my-side step meets."""
        met = {golden_key for _, golden_key in self.steps}
        return [key for key in self.golden.step_keys() if key not in met]

    def why_alone(self, key: StepKey) -> tuple[str, MissKind]:
        """Why a my-side step has no golden step."""
        if (key.rank, key.graph) in self.refused:
            return self.refused[key.rank, key.graph], "other_model"
        if key.rank in self.alignment.my_ranks_only:
            return f"The golden dump has no rank {key.rank}.", "alone"
        if (key.rank, key.graph) in self.alignment.my_graphs_only:
            return f"The golden dump has no counterpart of {key.graph}.", "alone"
        return f"The golden dump has no step {key.step} of {key.graph}.", "alone"


class _Listing:
    """A dump that is listed on a thread: a disk or network answers about both sides at a time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._tree: DumpTree | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._list, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the system gives none
            self._thread = None

    def _list(self) -> None:
        try:
            self._tree = discover(self._path)
        except BaseException as error:  # who asks for the tree gets it
            self._error = error

    def tree(self) -> DumpTree:
        """The dump; raises what `discover` raises."""
        if self._thread is not None:
            self._thread.join()
        elif self._tree is None and self._error is None:
            self._list()
        if self._tree is None:
            assert self._error is not None
            raise self._error
        return self._tree


def make_plan(
    my_path: str,
    golden_path: str,
    *,
    ranks: Sequence[int] | None,
    tokens: Sequence[int] | None,
    pairs: Sequence[str] = (),
    golden_token_offset: int | None = None,
    threads: int = 1,
    ahead: ReadAhead | None = None,
) -> Plan:
    """Find what both folders hold and what meets what.

    Args:
        my_path: Folder of the dump under test, at any level of its tree.
        golden_path: Folder of the reference.
        ranks: Only these ranks of the my side; None takes all that both sides have.
        tokens: Only these steps of the my side.
        pairs: MY=GOLDEN, folders of steps, graphs or ranks that meet whatever else they say.
        golden_token_offset: My step s meets golden step s + this; None if the dumps are to tell.
        threads: Threads for reading headers.
        ahead: Reads the files of both before they are asked for.

    Raises:
        ConfigError: A folder is missing, holds no dump, or nothing of the two can meet.
    """
    listed = _Listing(golden_path)
    my = discover(my_path, ranks=ranks, tokens=tokens)
    if my.kind != "ge" and listed.tree().kind == "fx":
        message = (
            f"{my_path} and {golden_path}: both are FX dumps. ait-cmp compares a GE dump with an "
            "FX dump, or two GE dumps; two tensors of FX dumps: ait-cmp diff A.npy B.npy"
        )
        raise ConfigError(message)
    if my.kind != "ge":
        message = (
            f"{my_path}: a GE dump expected as the side under test, found an FX dump (swapped?)"
        )
        raise ConfigError(message)
    golden = golden_of_wish(listed.tree(), ranks)
    texts = GraphTexts([my, golden])
    if golden.kind == "fx" and not any(tree.graph_files for tree in (my, golden)):
        raise ConfigError(_NO_GRAPH_TEXT.format(root=my.root))
    if ahead is not None:
        ahead.start(my, golden)
    alignment, early = meet(
        my, golden, texts, pairs=pairs, offset=golden_token_offset, threads=threads
    )
    if tokens is not None:
        golden, alignment = without_unmet_steps(golden, alignment)
    met = {pair.my: pair.golden for pair in alignment.steps}
    if not met:
        contexts = [_context(my, texts, key) for key in my.step_keys()]
        is_named = any(context is not None and context.named_nodes for context in contexts)
        if golden.kind == "fx" and contexts and not is_named:
            why = _why_no_names(my, golden, texts)
        else:
            said = [text for _, text in _notes(my, golden, alignment, texts)]
            why = " ".join(said) or "They have no step in common."
        message = f"Nothing to compare between {my_path} and {golden_path}. {why}"
        raise ConfigError(message)
    refused = _refuse(met, my, golden, texts) if golden.kind == "fx" else {}
    met = {key: other for key, other in met.items() if (key.rank, key.graph) not in refused}
    if not met:
        raise ConfigError(" ".join(refused.values()))
    steps = tuple((key, met.get(key)) for key in my.step_keys())
    return Plan(my, golden, alignment, texts, steps, refused, early)


def _refuse(
    met: Mapping[StepKey, StepKey], my: DumpTree, golden: DumpTree, texts: GraphTexts
) -> dict[tuple[int, str], str]:
    """Graphs whose text names other FX nodes than the FX dump holds: it is of another model."""
    refused = {}
    seen = set()
    for key, golden_key in met.items():
        if (key.rank, key.graph) in seen:
            continue
        seen.add((key.rank, key.graph))
        context = _context(my, texts, key)
        named = frozenset() if context is None else context.named_nodes
        dumped = {file.node for file in golden.fx[golden_key]}
        n_common, n_fewer = len(named & dumped), min(len(named), len(dumped))
        if n_common < _LEAST_COMMON * n_fewer:
            refused[key.rank, key.graph] = (
                f"The graph text of {key.graph} and the FX dump have {n_common} node names in "
                f"common, of {len(named)} and {len(dumped)}: the text is of another model or "
                "capture."
            )
    return refused


def _notes(
    my: DumpTree, golden: DumpTree, alignment: Alignment, texts: GraphTexts
) -> list[tuple[NotePlace, str]]:
    return [
        *(("my", f"my: {note}") for note in my.notes),
        *(("golden", f"golden: {note}") for note in golden.notes),
        *(("alignment", note) for note in alignment.notes),
        *(("graph_text", note) for note in texts.notes),
    ]


def _context(my: DumpTree, texts: GraphTexts, key: StepKey) -> GraphContext | None:
    return texts.context(key.rank, key.graph, (file.op_name for file in my.ge[key]))


def _why_no_names(my: DumpTree, golden: DumpTree, texts: GraphTexts) -> str:
    paths = name_list(file.path for tree in (my, golden) for file in tree.graph_files)
    return " ".join(texts.notes) or (
        f"No FX tensor (_fx_tensor_name) of these operators is named in {paths}: is the "
        "graph text cut short, or of another run?"
    )
