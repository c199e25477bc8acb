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
