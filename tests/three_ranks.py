"""Dumps of three ranks that find different things, for what puts ranks together."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import small_model
from trees import rank_name

RANKS = (0, 1, 2)


def write(folder: Path) -> None:
    """`folder`/ge and `folder`/fx.

    Rank 0 is right. Rank 1 computes another product. Rank 2 has another input, and in its last step
    a file that is cut short.
    """
    small_model.write_dumps(folder, ranks=RANKS)
    for token in (0, 1):
        values = small_model.values_of(token, 1)
        values["mul"] = values["mul"] * np.float32(1.5)
        dump = small_model.dumps_of(values)[small_model.MUL]
        (step_folder(folder, 1, token) / small_model.MUL).write_bytes(dump.file_bytes())
    broken = step_folder(folder, 2, 1) / small_model.ABS
    broken.write_bytes(broken.read_bytes()[:40])
    for path in (folder / "fx" / rank_name(2)).rglob("*INPUT*"):
        np.save(path, np.load(path) * np.float32(3))


def step_folder(folder: Path, rank: int, token: int) -> Path:
    """Where a step of the GE dump lies."""
    (found,) = {
        path.parent
        for path in (folder / "ge" / rank_name(rank)).rglob("Abs*")
        if path.parent.name == str(token)
    }
    return found
