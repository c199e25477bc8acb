"""Every operator recomputed in numpy from its own dumped inputs: right or wrong, and why.

The package is called as well: `ait_cmp.replay(dump)` is `ait_cmp.replay.run.replay(dump)`.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ait_cmp.replay.result import Replay


class _CallablePackage(ModuleType):
    """A package that is also the function that it is there for."""

    def __call__(self, *args: Any, **options: Any) -> Replay:
        """See `ait_cmp.replay.run.replay`."""
        from ait_cmp.replay.run import replay

        return replay(*args, **options)


sys.modules[__name__].__class__ = _CallablePackage
