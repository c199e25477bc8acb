"""The errors that a caller can catch; each message says what, where and what next."""

from __future__ import annotations


class AitCmpError(Exception):
    """Any failure that the user can do something about."""


class FormatError(AitCmpError):
    """The bytes of a file are not what its format promises."""


class ShapeError(AitCmpError):
    """Two tensors do not fit together."""


class ConfigError(AitCmpError, ValueError):
    """An argument, a folder or an option is wrong."""


def reason_of(error: Exception) -> str:
    """What a sentence of a report says of an error: of the system its words, not its number."""
    if not isinstance(error, OSError) or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
