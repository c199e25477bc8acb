"""What each rule of the verdict is for: the stick without one rule at a time."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.truth.judge import LABELS, Answer, judge_all
from benchmarks.truth.report import table

HEADER = ("without", "other answers", "false alarms", *LABELS, "innocent besides")


def rule_names() -> list[str]:
    """The rules that a run can leave out, in the core's order."""
    core: Any = importlib.import_module("ait_cmp._core")
    return list(core.verdict_rules())


def lines(folders: Sequence[Path], processes: int, options: dict[str, Any]) -> list[str]:
    """A row for all rules, then one without each; "other answers" counts cases that change."""
    rules = rule_names()
    without = [{**options, "without": (rule,)} for rule in rules]
    base, *others = judge_all(folders, processes, options, *without)
    rows = [HEADER, ("nothing", *_cells(base, base))]
    rows += [(rule, *_cells(answers, base)) for rule, answers in zip(rules, others)]
    return [f"{len(folders)} dumps", *table(rows)]


def _cells(answers: Sequence[Answer], base: Sequence[Answer]) -> tuple[str, ...]:
    labels = Counter(label for answer in answers for label in answer.labels)
    n_other = sum(_told(one) != _told(other) for one, other in zip(answers, base))
    n_false = sum(answer.is_false_alarm for answer in answers)
    n_besides = sum(bool(a.innocent) for a in answers if not a.truth["clean"])
    return (
        str(n_other),
        str(n_false),
        *(str(labels[label]) for label in LABELS),
        str(n_besides),
    )


def _told(answer: Answer) -> tuple[object, ...]:
    """What must be the same for an answer to be the same: ops and steps, exit status, suspects."""
    accused = [text.partition(";")[0] for text in answer.accused]
    return (accused, answer.has_differences, str(answer.suspects))
