"""Lists of numbers as people write them: 0 1 3, 0,1,3, 0-3, 0|2-3."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence

_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
# A range may not be a slip of the finger that fills the memory.
_MOST_NUMBERS = 1_000_000


def numbers_of(text: str) -> list[int]:
    """The numbers that one word of the command line names.

    Raises:
        argparse.ArgumentTypeError: It names something else.
    """
    numbers: list[int] = []
    for part in re.split(r"[,|]", text):
        found = _PART.fullmatch(part.strip())
        if found is None:
            message = f"numbers such as 0,1,3 or 0-3 or 0|2-3 expected, found {text!r}"
            raise argparse.ArgumentTypeError(message)
        first, last = int(found[1]), int(found[2] or found[1])
        if last < first:
            message = f"a range upwards expected, found {part!r}"
            raise argparse.ArgumentTypeError(message)
        if last - first >= _MOST_NUMBERS:
            message = f"at most {_MOST_NUMBERS} numbers expected, found {part!r}"
            raise argparse.ArgumentTypeError(message)
        numbers += range(first, last + 1)
    return numbers


def joined(lists: Sequence[Sequence[int]] | None) -> list[int] | None:
    """The numbers of several words, each once; None if none was given."""
    return None if lists is None else list(dict.fromkeys(n for one in lists for n in one))
