"""Rules `argument` and `literal`: which INPUT file of an FX node a graph input or constant is.

An FX node's INPUT files are numbered by its signature, GE inputs by another one, and the FX dump
leaves keyword arguments out: position proves nothing. Shape, type and the arguments that are known
otherwise must leave one answer; of several that are alike, values decide, and only then order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

from ait_cmp.discover import FxFile
from ait_cmp.errors import FormatError
from ait_cmp.pairing.fx_step import FxNode, FxStep, operator_of
from ait_cmp.pairing.ge_step import GeStep
from ait_cmp.pairing.graph.context import GraphContext
from ait_cmp.pairing.graph.index import RESHAPE_TYPES, GraphTensor
from ait_cmp.pairing.graph.padding import Padding
from ait_cmp.pairing.graph.slots import Shape
from ait_cmp.pairing.readers import (
    Readers,
    Values,
    are_equal_rounded,
    is_stored_transposed,
    is_wider,
    rounded,
)
from ait_cmp.pairing.rules.fx_argument import ArgumentFile, FoundArgument
from ait_cmp.pairing.rules.literal import literal_answers, value_key
from ait_cmp.pairing.rules.match import Match, Miss
from ait_cmp.tensor_ref import TensorRef

# Ops that hand their input on, values in order; an FX node made of nothing else equals its input.
_PASSING_TYPES = RESHAPE_TYPES | {"Identity", "TensorMove", "Cast", "BroadcastTo", "Expand", "Tile"}

# FX operators that may hand their input on, so that their conversion may make no op at all: then
# the name of the node overwrites that of the node before, and the ops were made for that one.
_PASSING_OPERATORS = frozenset(
    {"alias", "broadcast_to", "clone", "contiguous", "copy", "detach", "dropout", "expand"}
    | {"lift", "lift_fresh", "lift_fresh_copy", "native_dropout", "permute", "repeat", "reshape"}
    | {"slice", "squeeze", "t", "to", "transpose", "type_as", "unsqueeze", "view", "expand_as"}
    | {"_reshape_alias", "_to_copy", "_unsafe_view", "npu_dtype_cast", "npu_format_cast"}
)

# Files of one type and shape are told by so many of their first values before all are compared,
# and so many that begin alike are tried for a tensor.
_START = 8
_MOST_TRIES = 64

# Whole numbers of this many elements or fewer look like literal arguments (sizes, dims).
_MAX_LITERAL = 16


Head = tuple[str, Shape]


class _Asked:
    """The arguments of one FX node by their shapes, so that each is looked at once.

    Attributes:
        node: The node.
        alike: (type, shape) -> arguments that only an INPUT file can show.
        taken: Paths of files that are an argument already.
    """

    def __init__(self, node: FxNode, files: Sequence[ArgumentFile], is_padded: bool) -> None:
        """With padding a file may have another shape than its tensor: all are looked at."""
        self.node = node
        self.alike: dict[Head | None, list[GraphTensor]] = {}
        self.taken: set[str] = set()
        self._is_padded = is_padded
        self._files = files
        self._files_of: dict[Shape, list[ArgumentFile]] = {}
        for file in files:
            self._files_of.setdefault(file.shape, []).append(file)
        # Shape, None where it is not known -> (head, whether it is in `alike`) -> golden tensors.
        self._others: dict[Shape | None, dict[tuple[Head | None, bool], list[Match | None]]] = {}

    def add(self, head: Head | None, match: Match | None, *, is_unknown: bool) -> None:
        """One of its arguments; `match` is what the graph names it."""
        of_shape = self._others.setdefault(None if head is None else head[1], {})
        of_shape.setdefault((head, is_unknown), []).append(match)

    def files_of(self, shape: Shape) -> Sequence[ArgumentFile]:
        """Files that may hold a tensor of this shape."""
        return self._files if self._is_padded else self._files_of.get(shape, ())

    def others(self, head: Head) -> list[tuple[Head | None, list[Match | None]]]:
        """Arguments beside those that are alike which may have the same files."""
        shapes = list(self._others) if self._is_padded else [head[1], None]
        return [
            (other, matches)
            for shape in shapes
            for (other, is_unknown), matches in self._others.get(shape, {}).items()
            if not (is_unknown and other == head)
        ]


class Arguments:
    """The arguments of the FX nodes of one step, worked out when first asked for."""

    def __init__(
        self,
        context: GraphContext,
        my: GeStep,
        fx: FxStep,
        readers: Readers,
        named: Callable[[GraphTensor], Match | None],
        padding: Padding | None = None,
    ) -> None:
        """
        Args:
            context: The graph.
            my: The step of the GE dump.
            fx: The same step of the FX dump.
            readers: Header readers.
            named: Counterpart of a tensor by rule `dataflow` or `view`, None without one.
            padding: Rows that the my side has more than golden, None if it has not.
        """
        self._context = context
        self._my = my
        self._named = named
        self._padding = padding
        self._readers = readers
        self._lost = _lost_tensors(context, fx)
        readers_of_lost = (
            graph.fx_node[number]
            for graph in (context.graph,)
            for tensor in self._lost
            for number in (use.op for use in context.uses(tensor))
        )
        names = dict.fromkeys([*context.argument_nodes, *filter(None, readers_of_lost)])
        self._nodes = {
            name: node
            for name in names
            if (node := fx.node(name, context.target_of(name))) is not None
        }
        files = [file.ref for node in self._nodes.values() for file in node.inputs]
        scans = readers.scan_npy(files, readers.threads)
        self._scans = {file.path: scan for file, scan in zip(files, scans)}
        # Where the GE dump has a graph tensor as one of its ops gets it.
        self._refs = {
            slot.source: placed.op.ref("inputs", index)
            for placed in my.placed_ops.values()
            if placed.op.cut is None
            for index, slot in enumerate(placed.inputs)
            if slot is not None and slot.source is not None
        }
        self._answers: dict[str, dict[GraphTensor, FoundArgument | Miss]] = {}

    def find(self, node: str | None, arrives: GraphTensor) -> FoundArgument | Miss:
        """The INPUT file of an FX node for the tensor that arrives at one of its ops."""
        if node is None:
            return Miss("The graph does not tell which FX node its op was made for.", "argument")
        files = self._nodes.get(node)
        if files is None:
            return Miss(
                f"The FX dump has no file of node {node}, whose argument it is.", "no_golden"
            )
        answers = self._answers.get(node)
        if answers is None:
            answers = self._answers[node] = self._solve(node, files)
        return answers.get(arrives) or Miss(f"It is no argument of FX node {node}.", "argument")

    def _solve(self, name: str, node: FxNode) -> dict[GraphTensor, FoundArgument | Miss]:
        arguments = self._context.arguments(name)
        graph = self._context.graph
        unknown = [t for t in arguments if self._is_unknown(t)]
        constant = [t for t in arguments if graph.is_const(t)]
        if self._is_overwritten(name, node):
            why = f"FX node {name} hands its input on, so the ops may belong to the node before it."
            return dict.fromkeys((*unknown, *constant), Miss(why, "argument"))
        files = [file for file in map(self._numeric, node.inputs) if file is not None]
        values = {tensor: graph.const_value(tensor) for tensor in constant}
        answers = literal_answers(values, self._read_literals(values, files), node.target)
        asked = _Asked(node, files, self._padding is not None)
        for tensor in unknown:
            asked.alike.setdefault(self._head(tensor), []).append(tensor)
        are_unknown = set(unknown)
        for tensor in arguments:
            if not graph.is_const(tensor):
                match = self._named(tensor)
                asked.add(self._head(tensor), match, is_unknown=tensor in are_unknown)
        for tensor in unknown:
            if tensor not in answers:
                answers.update(self._solve_alike(tensor, asked))
        return self._with_damage(answers, node)

    def _with_damage(
        self, answers: dict[GraphTensor, FoundArgument | Miss], node: FxNode
    ) -> dict[GraphTensor, FoundArgument | Miss]:
        """The answers; what none of the files shows may be in one that cannot be read."""
        scans = [(file, self._scans[file.path]) for file in node.inputs]
        errors = [
            scan.error or f"{file.path}: {scan.note}"
            for file, scan in scans
            if scan.error is not None or scan.state in ("truncated", "short")
        ]
        if not errors:
            return answers
        lost = Miss(f"Its golden file cannot be read: {errors[0]}", "unreadable")
        return {
            tensor: lost if isinstance(answer, Miss) else answer
            for tensor, answer in answers.items()
        }

    def _is_unknown(self, tensor: GraphTensor) -> bool:
        """Whether only an INPUT file can show a tensor: a graph input, or one that FX has not."""
        chain = self._context.chain(tensor)
        if self._context.graph.is_data(chain.base):
            return True
        return not self._lost.isdisjoint(chain.tensors) and self._named(tensor) is None

    def _read_literals(
        self, values: Mapping[GraphTensor, Values | None], files: Sequence[ArgumentFile]
    ) -> list[tuple[ArgumentFile, Values]]:
        """Literal arguments of as many elements as one of the constants."""
        sizes = {value.size for value in values.values() if value is not None}
        literals = []
        for file in files:
            count = prod(file.shape)
            if len(file.shape) > 1 or count > _MAX_LITERAL or count not in sizes:
                continue
            try:
                literals.append((file, self._readers.read_values(_ref(file.file), 0, count)))
            except (FormatError, OSError):
                continue
        return literals

    def _numeric(self, file: FxFile) -> ArgumentFile | None:
        scan = self._scans[file.path]
        if scan.error is not None or scan.state != "ok":
            return None
        return ArgumentFile(file, scan.dtype, scan.shape)

    def _is_overwritten(self, name: str, node: FxNode) -> bool:
        """Whether a node equals its input although real ops carry its name."""
        if operator_of(node.target) not in _PASSING_OPERATORS:
            return False
        graph = self._context.graph
        made = (graph.ops[number].type for number in graph.made_for.get(name, ()))
        if all(kind in _PASSING_TYPES for kind in made):
            return False
        output = node.outputs.get(0)
        first = self._numeric(node.inputs[0]) if node.inputs else None
        if output is None or first is None:
            return True
        return self._readers.are_equal(_ref(first.file), _ref(output), prod(first.shape))

    def _head(self, tensor: GraphTensor) -> Head | None:
        """Type and shape of a tensor in this step, None if the dump does not show it."""
        head = self._my.heads.get(tensor)
        return None if head is None else (head.dtype, head.shape)

    def _may_hold(
        self, file: ArgumentFile, head: tuple[str, Shape], *, wider: bool = False
    ) -> bool:
        """Whether a file may hold a tensor of this type and shape, perhaps without its padding.

        With `wider` it has the more exact type of a control run: of a model in half precision that
        FX ran in float32, or of one in float32 that it ran in float64.
        """
        dtype, shape = head
        is_padded = self._padding is not None and self._padding.is_shape_of(shape, file.shape)
        if file.shape != shape and not is_padded:
            return False
        return is_wider(dtype, file.dtype) if wider else _same_type(dtype, file.dtype)

    def _solve_alike(
        self, tensor: GraphTensor, asked: _Asked
    ) -> dict[GraphTensor, FoundArgument | Miss]:
        """Answers for a graph input and all others of the same node with its type and shape."""
        head = self._head(tensor)
        if head is None:
            return {tensor: Miss("The dump does not show its shape where it is used.", "argument")}
        if _looks_literal(*head):
            why = "A few whole numbers: nothing but their position would tell which argument it is."
            return {tensor: Miss(why, "argument")}
        alike, taken = asked.alike[head], asked.taken
        files = asked.files_of(head[1])
        fits = [f for f in files if self._may_hold(f, head)]
        fits = fits or [f for f in files if self._may_hold(f, head, wider=True)]
        fits = [f for f in fits if f.file.path not in taken]
        only_values_tell = False
        for other_head, matches in asked.others(head):
            for match in filter(None, matches):
                if other_head is None or other_head[1] == head[1]:
                    fits = self._without(fits, match.golden)
            if None in matches and (
                other_head is None or any(self._may_hold(fit, other_head) for fit in fits)
            ):
                only_values_tell = True
        if not fits and not only_values_tell:
            return {other: self._solve_above(other, asked) for other in alike}
        if len(alike) == 1 and fits:
            fits = self._without_repeats(fits)
        is_sure = len(alike) == len(fits) == 1 and not only_values_tell
        chosen = {} if is_sure else self._choose_equal(alike, fits)
        used = {fit.file.path for fit in chosen.values()}
        left = [other for other in alike if other not in chosen]
        fits_left = [fit for fit in fits if fit.file.path not in used]
        answers: dict[GraphTensor, FoundArgument | Miss] = {}
        if only_values_tell:
            why = "Another argument that the graph does not name may be one of its files."
            answers.update(dict.fromkeys(left, Miss(why, "argument")))
        elif len(fits_left) == len(left):
            chosen.update(zip(left, fits_left))
        else:
            why = f"{len(fits)} arguments of the FX node have its type and shape."
            answers.update(dict.fromkeys(left, Miss(why, "argument")))
        for other, fit in chosen.items():
            taken.add(fit.file.path)
            answers[other] = self._settle_level(other, head[1], fit, asked.node)
        return answers

    def _choose_equal(
        self, alike: Sequence[GraphTensor], fits: Sequence[ArgumentFile]
    ) -> dict[GraphTensor, ArgumentFile]:
        """Graph inputs of one type and shape, each with the first free file of its values.

        GE and FX may order them differently: a product that a bias is added to, `rsub`.
        """
        chosen: dict[GraphTensor, ArgumentFile] = {}
        free: dict[bytes, list[ArgumentFile]] = {}
        for fit in fits:
            free.setdefault(self._start(_ref(fit.file), self._head(alike[0])), []).append(fit)
        for tensor in alike:
            mine = self._refs.get(tensor)
            group = [] if mine is None else free.get(self._start(mine, None), [])
            tries = enumerate(group[:_MOST_TRIES])
            number = next((n for n, fit in tries if mine and self._holds(fit, tensor, mine)), -1)
            if number >= 0:
                chosen[tensor] = group.pop(number)
        return chosen

    def _start(self, ref: TensorRef, head: Head | None) -> bytes:
        """The first values, rounded to my type, as bytes that are equal where values are."""
        try:
            values = self._readers.read_values(ref, 0, _START)
        except (FormatError, OSError):
            return b""
        return value_key(values if head is None else rounded(head[0], values))

    def _holds(self, file: ArgumentFile, tensor: GraphTensor, mine: TensorRef) -> bool:
        """Whether a file has the values of my tensor, perhaps before they were rounded."""
        golden, count = _ref(file.file), prod(file.shape)
        head = self._head(tensor)
        if self._readers.are_equal(golden, mine, count):
            return True
        if head is None or not is_wider(head[0], file.dtype):
            return False
        return are_equal_rounded(self._readers, mine, golden, head[0], count)

    def _without(self, fits: list[ArgumentFile], known: TensorRef) -> list[ArgumentFile]:
        """The files but the first that holds the values of an argument that is known otherwise."""
        for number, fit in enumerate(fits):
            if self._readers.are_equal(_ref(fit.file), known, prod(fit.shape)):
                return fits[:number] + fits[number + 1 :]
        return fits

    def _without_repeats(self, fits: list[ArgumentFile]) -> list[ArgumentFile]:
        """The first file alone if all hold the same values: `x + x` saves its one input twice."""
        first, *others = fits
        if all(
            self._readers.are_equal(_ref(first.file), _ref(other.file), prod(first.shape))
            for other in others
        ):
            return [first]
        return fits

    def _settle_level(
        self, tensor: GraphTensor, shape: Shape, fit: ArgumentFile, node: FxNode
    ) -> FoundArgument | Miss:
        """The argument as it arrives, if it can not be the graph input before a transposition.

        Before and after the transposition of a square matrix shapes are alike. Which of both the
        FX node got shows in the file: a transposed view is stored in Fortran order.
        """
        chain = self._context.chain(tensor)
        for level in range(1, len(chain.tensors)):
            perms = [perm for perm in chain.perms[:level] if perm is not None]
            if not any(perm != tuple(range(len(perm))) for perm in perms):
                continue
            above = self._head(chain.tensors[level])
            if (above is None or above[1] == shape) and not is_stored_transposed(
                self._readers, fit.file.ref
            ):
                return Miss(
                    "Its shape does not tell whether the FX argument is transposed.", "argument"
                )
        return FoundArgument(fit.file, node.target, 0, "argument")

    def _solve_above(self, tensor: GraphTensor, asked: _Asked) -> FoundArgument | Miss:
        """The argument before the views of its op: the one level and file that fit, if one."""
        chain = self._context.chain(tensor)
        found = []
        for level in range(1, len(chain.tensors)):
            head = self._head(chain.tensors[level])
            for file in () if head is None else asked.files_of(head[1]):
                if head is None or not self._may_hold(file, head):
                    continue
                if file.file.path not in asked.taken:
                    found.append((level, file))
        if len(found) != 1:
            return Miss(
                "No argument of the FX node, or more than one, has its type and shape.", "argument"
            )
        level, file = found[0]
        asked.taken.add(file.file.path)
        return FoundArgument(file.file, asked.node.target, level, "argument")


def _same_type(my: str, fx: str) -> bool:
    """Whether an FX file may hold a tensor of this type; it has float32 for bfloat16."""
    return fx == my or (my == "torch.bfloat16" and fx == "torch.float32")


def _lost_tensors(context: GraphContext, fx: FxStep) -> frozenset[GraphTensor]:
    """Tensors that the graph names by FX nodes of which the dump has no file.

    torchair fuses patterns before it converts (add_rms_norm and a cast): the eager run knows the
    nodes that were there before, and the nodes that read their result.
    """
    return frozenset(
        tensor
        for tensor, names in context.graph.fx_names.items()
        if not any(fx.has(name.node) for name in names)
    )


def _looks_literal(dtype: str, shape: Shape) -> bool:
    whole = dtype.startswith(("torch.int", "torch.uint", "torch.bool"))
    return whole and len(shape) <= 1 and (not shape or shape[0] <= _MAX_LITERAL)


def _ref(file: FxFile) -> TensorRef:
    return TensorRef(file.path, "", 0, kind=file.kind)
