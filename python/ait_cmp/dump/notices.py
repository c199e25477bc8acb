"""What the dump helpers tell before the run, on stderr unless the program has its own logging."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from ait_cmp.dump.folders import distributed, free_bytes
from ait_cmp.terms import size_text

_log = logging.getLogger("ait_cmp.dump")

# A 7B model writes tens of gigabytes for each token.
_LOW_SPACE_BYTES = 20 * 2**30


class _StderrHandler(logging.Handler):
    """Writes to what sys.stderr is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"ait-cmp: {record.getMessage()}", file=sys.stderr, flush=True)


def _show_by_default() -> None:
    """Make notices visible where the program did not say otherwise.

    Plain logging drops everything below WARNING. A level or handler that the program set on
    "ait_cmp.dump" (or a parent, for handlers) stays.
    """
    if _log.level == logging.NOTSET:
        _log.setLevel(logging.INFO)
    if not _log.hasHandlers():
        _log.addHandler(_StderrHandler())


def notify(message: str) -> None:
    """Tell something that is as it should be."""
    _show_by_default()
    _log.info(message)


def warn(message: str) -> None:
    """Tell something that probably spoils the dump."""
    _show_by_default()
    _log.warning("WARNING: %s", message)


def tell_space(folder: Path) -> None:
    """Tell the free space on the disk of `folder`."""
    free = free_bytes(folder)
    if free < _LOW_SPACE_BYTES:
        warn(
            f"only {size_text(free)} free on the disk of {folder}; a large model dumps tens of "
            "GiB for each token. Restrict the dump, or reduce it while the model runs: "
            "ait-cmp convert DIR --watch"
        )
    else:
        notify(f"{size_text(free)} free on the disk of {folder}")


def warn_about_ranks() -> None:
    """Warn if this process is one rank of several and torch.distributed does not know it yet."""
    rank, world_size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or world_size in (None, "1") or distributed() is not None:
        return
    warn(
        f"RANK={rank} and WORLD_SIZE={world_size} are set but torch.distributed is not "
        "initialised: every rank gets a dump folder of its own, and if it is still not "
        "initialised when the model is compiled, the folder inside is called "
        "worldsize1_global_rank0 for every rank, so that ranks cannot be told apart. "
        "Call torch.distributed.init_process_group before this helper"
    )
