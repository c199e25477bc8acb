"""Dumps that are too large for the disk become info files; nothing is lost on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ait_cmp.convert.folder import convert_dir
    from ait_cmp.convert.watch import watch_dir

__all__ = ["convert_dir", "watch_dir"]


def __getattr__(name: str) -> object:
    # The extension is loaded when it is needed, so that --help starts at once.
    if name == "convert_dir":
        from ait_cmp.convert.folder import convert_dir

        return convert_dir
    if name == "watch_dir":
        from ait_cmp.convert.watch import watch_dir

        return watch_dir
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)
