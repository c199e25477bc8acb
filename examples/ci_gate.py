"""A gate of a continuous integration: fails when a new build of a model computes something else.

    python examples/ci_gate.py MY GOLDEN

It is stricter than the exit status of `ait-cmp`: it also fails where less than a known share of the
tensors could be compared, so that a dump that was cut short does not pass for a good one. The
report is kept for whoever looks into it.
"""

from __future__ import annotations

import sys

import ait_cmp

# Of the tensors of the GE dump, so many have a counterpart in a good run of this model.
LEAST_COMPARED = 0.5


def complaints(result: ait_cmp.Comparison) -> list[str]:
    """What stands in the way; nothing if the build may pass."""
    found = [
        f"{at.op_name} ({at.op_type}) computes something else in {at.graph}, step {at.token}"
        for at in result.first_divergence
    ]
    if result.has_differences and not found:
        found.append("some tensors are outside the limits, or could not be held against theirs")
    share = result.counts["compared"] / max(result.counts.total, 1)
    if share < LEAST_COMPARED:
        found.append(f"only {share:.0%} of the tensors could be compared")
    return found


def main(my: str, golden: str) -> int:
    limits = ait_cmp.Limits(red_max=0.02)
    try:
        result = ait_cmp.compare_dirs(my, golden, limits=limits, output="report")
    except ait_cmp.AitCmpError as error:
        print(f"FAILED: {error}")
        return 2
    found = complaints(result)
    for line in found:
        print(f"FAILED: {line}")
    for path in result.csv_paths:
        print(f"report: {path}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
