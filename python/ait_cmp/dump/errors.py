"""Errors of the dump helpers.

Each is also the built-in error that torchair raises in that case: scripts may catch either.
"""

from __future__ import annotations

from ait_cmp.errors import AitCmpError, ConfigError


class ConfigTypeError(ConfigError, TypeError):
    """An argument has the wrong type."""


class ConfigFileNotFoundError(ConfigError, FileNotFoundError):
    """A file named by an argument does not exist."""


class TorchairMissingError(AitCmpError, ModuleNotFoundError):
    """torchair is not installed, or does not load."""
