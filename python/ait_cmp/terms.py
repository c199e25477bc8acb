"""The words of reports and of what leads to them: each is spelled here, and nowhere else.

What kinds of files there are says `file_kinds`.
"""

from __future__ import annotations

from typing import Literal, Protocol, get_args, runtime_checkable

# What became of a tensor of the my side, most welcome first. Every status but `compared` comes with
# a sentence.
Status = Literal["compared", "shape_mismatch", "unreadable", "unsupported", "no_data", "unmatched"]
STATUSES: tuple[Status, ...] = get_args(Status)
# A tensor of these has a counterpart, or should have one, and differs from it beyond metrics.
DIFFERENT_STATUSES: tuple[Status, ...] = ("shape_mismatch", "unreadable")

# What pairing can say of a tensor; "" = it is to be compared.
PairStatus = Literal["", "unreadable", "unsupported", "no_data", "unmatched"]

# By which rule a pair was found, most certain first.
Rule = Literal["name", "dataflow", "view", "fused", "argument", "literal", "self"]
RULES: tuple[Rule, ...] = get_args(Rule)
# "" of a tensor without a counterpart.
RuleOrNone = Literal[Rule, ""]

# Why a tensor has no counterpart, as a user sees it.
MissKind = Literal[
    "ge_only",  # an operator that only GE has
    "no_golden",  # the golden dump has no file of it
    "alone",  # a rank, graph or step that the golden dump lacks
    "other_model",  # a graph whose text is of another model
    "unknown_op",  # the graph text does not know the operator
    "constant",  # a constant that no argument of the golden side shows
    "argument",  # a graph input that more than one argument, or none, may be
    "in_place",  # golden has only the values before
    "inserted",  # the input of a copy that GE inserted
    "repeated",  # an earlier execution of the same op
    "unreadable",  # a golden file that may hold it cannot be read
    "part",  # a slice, or a member of a fused op, whose part of the whole is not known
]
MISS_KINDS: tuple[MissKind, ...] = get_args(MissKind)

# What a compared row is worth: within the limits, outside of them by no more than its op was given,
# outside of them.
Verdict = Literal["pass", "inherited", "fail"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

# Why an op is said to compute something else; the first that holds is named.
DivergenceKind = Literal["growth", "block", "nonfinite", "exact", "edge", "replay", "graph"]
DIVERGENCE_KINDS: tuple[DivergenceKind, ...] = get_args(DivergenceKind)

# Which ops a comparison replays: those that diverge or may, every one, none.
ReplayMode = Literal["suspects", "all", "none"]
REPLAY_MODES: tuple[ReplayMode, ...] = get_args(ReplayMode)

# What the replay of an op proves, as far as it changes whether the op diverges: it is wrong; it is
# right, and what the golden side makes of its inputs is not known; it is right and only passes on
# what it was given; it is right, and the golden side computes something else.
ProofState = Literal["wrong", "right", "inherits", "other_graph"]
PROOF_STATES: tuple[ProofState, ...] = get_args(ProofState)

# Who says a note of a report; they stand in this order. A sentence on the rows of a graph stands
# under "rows" where the summary has a line of its own for it.
NotePlace = Literal[
    "my",  # finding what meets what
    "golden",
    "alignment",
    "graph_text",
    "padding",  # pairing
    "lost_golden",
    "filter",
    "reach",
    "capture",  # what looks wrong
    "steps",
    "zeros",
    "nodes",
    "rows",
]
NOTE_PLACES: tuple[NotePlace, ...] = get_args(NotePlace)

# What a tensor is to its op; "" for the one array of an `.npy` file, and for a file that is
# unreadable, so that its tensors are not known.
Io = Literal["inputs", "outputs", ""]
# What an op has, in the order of its file.
INPUTS_OUTPUTS: tuple[Io, ...] = ("inputs", "outputs")

# The two sides of a comparison: the dump under test, and the reference.
Side = Literal["my", "golden"]

# State of a tensor in its dump file.
State = Literal["ok", "no_data", "truncated", "short", "unsupported"]
STATES: tuple[State, ...] = get_args(State)

# What the metrics of a row were estimated from; "" of a row that is exact.
Estimated = Literal["", "sketch", "stats", "min_max"]
# What tells nothing between the extrema of a tensor.
EXTREMA_KINDS: tuple[Estimated, ...] = ("min_max", "stats")

# How files are read.
Access = Literal["auto", "map", "read"]

# Who wrote a dump: GE (one file a task) or torchair's FX run (one file a tensor).
Writer = Literal["ge", "fx"]


def io_of(text: str) -> Io:
    """The word as one of `Io`.

    Raises:
        ValueError: It is none.
    """
    ios: tuple[Io, ...] = get_args(Io)
    for io in ios:
        if text == io:
            return io
    message = f"inputs, outputs or no word expected, found {text!r}"
    raise ValueError(message)


def size_text(size_bytes: float) -> str:
    """A number of bytes for people, such as "3.1 GB"."""
    for unit in ("B", "kB", "MB", "GB"):
        if size_bytes < 1000:
            return f"{size_bytes:.0f} B" if unit == "B" else f"{size_bytes:.1f} {unit}"
        size_bytes /= 1000
    return f"{size_bytes:.1f} TB"


def clock_text(seconds: float) -> str:
    """ "0:04", "12:30", "1:02:03"."""
    left = round(seconds)
    if left >= 3600:
        return f"{left // 3600}:{left // 60 % 60:02d}:{left % 60:02d}"
    return f"{left // 60}:{left % 60:02d}"


@runtime_checkable
class ByteProgress(Protocol):
    """A callback for progress that also wants bytes."""

    def tell_bytes(self, n_done: int, n_all: int) -> None:
        """Bytes of the files read so far, and of all."""
