"""What a worker is asked first; sent as code, as it may have no ait-cmp, or another one."""

from __future__ import annotations

from typing import Any


def look(program: str, my_path: str, golden_path: str) -> dict[str, Any]:
    """What a worker has and sees; runs there.

    Returns:
        `program`: its version of ait-cmp, None without one. If it is ours, `my` and `golden`: the
        ranks that the folders hold there, and `why`: sentences on folders that hold none.
    """
    try:
        from ait_cmp import __version__
    except ImportError as error:
        return {"program": None, "why": [str(error)]}
    if __version__ != program:
        return {"program": __version__, "why": []}
    from ait_cmp.discover import discover
    from ait_cmp.errors import AitCmpError

    found: dict[str, Any] = {"program": __version__, "why": []}
    for side, path in (("my", my_path), ("golden", golden_path)):
        try:
            found[side] = sorted({key.rank for key in discover(path).step_keys()})
        except (AitCmpError, OSError) as error:
            found[side] = []
            found["why"].append(str(error))
    return found
