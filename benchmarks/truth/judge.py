"""Runs ait_cmp on one case and holds its answer against the truth."""

from __future__ import annotations

import importlib
import inspect
import json
import math
import multiprocessing
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ait_cmp

#: Bugs at least this many times the rounding of the tensor that they spoil are above it.
ABOVE = 4.0
LABELS = ("named", "candidate", "wrong", "nothing")


@dataclass
class Answer:
    """What the tool said about one case.

    Args:
        case: Name of its folder.
        truth: Content of truth.json.
        labels: One of LABELS for each bug.
        accused: Ops of the divergences, in their order, with kind and growths.
        innocent: Ops that diverge and have no bug.
        has_differences: Exit status 1.
        growth: Largest error_growth of all rows, and of failing rows.
        block_growth: The same of block_growth, NaN where the tool has none.
        suspects: Number of suspects, where the tool tells them.
        seconds: Of compare_dirs.
        error: Why there is no answer.
    """

    case: str
    truth: dict[str, Any]
    labels: list[str] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)
    innocent: list[str] = field(default_factory=list)
    has_differences: bool = False
    growth: tuple[float, float] = (math.nan, math.nan)
    block_growth: tuple[float, float] = (math.nan, math.nan)
    suspects: float = math.nan
    seconds: float = 0.0
    error: str = ""

    @property
    def is_false_alarm(self) -> bool:
        """A divergence or exit status 1 where nothing is wrong."""
        return bool(self.truth["clean"] and (self.accused or self.has_differences))


def judge(folder: Path, options: dict[str, Any]) -> Answer:
    """Compare a case.

    `options` go to compare_dirs where it has such parameters; "without" holds names of rules of the
    verdict that are left out.
    """
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    answer = Answer(folder.name, truth)
    known = inspect.signature(ait_cmp.compare_dirs).parameters
    given = {name: value for name, value in options.items() if name in known}
    start = time.perf_counter()
    try:
        with _without_rules(options.get("without", ())):
            result = ait_cmp.compare_dirs(
                folder / "my", folder / truth["golden"], threads=1, **given
            )
    except ait_cmp.AitCmpError as error:
        answer.error = str(error)
        return answer
    answer.seconds = time.perf_counter() - start
    _fill(answer, result)
    return answer


def judge_all(
    folders: Sequence[Path], processes: int, *options: dict[str, Any]
) -> list[list[Answer]]:
    """For each of the options the answers in the order of the folders."""
    jobs = [(folder, some) for some in options for folder in folders]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        answers = pool.starmap(judge, jobs, chunksize=4)
    n = len(folders)
    return [answers[i * n : (i + 1) * n] for i in range(len(options))]


def _without_rules(names: Sequence[str]) -> AbstractContextManager[None]:
    if not names:
        return nullcontext()
    verdict: Any = importlib.import_module("ait_cmp.report.verdict")
    left_out: AbstractContextManager[None] = verdict.without_rules(names)
    return left_out


def _fill(answer: Answer, result: Any) -> None:
    told = getattr(result, "divergences", result.first_divergence)
    answer.has_differences = bool(result.has_differences)
    answer.accused = [_describe(one) for one in told]
    true_ops = {name for bug in answer.truth["bugs"] for name in _names(bug)}
    answer.innocent = [
        _describe(one)
        for one in told
        if one.op_name not in true_ops and not true_ops & set(_candidates(one))
    ]
    answer.labels = [
        _label(bug, told, accuses_innocent=bool(answer.innocent)) for bug in answer.truth["bugs"]
    ]
    rows = list(result.rows)
    answer.growth = _largest(rows, "error_growth")
    answer.block_growth = _largest(rows, "block_growth")
    suspects = getattr(result, "suspects", None)
    if suspects is not None:
        answer.suspects = len(suspects) / max(1, answer.truth["n_steps"])


def _names(bug: dict[str, Any]) -> set[str]:
    return {bug["op"], bug.get("dumped_as", bug["op"])}


def _label(bug: dict[str, Any], told: Sequence[Any], *, accuses_innocent: bool) -> str:
    names = _names(bug)
    if any(one.op_name in names for one in told):
        return "named"
    if any(names & set(_candidates(one)) for one in told):
        return "candidate"
    return "wrong" if accuses_innocent else "nothing"


def _candidates(one: Any) -> Iterable[str]:
    for candidate in getattr(one, "candidates", None) or ():
        yield (
            candidate if isinstance(candidate, str) else getattr(candidate, "op_name", candidate[0])
        )


def _describe(one: Any) -> str:
    kind = getattr(one, "kind", None) or getattr(one, "reason", "")
    numbers = [
        f"{name} {value:.3g}"
        for name in ("error", "upstream_error", "error_growth", "block_error", "block_growth")
        if isinstance(value := getattr(one, name, None), float)
    ]
    return f"{one.op_name} [{kind}; step {getattr(one, 'token', '?')}; {', '.join(numbers)}]"


def _largest(rows: Sequence[Any], column: str) -> tuple[float, float]:
    """Over all rows, and over those that fail."""
    pairs = [(getattr(row, column, None), row.verdict) for row in rows]
    known = [(value, verdict) for value, verdict in pairs if isinstance(value, float)]
    everywhere = max((value for value, _ in known), default=math.nan)
    return everywhere, max((v for v, verdict in known if verdict == "fail"), default=math.nan)
