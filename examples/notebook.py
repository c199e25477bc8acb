"""A comparison as one works in a notebook: what diverges first, and how the error goes on.

Editors run the cells (`# %%`) one by one; `python examples/notebook.py MY GOLDEN` runs all. Without
folders the sample of `ait-cmp demo` is compared.
"""

from __future__ import annotations

import sys
from collections import Counter

import ait_cmp

MY, GOLDEN = sys.argv[1:3] if len(sys.argv) > 2 else ("ait-cmp-demo/ge_wrong", "ait-cmp-demo/fx")

# %% Compare: rows stay in memory, no file is written.
result = ait_cmp.compare_dirs(MY, GOLDEN)
print(dict(result.counts))
for note in result.notes:
    print("note:", note)

# %% Where the two first part.
for found in result.first_divergence:
    print(f"{found.graph}, step {found.token}: {found.op_name} ({found.op_type})", end=", ")
    print(f"off by {found.error}; given {found.upstream_error}")
    print("  one of:", ", ".join(found.candidates))

# %% How the error goes on: the outputs of the first step in execution order.
outputs = [
    row
    for row in result.rows
    if row.io == "outputs" and row.status == "compared" and row.token_id == 0
]
for row in outputs:
    error = row.relative_euclidean_distance or 0.0
    print(f"{error:9.2e} {'#' * min(40, int(error * 400)):40} {row.op_name}")

# %% Which types of operators fail.
print(Counter(row.my_op_type for row in outputs if row.verdict == "fail").most_common(5))

# %% The values of one pair, as numpy arrays.
worst = max(outputs, key=lambda row: row.relative_euclidean_distance or 0.0)
path, _, index = worst.my_data_path.rsplit(",", 2)
values = ait_cmp.open_dump(path).outputs[int(index)].numpy()
print(worst.op_name, values.dtype, values.shape, "first values:", values.reshape(-1)[:4])
