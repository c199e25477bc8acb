"""All ranks of a run dump into one folder, each below a folder of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ait_cmp.discover import discover


def test_two_ranks_share_the_folder_of_a_call(tmp_path: Path) -> None:
    script = Path(__file__).with_name("one_rank.py")
    ranks = [
        subprocess.Popen(
            [sys.executable, script, tmp_path / "store", str(rank)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in (0, 1)
    ]
    printed = [rank.communicate()[0].split()[-1] for rank in ranks]
    assert [rank.returncode for rank in ranks] == [0, 0]

    ge_folder = Path(printed[0]).parent
    assert printed == [str(ge_folder / f"worldsize2_global_rank{rank}") for rank in (0, 1)]
    (fx_folder,) = set((tmp_path / "dump").iterdir()) - {ge_folder}
    tree = discover(fx_folder)
    assert [(key.rank, key.step) for key in tree.step_keys()] == [(0, 0), (1, 0)]
