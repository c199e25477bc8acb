"""The one table of the stick."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from benchmarks.truth.judge import ABOVE, LABELS, Answer

CLEAN_HEADER = (
    "clean dumps", "dumps", "steps", "diverge", "exit 1", "growth", "block", "growth failing",
    "block failing", "suspects/step",
)  # fmt: skip


def _most(values: Iterable[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return f"{max(known):.2f}" if known else "-"


def _mean(values: Iterable[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return f"{sum(known) / len(known):.1f}" if known else "-"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns, the first one at the left, the others at the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths))
        ).rstrip()
        for row in rows
    ]


def _grouped(answers: Sequence[Answer], key: Callable[[Answer], str]) -> dict[str, list[Answer]]:
    found: dict[str, list[Answer]] = {}
    for answer in answers:
        found.setdefault(key(answer), []).append(answer)
    return found


def clean_table(answers: Sequence[Answer]) -> list[str]:
    """False alarms and largest growths of clean dumps, by program and by noise."""
    clean = [answer for answer in answers if answer.truth["clean"]]
    rows = [CLEAN_HEADER]
    groups = {
        **_grouped(clean, lambda a: str(a.truth["program"])),
        **_grouped(clean, lambda a: f"noise {a.truth['noise']:g} u"),
        "all": clean,
    }
    for name, some in groups.items():
        rows.append(
            (
                name,
                str(len(some)),
                str(sum(a.truth["n_steps"] for a in some)),
                str(sum(bool(a.accused) for a in some)),
                str(sum(a.has_differences for a in some)),
                _most(a.growth[0] for a in some),
                _most(a.block_growth[0] for a in some),
                _most(a.growth[1] for a in some),
                _most(a.block_growth[1] for a in some),
                _mean(a.suspects for a in some),
            )
        )
    return table(rows)


def _counts(pairs: Sequence[tuple[dict[str, object], str]]) -> tuple[str, ...]:
    counts = Counter(label for _, label in pairs)
    found = counts["named"] + counts["candidate"]
    share = f"{100 * found / len(pairs):.0f} %" if pairs else "-"
    return (str(len(pairs)), *(str(counts[label]) for label in LABELS), share)


def bug_table(answers: Sequence[Answer]) -> list[str]:
    """Named, candidate, wrong, nothing by kind and by group."""
    judged = [
        (answer, bug, label)
        for answer in answers
        if not answer.truth["clean"]
        for bug, label in zip(answer.truth["bugs"], answer.labels)
    ]
    above = [(a, b, x) for a, b, x in judged if b["ratio"] >= ABOVE]
    groups: dict[str, list[tuple[dict[str, object], str]]] = {}
    for _, bug, label in judged:
        groups.setdefault(bug["kind"], []).append((bug, label))
    rows: list[tuple[str, ...]] = [("planted bugs", "bugs", *LABELS, "found")]
    rows += [(name, *_counts(pairs)) for name, pairs in groups.items()]
    for name, some in (
        ("outputs dumped", [j for j in judged if j[0].truth["mode"] == "outputs"]),
        ("inputs dumped, too", [j for j in judged if j[0].truth["mode"] == "all"]),
        ("fused", [j for j in judged if j[0].truth["way"] != "unfused"]),
        ("below the rounding", [j for j in judged if j[1]["ratio"] < 1]),
        ("1 to 4 times the rounding", [j for j in judged if 1 <= j[1]["ratio"] < ABOVE]),
        ("above the rounding", above),
        ("above what was given", [j for j in above if j[1]["given_ratio"] >= ABOVE]),
        ("all", judged),
    ):
        rows.append((name, *_counts([(bug, label) for _, bug, label in some])))
    return table(rows)


#: Attention chains with larger logits than this are printed, not promised.
PROMISED_STD = 15.0


def _logits(answer: Answer) -> tuple[str, float]:
    """Kind and standard deviation of an attention chain, ("", 0) of other programs."""
    kind, _, rest = str(answer.truth["program"]).removeprefix("attention-").partition("-")
    is_chain = str(answer.truth["program"]).startswith("attention-")
    return (kind, float(rest.partition("-")[0])) if is_chain else ("", 0.0)


def _alarms(name: str, answers: Sequence[Answer], must: str) -> tuple[str, str, str]:
    n_false = sum(answer.is_false_alarm for answer in answers)
    return (name, f"{n_false} of {len(answers)}", must)


def promises(answers: Sequence[Answer]) -> list[str]:
    """What was promised beside what was found."""
    clean = [a for a in answers if a.truth["clean"] and a.truth["noise"] <= 0.25]
    judged = [(b, x) for a in answers for b, x in zip(a.truth["bugs"], a.labels)]
    above = [(b, x) for b, x in judged if min(b["ratio"], b["given_ratio"]) >= ABOVE]
    n_found = sum(label in ("named", "candidate") for _, label in above)
    n_wrong = sum(label == "wrong" for _, label in judged)
    rows = [
        ("promise", "found", "must"),
        _alarms(
            "false alarms at noise 0 and 0.25 u",
            [a for a in clean if _logits(a)[1] <= PROMISED_STD],
            "0",
        ),
        *(
            _alarms(
                f"the same, {kind} attention, logits of std {std:g}",
                [a for a in clean if _logits(a) == (kind, std)],
                "1 of 16" if std == 30 else "",
            )
            for kind in ("decomposed", "fused")
            for std in (30.0, 62.0)
        ),
        ("wrong ops of all bugs", _percent(n_wrong, len(judged)), "at most 2 %"),
        ("named or candidate, bugs above what was given", _percent(n_found, len(above)), "85 %"),
        ("suspects on a clean step", _mean(a.suspects for a in clean), "at most 5"),
    ]
    return table(rows)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def lines(answers: Sequence[Answer]) -> list[str]:
    """The tables and a line on speed and errors."""
    beside = sum(bool(a.innocent) for a in answers if not a.truth["clean"])
    n_bugs = sum(not a.truth["clean"] for a in answers)
    out = [*promises(answers), "", *clean_table(answers), "", *bug_table(answers), ""]
    out.append(f"{beside} of {n_bugs} dumps with bugs accuse an innocent op, alone or besides")
    out.append(f"{sum(a.seconds for a in answers):.0f} s in compare_dirs")
    out += [f"NO ANSWER {a.case}: {a.error}" for a in answers if a.error]
    return out


def details(answers: Sequence[Answer]) -> list[str]:
    """One line a case that went wrong: false alarms, wrong ops, and what was not found."""
    out = []
    for a in answers:
        if a.is_false_alarm:
            told = "; ".join(a.accused[:4]) or "exit 1 without a divergence"
            out.append(f"FALSE ALARM  {a.case}: {told}")
        for bug, label in zip(a.truth["bugs"], a.labels):
            if label in ("wrong", "nothing"):
                told = "; ".join(a.accused[:3])
                out.append(
                    f"{label.upper():12} {a.case}: {bug['op']}, {bug['ratio']:.2g} x its rounding, "
                    f"{bug.get('given_ratio', 0):.2g} x given; {told}"
                )
        if a.innocent and a.truth["bugs"] and "wrong" not in a.labels:
            out.append(f"BESIDES      {a.case}: {'; '.join(a.innocent[:3])}")
    return out
