"""What a comparison finds of a pair of tensors, by names; the core has the same fields."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Union

from ait_cmp import _core
from ait_cmp.sentences import Blank, Sentence
from ait_cmp.tensor_ref import check_fields
from ait_cmp.terms import Estimated, Status

# Name of a metric -> its value; what is missing is not known.
MetricValues = dict[str, float]
# What the verdict must know of a pair beside its metrics, by name.
Figures = dict[str, Any]


class Metric(NamedTuple):
    """A metric, as the core has it in its table.

    Attributes:
        name: Of its column.
        unit: Of its values.
        group: Which columns it stands among.
        of_equal: Its value for equal tensors.
    """

    name: str
    unit: str
    group: Literal["after_sides", "before_block_growth", "after_block_growth"]
    of_equal: float


class DType(NamedTuple):
    """A stored type, as the core has it in its table.

    Attributes:
        number: In the header of a dump file.
        name: `DT_FLOAT16`.
        report: As a report names it, `torch.float16`.
        numpy: The type of its values in numpy.
        bits: Of one element.
        components: Values of one element: 2 of complex ones.
        unit_roundoff_exp: Its roundoff is 2 to this power.
    """

    number: int
    name: str
    report: str
    numpy: str
    bits: int
    components: int
    unit_roundoff_exp: int


class Saturated(NamedTuple):
    """How many pairs are what saturating types make of a larger value: bits of types, number."""

    types: int
    n: int


class Sums(NamedTuple):
    """Counts of all values, and what the finite ones amount to; None where a file does not say.

    A complex number counts as two values.
    """

    n: int | None
    n_nan: int | None
    n_positive_inf: int | None
    n_negative_inf: int | None
    max: float | None
    min: float | None
    mean: float | None

    @property
    def n_inf(self) -> int | None:
        """Infinities of both signs."""
        if self.n_positive_inf is None or self.n_negative_inf is None:
            return None
        return self.n_positive_inf + self.n_negative_inf

    @property
    def n_finite(self) -> int | None:
        """Finite values."""
        if self.n is None or self.n_nan is None or self.n_inf is None:
            return None
        return self.n - self.n_nan - self.n_inf


class SideResult(NamedTuple):
    """What was found of one side.

    Attributes:
        dtype: Stored type, "" if the file does not say.
        shape: Logical shape, None if the file does not say.
        sums: None where there are no values.
    """

    dtype: str
    shape: tuple[int, ...] | None
    sums: Sums | None


class Worst(NamedTuple):
    """The largest absolute error: flat index, and the values there."""

    index: int
    my: float
    golden: float


class Result(NamedTuple):
    """What the core found of a pair, or of one tensor.

    Attributes:
        status: What became of it.
        reason: The English text of the sentences.
        my: None if nothing was read; the same for `golden`.
        metrics: None where there are none.
        n_mismatch: Non-finite pairs that differ in kind.
        worst: None if all are equal.
        figures: None where not every pair was looked at.
        sentences: What is said of it.
    """

    status: Status
    reason: str
    my: SideResult | None
    golden: SideResult | None
    metrics: MetricValues | None
    n_mismatch: int
    worst: Worst | None
    figures: Figures | None
    sentences: list[Sentence]


class ReducedResult(NamedTuple):
    """What was found of a pair, a side of which may be reduced.

    Attributes:
        n_mismatch: Of estimates at least so many, None if that is not known.
        estimated: What the metrics were estimated from, "" if they are exact.

    The others are those of `Result`.
    """

    status: Status
    sentences: list[Sentence]
    my: SideResult | None = None
    golden: SideResult | None = None
    metrics: MetricValues | None = None
    n_mismatch: int | None = 0
    worst: Worst | None = None
    figures: Figures | None = None
    estimated: Estimated = ""


# A result as the core gives it: tuples in a tuple, made faster than their named kind.
PlainResult = Union[Result, tuple[object, ...]]

for _record, _name in (
    (Metric, "metric"),
    (DType, "dtype"),
    (Saturated, "saturated"),
    (Blank, "blank"),
    (Sums, "sums"),
    (SideResult, "side"),
    (Worst, "worst"),
    (Result, "result"),
    (ReducedResult, "reduced_result"),
    (Sentence, "sentence"),
):
    check_fields(_record, _name)

# All metrics, in the order of their columns.
METRICS = tuple(map(Metric._make, _core.metrics))
# All stored types.
DTYPES = tuple(map(DType._make, _core.dtypes()))


def result_of(plain: PlainResult) -> Result:
    """The names of the fields of a result, and of what it holds."""
    found = Result._make(plain)
    return found._replace(
        my=_side_of(found.my),
        golden=_side_of(found.golden),
        worst=None if found.worst is None else Worst._make(found.worst),
        sentences=[_sentence_of(sentence) for sentence in found.sentences],
    )


def _side_of(plain: SideResult | None) -> SideResult | None:
    if plain is None:
        return None
    side = SideResult._make(plain)
    return side._replace(sums=None if side.sums is None else Sums._make(side.sums))


def _sentence_of(plain: Sentence) -> Sentence:
    sentence = Sentence._make(plain)
    return sentence._replace(arguments=tuple(map(Blank._make, sentence.arguments)))
