"""Lists of numbers on the command line."""

from __future__ import annotations

import argparse

import pytest

from ait_cmp.cli.number_list import joined, numbers_of


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["0", "1", "3"], [0, 1, 3]),
        (["0,1,3"], [0, 1, 3]),
        (["0-3", "7"], [0, 1, 2, 3, 7]),
        (["0|2-3"], [0, 2, 3]),
        (["0-1,1-2"], [0, 1, 2]),
        (["5-5"], [5]),
        ([" 1 , 2 "], [1, 2]),
    ],
)
def test_numbers(words: list[str], numbers: list[int]) -> None:
    assert joined([numbers_of(word) for word in words]) == numbers


def test_nothing_given() -> None:
    assert joined(None) is None


@pytest.mark.parametrize("word", ["", "a", "-1", "1-", "3-1", "1;2", "1.5", "0-9999999", "٣"])
def test_other_words(word: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="expected, found"):
        numbers_of(word)
