"""Reduced dumps: writing info files, reading them back, comparing them."""

from __future__ import annotations
