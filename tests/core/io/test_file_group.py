"""A file that another process exchanges in the middle of a claim."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

#: Puts another file in the place of a file at the moment when its first lock is asked for.
EXCHANGE = """
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int flock(int descriptor, int operation) {
  static int is_done = 0;
  if (!is_done++) rename(getenv("NEW_FILE"), getenv("OLD_FILE"));
  return (int)syscall(SYS_flock, descriptor, operation);
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EXCHANGE, compiled."""
    folder = tmp_path_factory.mktemp("exchange")
    source, library = folder / "exchange.c", folder / "exchange.so"
    source.write_text(EXCHANGE)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def claim_while_exchanged(library: Path, new: Path, old: Path) -> list[str]:
    program = (
        "import sys; from ait_cmp import _core; print(*_core.claim_files([sys.argv[1]])[0][:2])"
    )
    added = {"LD_PRELOAD": str(library), "NEW_FILE": str(new), "OLD_FILE": str(old)}
    path = os.pathsep.join(map(os.path.abspath, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", program, str(old)],
        env={**os.environ, "PYTHONPATH": path, **added},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_a_file_exchanged_between_open_and_lock_is_not_claimed(
    tmp_path: Path, library: Path
) -> None:
    """The lock would be on a file that has no name any more; what has its name nobody has read."""
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_bytes(b"written meanwhile")
    old.write_bytes(b"opened")
    assert claim_while_exchanged(library, new, old) == [str(errno.ENOENT), "-1"]
    assert old.read_bytes() == b"written meanwhile"


def test_a_file_that_stays_is_claimed(tmp_path: Path, library: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(b"opened")
    error, descriptor = claim_while_exchanged(library, tmp_path / "none", old)
    assert error == "0"
    assert int(descriptor) >= 0
