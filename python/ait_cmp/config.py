"""Every default in one place; how many threads, and how they are started."""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Union

from ait_cmp.errors import ConfigError

PathText = Union[str, Path]

# More than any machine has cores; a slip of the finger must not start a million threads.
MAX_THREADS = 1024

# How files are read: mapped, or read where a map could be cut short.
ACCESS = "auto"
# What `convert` makes of a dump file.
INFO_KIND = "sketch"
# Seconds without a change after which a file counts as written whose size does not say so.
SETTLE_S = 5.0
# Seconds between two looks at a watched folder, where changes are not notified.
WATCH_INTERVAL_S = 1.0
# Elements that `diff` shows.
WORST_SHOWN = 10
# Where `demo` unpacks its sample.
DEMO_FOLDER = "ait-cmp-demo"


# Limits of ops in a graph; the others are those of one pair.
GRAPH_LIMITS = ("growth_max", "block_growth_max", "own_growth_max", "element_max")


@dataclass(frozen=True)
class Limits:
    """What still counts as equal.

    Attributes:
        cosine_min: Smallest cosine similarity of a row that passes.
        red_max: Largest relative Euclidean distance of a row that passes.
        growth_max: Largest error growth of an op that only passes on the error it got.
        block_growth_max: The same of its worst block.
        own_growth_max: Largest error of a replayed op in units of its rounding.
        element_max: Largest error of one element of a replayed op in its own units.

    Example:
        >>> ait_cmp.Limits(red_max=0.02).growth_max
        4.0
        >>> ait_cmp.Limits(cosine_min=2)
        Traceback (most recent call last):
        ait_cmp.errors.ConfigError: cosine_min: a number from -1 to 1 expected, found 2
    """

    cosine_min: float = 0.99
    red_max: float = 0.05
    growth_max: float = 4.0
    block_growth_max: float = 3.2
    own_growth_max: float = 3.0
    element_max: float = 16.0

    def __post_init__(self) -> None:
        if not -1 <= self.cosine_min <= 1:
            message = f"cosine_min: a number from -1 to 1 expected, found {self.cosine_min}"
            raise ConfigError(message)
        for name in ("red_max", *GRAPH_LIMITS):
            value = getattr(self, name)
            if not value >= 0:
                message = f"{name}: a number from 0 on expected, found {value}"
                raise ConfigError(message)


def expanded(path: PathText) -> Path:
    """The path with `~` filled in.

    Raises:
        ConfigError: It begins with the home of a user that does not exist.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        message = f"{path}: {error}"
        raise ConfigError(message) from error


def one_or_several_texts(given: str | Sequence[str], name: str) -> list[str]:
    """An argument that may be one text or several: a text is no sequence of letters.

    Raises:
        ConfigError: An item is no text.
    """
    items = [given] if isinstance(given, str) else list(given)
    for item in items:
        if not isinstance(item, str):
            message = f"{name}: text expected, found {item!r}"
            raise ConfigError(message)
    return items


def one_or_several_numbers(given: int | Sequence[int], name: str) -> list[int]:
    """An argument that may be one whole number or several.

    Raises:
        ConfigError: An item is no whole number.
    """
    items = given if isinstance(given, Iterable) else [given]
    try:
        return [operator.index(item) for item in items]
    except TypeError as error:
        message = f"{name}: whole numbers expected, found {given!r}"
        raise ConfigError(message) from error


def thread_count(threads: int | None) -> int:
    """The number of worker threads that is meant; None takes all usable cores.

    Raises:
        ConfigError: It is no number from 1 to MAX_THREADS.
    """
    if threads is None:
        return min(usable_cores(), MAX_THREADS)
    if not 1 <= threads <= MAX_THREADS:
        message = f"threads: a number from 1 to {MAX_THREADS} expected, found {threads}"
        raise ConfigError(message)
    return threads


def usable_cores() -> int:
    """Cores that this process may use (affinity; not the machine's count)."""
    return len(os.sched_getaffinity(0))


def start_threads(most: int, work: Callable[[], None], name: str) -> list[threading.Thread]:
    """Run `work` on several threads.

    Args:
        most: How many are wanted.
        work: What each of them does; it must not raise.
        name: What their names begin with.

    Returns:
        Those that run: fewer than wanted, or none, where the limits of a container, of memory or
        of the user allow no more. The caller goes on with them.
    """
    threads: list[threading.Thread] = []
    for number in range(most):
        thread = threading.Thread(target=work, name=f"{name}-{number}")
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            break
        threads.append(thread)
    return threads
