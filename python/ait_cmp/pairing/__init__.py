"""Which tensor of my side meets which golden tensor, by which rule, and why one is left out."""

from __future__ import annotations
