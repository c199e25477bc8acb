"""What is compared with what: two folders -> steps that meet, or the sentence why nothing does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ait_cmp.align.graph_choice import node_score
from ait_cmp.align.steps import Alignment, align
from ait_cmp.compare.graphs import GraphTexts
from ait_cmp.discover import DumpTree, StepKey, discover
from ait_cmp.discover.runs import name_list
from ait_cmp.errors import ConfigError
from ait_cmp.info.source import scan_ge
from ait_cmp.pairing.fx_step import FxStep
from ait_cmp.pairing.ge_step import read_ge_step
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.pair import StepPairs
from ait_cmp.pairing.paired_step import PairedStep
from ait_cmp.pairing.readers import Readers, core_readers
from ait_cmp.pairing.repeat import Repeats
from ait_cmp.pairing.step import pair_step

_NO_GRAPH_TEXT = (
    "{root}: no graph text dynamo_original_graph_*.txt found. It links GE operators with FX nodes; "
    "without it a GE dump cannot be compared with an FX dump. It is written beside the dump when "
    "the configuration comes from ait_cmp.dump.torchair_dump.get_ge_dump_config() "
    "(debug.graph_dump.type = 'txt'); copy it into {root}."
)


@dataclass
class Plan:
    """Two dumps side by side.

    Attributes:
        my: Dump under test.
        golden: Reference.
        alignment: Ranks, graphs and steps that meet.
        texts: Graph texts.
        threads: Threads for reading headers.
        steps: Every step of the my side with its golden step, None without one, in report order.
    """

    my: DumpTree
    golden: DumpTree
    alignment: Alignment
    texts: GraphTexts
    threads: int
    steps: list[tuple[StepKey, StepKey | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._repeats = Repeats(core_readers(self.threads))
        # Golden files of paired steps whose headers cannot be read -> why.
        self._lost_golden: dict[str, str] = {}

    @property
    def notes(self) -> list[str]:
        """Sentences of discovery, alignment and graph reading."""
        mine = [f"my: {note}" for note in self.my.notes]
        theirs = [f"golden: {note}" for note in self.golden.notes]
        return [*mine, *theirs, *self.alignment.notes, *self.texts.notes, *self._lost_notes()]

    def _lost_notes(self) -> list[str]:
        """My-side tensors may still meet theirs in the files of neighbours."""
        if not self._lost_golden:
            return []
        n = len(self._lost_golden)
        files = "a file that cannot" if n == 1 else f"{n} files that cannot"
        first = next(iter(self._lost_golden.values()))
        return [f"golden: the tensors of {files} be read are not counted; {first}."]

    def pair(self, my_key: StepKey, golden_key: StepKey | None) -> PairedStep:
        """Pair one step; without a golden step every tensor is unmatched."""
        files = self.my.ge[my_key]
        if golden_key is None:
            step = pair_step(my_key, files, FxStep([]), None, core_readers(self.threads))
            reason = self._why_alone(my_key)
            pairs = [
                pair if pair.status != "unmatched" else pair._replace(reason=reason)
                for pair in step.pairs
            ]
            return PairedStep(StepPairs(pairs))
        context = self.context(my_key)
        fx_files, ge_files = self.golden.fx.get(golden_key, []), self.golden.ge.get(golden_key, [])

        def pair_anew(readers: Readers) -> StepPairs:
            if self.golden.kind == "fx":
                return pair_step(my_key, files, FxStep(fx_files), context, readers)
            golden = read_ge_step(ge_files, context, readers)
            for op in golden.ops:
                if op.error is not None:
                    self._lost_golden[op.file.path] = op.error
            return pair_step(my_key, files, golden, context, readers)

        return self._repeats.pair(my_key, (files, fx_files, ge_files), pair_anew)

    def context(self, key: StepKey) -> GraphContext | None:
        """The graph of a my-side step."""
        return self.texts.context(key.rank, key.graph, (f.op_name for f in self.my.ge[key]))

    def named_nodes(self, key: StepKey) -> frozenset[str]:
        """FX nodes that the graph text of a my-side step names."""
        context = self.context(key)
        if context is None:
            return frozenset()
        return frozenset(name.node for names in context.graph.fx_names.values() for name in names)

    def unmet_golden(self) -> Iterator[list[str]]:
        """Tensors of every golden step that no my-side step meets."""
        met = {golden_key for _, golden_key in self.steps}
        for key in self.golden.step_keys():
            if key in met:
                continue
            if self.golden.kind == "fx":
                yield [file.path for file in self.golden.fx[key]]
                continue
            paths = [file.path for file in self.golden.ge[key]]
            yield [
                f"{path},{io},{index}"
                for path, scan in zip(paths, scan_ge(paths, self.threads))
                for io, heads in (("inputs", scan[2]), ("outputs", scan[3]))
                for index in range(len(heads))
            ]

    def _why_alone(self, key: StepKey) -> str:
        if key.rank in self.alignment.my_ranks_only:
            return f"The golden dump has no rank {key.rank}."
        if (key.rank, key.graph) in self.alignment.my_graphs_only:
            return f"The golden dump has no counterpart of {key.graph}."
        return f"The golden dump has no step {key.step} of {key.graph}."


def make_plan(
    my_path: str,
    golden_path: str,
    *,
    ranks: Sequence[int] | None,
    tokens: Sequence[int] | None,
    threads: int,
) -> Plan:
    """Find what both folders hold and what meets what.

    Raises:
        ConfigError: A folder is missing, holds no dump, or nothing of the two can meet.
    """
    my = discover(my_path, ranks=ranks, tokens=tokens)
    if my.kind != "ge":
        message = (
            f"{my_path}: a GE dump expected as the side under test, found an FX dump (swapped?)"
        )
        raise ConfigError(message)
    golden = discover(golden_path, ranks=ranks, tokens=tokens)
    texts = GraphTexts([my, golden])
    if golden.kind == "fx" and not any(tree.graph_files for tree in (my, golden)):
        raise ConfigError(_NO_GRAPH_TEXT.format(root=my.root))
    plan = Plan(my, golden, Alignment([], [], [], [], [], [], [], [], []), texts, threads)
    plan.alignment = align(
        my, golden, score=node_score(golden, plan.named_nodes) if golden.kind == "fx" else None
    )
    met = {pair.my: pair.golden for pair in plan.alignment.steps}
    plan.steps = [(key, met.get(key)) for key in my.step_keys()]
    if not met:
        message = f"Nothing to compare between {my_path} and {golden_path}. {_why_nothing(plan)}"
        raise ConfigError(message)
    return plan


def _why_nothing(plan: Plan) -> str:
    keys = plan.my.step_keys()
    if plan.golden.kind == "fx" and keys and not any(plan.named_nodes(key) for key in keys):
        paths = name_list(file.path for tree in (plan.my, plan.golden) for file in tree.graph_files)
        return " ".join(plan.texts.notes) or (
            f"No FX tensor (_fx_tensor_name) of these operators is named in {paths}: is the "
            "graph text cut short, or of another run?"
        )
    return " ".join(plan.notes) or "They have no step in common."
