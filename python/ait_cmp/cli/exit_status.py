"""How the command line ends, as a number for scripts."""

from __future__ import annotations

import enum


class ExitStatus(enum.IntEnum):
    """Exit statuses of all commands."""

    OK = 0
    DIFFERENCES = 1  # or: files that had to be left as they are
    USAGE = 2  # bad usage, nothing could be compared, or a report could not be written whole
    BUG = 3  # an error of the program itself
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143
