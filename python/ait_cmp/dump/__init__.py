"""Helpers for the machine that dumps; none imports torch before it is called."""
