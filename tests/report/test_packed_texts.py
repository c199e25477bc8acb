"""Packed texts are a sequence like the list of them."""

from __future__ import annotations

import pickle

import pytest

from ait_cmp.report.packed_texts import PackedTexts


@pytest.mark.parametrize("n", [0, 1, 1023, 1024, 1025, 2048, 3000])
def test_packed_texts_are_a_sequence(n: int) -> None:
    texts = [f"/dump/\udcff/\u4e2d_{i}.npy" for i in range(n)]
    packed = PackedTexts(texts[: n // 3])
    packed.extend(texts[n // 3 : n // 2])
    packed.extend(iter(texts[n // 2 :]))
    assert len(packed) == n
    assert list(packed) == texts
    assert packed == texts
    assert packed != [*texts, "x"]
    assert [packed[i] for i in range(-n, n)] == [texts[i] for i in range(-n, n)]
    assert packed[1000:1030] == texts[1000:1030]
    assert pickle.loads(pickle.dumps(packed)) == texts
    with pytest.raises(IndexError):
        packed[n]
