"""The progress line on stderr; only where a person looks at it."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm


class ProgressLine:
    """Tensors done of those known so far; silent when stderr is no terminal."""

    def __init__(self, *, enabled: bool) -> None:
        self._line: tqdm[None] | None = None
        if not enabled or not sys.stderr.isatty():
            return
        from tqdm import tqdm

        self._line = tqdm(
            unit=" tensors", unit_scale=True, file=sys.stderr, leave=False, dynamic_ncols=True
        )

    def __call__(self, n_done: int, n_known: int) -> None:
        if self._line is not None:
            self._line.total = n_known
            self._line.update(n_done - self._line.n)

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._line is not None:
            self._line.close()
