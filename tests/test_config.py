from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ait_cmp import ConfigError
from ait_cmp.config import one_or_several_numbers, one_or_several_texts


@pytest.mark.parametrize("given", ["MatMul*", ["MatMul*"], ("MatMul*",)])
def test_a_text_is_one_pattern_and_no_sequence_of_letters(given: Any) -> None:
    assert one_or_several_texts(given, "ops") == ["MatMul*"]


@pytest.mark.parametrize("given", [3, [3], range(3, 4), np.array([3]), [np.int64(3)]])
def test_a_number_is_a_list_of_one(given: Any) -> None:
    assert one_or_several_numbers(given, "tokens") == [3]


@pytest.mark.parametrize("given", ["0", ["0"], [0.5], 0.5, [None]])
def test_what_is_no_whole_number_is_refused(given: Any) -> None:
    with pytest.raises(ConfigError, match="tokens: whole numbers expected"):
        one_or_several_numbers(given, "tokens")


def test_what_is_no_text_is_refused() -> None:
    given: Any = ["Add*", 3]
    with pytest.raises(ConfigError, match="ops: text expected, found 3"):
        one_or_several_texts(given, "ops")
