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

    @classmethod
    def of_signal(cls, number: int) -> ExitStatus:
        """Of a command that a signal ended, as shells count."""
        return cls(128 + number)


# The same for a person who asked for help.
EXIT_STATUS_HELP = """\
exit status: 0 everything compared is within limits, 1 differences, 2 bad usage, nothing could be
compared or the report could not be written, 3 an error of the program itself, 130 interrupted,
141 nobody reads the output, 143 terminated"""
