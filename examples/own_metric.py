"""A metric of your own: the share of values of which the sign differs.

It is a column of the report:

    ait-cmp -mp MY -gp GOLDEN --custom-algorithms examples/own_metric.py:sign_changes

`python examples/own_metric.py MY GOLDEN` prints the rows where it is largest.
"""

from __future__ import annotations

import sys

import numpy as np

import ait_cmp


def sign_changes(golden: np.ndarray, my: np.ndarray) -> tuple[float, str]:
    """Two flat float32 arrays of one length -> the value of the cell, and a message or ""."""
    share = float(np.mean(np.sign(golden) != np.sign(my))) if my.size else 0.0
    return share, "More than a tenth of the signs differ." if share > 0.1 else ""


def main(my: str, golden: str) -> None:
    result = ait_cmp.compare_dirs(my, golden, custom_algorithms=f"{__file__}:sign_changes")
    shares = [(float(row.custom[0]), row) for row in result.rows if row.custom[0]]
    for share, row in sorted(shares, key=lambda pair: -pair[0])[:5]:
        print(f"{share:6.1%} {row.op_name} {row.io} {row.index} (step {row.token_id})")


if __name__ == "__main__":
    main(*sys.argv[1:3])
