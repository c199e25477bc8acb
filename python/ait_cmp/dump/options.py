"""The arguments of the dump helpers in the syntax of torchair, checked before torchair sees them.

torchair's own check of dump_step is a regular expression that backtracks exponentially on long
bad texts, and GE reports what it does not like only when the model is loaded.
"""

from __future__ import annotations

import json
import operator
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Callable, Union, cast

from ait_cmp.dump.errors import ConfigFileNotFoundError, ConfigTypeError
from ait_cmp.dump.folders import absolute_path
from ait_cmp.errors import ConfigError

Steps = Union[int, str, range, Iterable[Union[int, str, range]]]
Names = Union[str, Iterable[str]]

# Limits of GE: dump_properties.cc takes at most 100 parts, each a 32-bit number.
MAX_STEP_PARTS = 100
MAX_STEP = 2**31 - 1

# What dump_layer of torchair accepts: ^[0-9a-zA-Z_" "/\\.]*$
_LAYER_NAMES = re.compile(r'[0-9a-zA-Z_"/\\. ]*')
_STEP_PART = re.compile(r"([0-9]{1,20})(?:-([0-9]{1,20}))?")
_FX_NODE_NAME = re.compile(r"[0-9a-zA-Z_]+")

FUSION_OFF = {"Switch": {"GraphFusion": {"ALL": "off"}, "UBFusion": {"ALL": "off"}}}
_FUSION_SHAPE = json.dumps(FUSION_OFF)


def format_dump_step(steps: Steps) -> str:
    """Write steps in the syntax of `dump_config.dump_step`.

    Args:
        steps: Steps from 0: an int, a range, a text such as "0|2-5", or an iterable of these.

    Returns:
        Decimal numbers and ranges `a-b` (a < b, both included), separated by `|`, as in "0|2-5";
        "" (every step) for an empty text or iterable.

    Raises:
        ConfigTypeError: Something else than a number, a range or a text.
        ConfigError: A negative or too large step, a descending range, a text of another form, or
            more than 100 parts.
    """
    if isinstance(steps, str) and not steps:
        return ""
    spans = list(dict.fromkeys(_step_spans(steps)))
    if len(spans) > MAX_STEP_PARTS:
        spans = _merge_spans(spans)
    if len(spans) > MAX_STEP_PARTS:
        msg = (
            f"dump_token: at most {MAX_STEP_PARTS} numbers or ranges are allowed by GE, found "
            f"{len(spans)}; name a range such as '0-500' instead"
        )
        raise ConfigError(msg)
    return "|".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _step_spans(steps: object) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each part, both included."""
    if isinstance(steps, str):
        for part in steps.split("|"):
            yield _parse_step_part(part.strip(), steps)
    elif isinstance(steps, range):
        yield from _range_spans(steps)
    elif isinstance(steps, (bool, bytes)):
        raise _wrong_step_type(steps)
    elif isinstance(steps, Iterable):
        for part in steps:
            if isinstance(part, Iterable) and not isinstance(part, (str, range)):
                raise _wrong_step_type(part)
            yield from _step_spans(part)
    else:
        try:
            step = operator.index(cast(int, steps))  # takes numpy integers, refuses 1.0
        except TypeError:
            raise _wrong_step_type(steps) from None
        yield _checked_span(step, step, str(step))


def _wrong_step_type(steps: object) -> ConfigTypeError:
    return ConfigTypeError(
        "dump_token: expected an int, a range, a text such as '0|2-5' or a list of these, "
        f"found {type(steps).__name__} {steps!r}"
    )


def _parse_step_part(part: str, text: str) -> tuple[int, int]:
    found = _STEP_PART.fullmatch(part)
    if not found:
        msg = (
            f"dump_token: expected numbers or ranges separated by '|', such as '0|2-5', found "
            f"{part!r} in {text!r}"
        )
        raise ConfigError(msg)
    first = int(found[1])
    return _checked_span(first, first if found[2] is None else int(found[2]), part)


def _range_spans(steps: range) -> Iterator[tuple[int, int]]:
    if steps and abs(steps.step) == 1:
        yield _checked_span(min(steps), max(steps), repr(steps))
        return
    if len(steps) > MAX_STEP_PARTS:
        msg = f"dump_token: {steps!r} has {len(steps)} separate steps, GE allows {MAX_STEP_PARTS}"
        raise ConfigError(msg)
    for step in steps:
        yield _checked_span(step, step, repr(steps))


def _checked_span(first: int, last: int, text: str) -> tuple[int, int]:
    if first < 0 or last > MAX_STEP or first > MAX_STEP:
        msg = f"dump_token: expected steps from 0 to {MAX_STEP}, found {text}"
        raise ConfigError(msg)
    if first > last:
        msg = f"dump_token: expected a range upwards, found {text!r}"
        raise ConfigError(msg)
    return first, last


def _merge_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that touch or overlap."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def format_dump_layer(names: Names) -> str:
    """Write op names in the syntax of `dump_config.dump_layer`.

    Args:
        names: Names of GE ops, as one text separated by blanks or as an iterable of texts.

    Returns:
        The names separated by single blanks; "" (every op) for an empty text or iterable.

    Raises:
        ConfigTypeError: Something else than texts.
        ConfigError: An empty name, or one with characters that torchair refuses.
    """
    if isinstance(names, str) and not names:
        return ""
    parts = [names] if isinstance(names, str) else _texts(names, "dump_layer")
    found: list[str] = []
    for part in parts:
        if not part.strip():
            msg = "dump_layer: expected names of GE ops, found an empty text"
            raise ConfigError(msg)
        joined = " ".join(part.split())
        if not _LAYER_NAMES.fullmatch(joined):
            msg = (
                f"dump_layer: expected names of GE ops such as 'MatMulV2_1' separated by blanks "
                f'(letters, digits, _ . / \\ and "), found {part!r}. The names stand in '
                "dynamo_original_graph_*.txt; names of FX nodes do not work here"
            )
            raise ConfigError(msg)
        found.append(joined)
    return " ".join(found)


def _texts(values: object, argument: str) -> list[str]:
    if isinstance(values, (bytes, dict)) or not isinstance(values, Iterable):
        msg = f"{argument} must be a list of strings, but got {type(values).__name__} {values!r}"
        raise ConfigTypeError(msg)
    texts = list(values)
    for text in texts:
        if not isinstance(text, str):
            msg = (
                f"{argument} must be a list of strings, but got {type(text).__name__} {text!r} "
                "in it"
            )
            raise ConfigTypeError(msg)
    return texts


def check_fusion_switch_file(path: str | os.PathLike[str]) -> str:
    """Check a fusion switch file, of which torchair checks the existence only.

    Args:
        path: JSON file like `{"Switch": {"GraphFusion": {"ALL": "off"}}}`.

    Returns:
        The absolute path, valid after a change of the current directory.

    Raises:
        ConfigTypeError: `path` is no path.
        ConfigFileNotFoundError: There is no such file.
        ConfigError: The file is no JSON, or JSON of another shape.
        OSError: The file cannot be read.
    """
    if not isinstance(path, (str, os.PathLike)):
        msg = f"fusion_switch_file: expected a path or 'off', found {type(path).__name__} {path!r}"
        raise ConfigTypeError(msg)
    file = absolute_path(path, "fusion_switch_file")
    if not file.is_file():
        msg = (
            f"fusion_switch_file: {path} not found or not a file. "
            "With fusion_switch_file='off' the helper writes the file that turns fusion off"
        )
        raise ConfigFileNotFoundError(msg)
    try:
        switch = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"{file}: fusion_switch_file: expected JSON like {_FUSION_SHAPE}, found none: {error}"
        raise ConfigError(msg) from error
    problem = _fusion_problem(switch)
    if problem:
        msg = f"{file}: fusion_switch_file: expected JSON like {_FUSION_SHAPE}, found {problem}"
        raise ConfigError(msg)
    return str(file)


def _fusion_problem(switch: object) -> str:
    """What is wrong with a parsed fusion switch file, "" if nothing."""
    if not isinstance(switch, dict):
        return f"a {type(switch).__name__} at the top"
    sections = switch.get("Switch")
    if not isinstance(sections, dict) or not sections:
        return 'no object "Switch" with entries'
    for name, passes in sections.items():
        if name not in FUSION_OFF["Switch"]:
            return f"an unknown section {name!r}"
        if not isinstance(passes, dict):
            return f"no object in section {name!r}"
        for fusion_pass, state in passes.items():
            if state not in ("on", "off"):
                return f"{state!r} for {fusion_pass!r} in section {name!r}, not 'on' or 'off'"
    return ""


@dataclass(frozen=True)
class NodeNameFilter:
    """Keeps the FX nodes whose name contains one of the texts, in any case of letters.

    torchair calls it with a node and takes the node back, or None to leave its data out.
    """

    texts: tuple[str, ...]
    before: Callable[[object], object] | None = None
    """A filter that the config had already; a node must pass both."""

    def __call__(self, node: object) -> object:
        kept = self.before(node) if self.before else node
        if kept is None:
            return None
        name = str(getattr(kept, "name", "")).lower()
        return kept if any(text in name for text in self.texts) else None


def parse_op_list(op_list: Names) -> tuple[str, ...]:
    """Check a list of parts of FX node names.

    Args:
        op_list: One text or an iterable of texts, such as ["softmax", "mm_3"].

    Returns:
        The texts in lower case.

    Raises:
        ConfigTypeError: Something else than texts.
        ConfigError: A text that is part of no FX node name.
    """
    texts = [op_list] if isinstance(op_list, str) else _texts(op_list, "op_list")
    for text in texts:
        if not _FX_NODE_NAME.fullmatch(text):
            msg = (
                "op_list: expected parts of FX node names such as 'softmax' or 'mm_3' "
                f"(letters, digits, _), found {text!r}, which no node name contains"
            )
            raise ConfigError(msg)
    return tuple(text.lower() for text in texts)
