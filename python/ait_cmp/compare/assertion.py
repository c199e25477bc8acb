"""A comparison as an assertion, for tests and continuous integration."""

from __future__ import annotations

from typing import Any

from ait_cmp.compare.run import compare_dirs
from ait_cmp.config import Limits, PathText
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.row import Row


def assert_dumps_close(
    my_path: PathText, golden_path: PathText, limits: Limits | None = None, **options: Any
) -> Comparison:
    """Compare two dumps and fail if they differ.

    Args:
        my_path: Folder of the dump under test.
        golden_path: Folder of the reference.
        limits: What counts as equal; None takes the defaults.
        options: What else `compare_dirs` takes, for example `baseline` or `tokens`.

    Returns:
        The comparison, when nothing differs.

    Raises:
        AssertionError: They differ, or nothing could be compared; the message is what `ait-cmp`
            prints, and where the greatest difference is.
        ConfigError: A folder or an argument is wrong.

    Example:
        >>> close = ait_cmp.assert_dumps_close("ait-cmp-demo/ge", "ait-cmp-demo/fx")
        >>> close.has_differences
        False
        >>> try:
        ...     ait_cmp.assert_dumps_close("ait-cmp-demo/ge_wrong", "ait-cmp-demo/fx")
        ... except AssertionError as error:
        ...     print(str(error).splitlines()[2])
        Mismatched tensors: 4 / 468 (0.9%)
    """
    __tracebackhide__ = True  # pytest shows the line that called
    result = compare_dirs(my_path, golden_path, limits=limits, **options)
    if result.counts["compared"] and not result.has_differences:
        return result
    raise AssertionError(_message(result))


def _message(result: Comparison) -> str:
    n_compared = result.counts["compared"]
    if not n_compared:
        return f"Nothing of the two dumps could be compared!\n\n{result.summary()}"
    n_fail = result.counts.verdicts["fail"]
    lines = [
        "Dumps are not close!",
        "",
        f"Mismatched tensors: {n_fail} / {n_compared} ({100 * n_fail / n_compared:.1f}%)",
    ]
    compared = [row for row in result.rows if row.status == "compared"]
    limits = result.run.limits if result.run is not None else Limits()
    for what, name, limit in (
        (
            "relative distance",
            "relative_euclidean_distance",
            f" (up to {limits.red_max:g} allowed)",
        ),
        ("absolute difference", "max_absolute_error", ""),
    ):
        known = [row for row in compared if getattr(row, name) is not None]
        if known:
            worst = max(known, key=lambda row: float(getattr(row, name)))
            value = float(getattr(worst, name))
            lines.append(f"Greatest {what}: {value:.6g} at {_address(worst)}{limit}")
    return "\n".join([*lines, "", result.summary()])


def _address(row: Row) -> str:
    rank = f"rank {row.rank} " if row.rank >= 0 else ""
    return f"{row.op_name} {row.io} {row.index} ({rank}{row.graph} token {row.token_id})"
