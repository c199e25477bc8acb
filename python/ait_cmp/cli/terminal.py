"""Text for a terminal: what a file holds is shown, never obeyed."""

from __future__ import annotations

import logging
import sys

# What moves the cursor, rings, changes colours or titles (C0 but for the tab, DEL, C1), or turns
# the order of what is read (bidi).
_CONTROLS = [code for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x09]
_BIDI = [0x061C, 0x200E, 0x200F, 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_SHOWN = {code: f"\\x{code:02x}" for code in _CONTROLS}
_SHOWN.update({code: f"\\u{code:04x}" for code in _BIDI})
# Bytes of names that are no UTF-8, as Python keeps them: C1 for a terminal of eight bits.
_SHOWN.update({0xDC00 + code: f"\\x{code:02x}" for code in range(0x80, 0xA0)})


def shown(text: str) -> str:
    """A line of text with control characters, line ends among them, as escapes."""
    return text.translate(_SHOWN)


def say(line: str, *, to_stderr: bool = False) -> None:
    """Print one line."""
    print(shown(line), file=sys.stderr if to_stderr else sys.stdout)


class LogFormatter(logging.Formatter):
    """Messages of the log as lines; a traceback keeps its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        record.message = shown(record.message)
        return super().formatMessage(record)
