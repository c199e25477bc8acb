"""Benchmarks of ait-cmp: `python -m benchmarks --help`."""
