"""Shards against wholes are said in one sentence, other differences of shape are not."""

from __future__ import annotations

from collections import Counter

import pytest

from ait_cmp.report.shards import shard_sentence


@pytest.mark.parametrize("parts", [2, 4])
def test_shards_on_either_side_are_told(parts: int) -> None:
    pairs = [(f"[1, {n}, 128]", f"[1, {n * parts}, 128]") for n in (16, 24, 32)]
    assert f"my side are 1/{parts} of the golden ones" in shard_sentence(Counter(pairs))
    swapped = [(golden, mine) for mine, golden in pairs]
    assert f"golden side are 1/{parts} of the my ones" in shard_sentence(Counter(swapped))


@pytest.mark.parametrize(
    "pairs",
    [
        [("[8, 16]", "[5, 16]")] * 9,
        [("[8, 16]", "[16, 32]")] * 9,
        [("[8, 16]", "[8, 32]")] * 2,
        [("[8, 16]", "[8, 32]")] * 4 + [("[8, 16]", "[7, 16]")] * 4,
        [("", "[4]"), ("[4]", "")],
        [],
    ],
    ids=["padding", "two axes", "too few", "mixed", "unknown", "none"],
)
def test_other_shapes_are_no_shards(pairs: list[tuple[str, str]]) -> None:
    assert shard_sentence(Counter(pairs)) == ""
