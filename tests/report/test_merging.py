"""Comparisons of single ranks merge to that of all ranks, in whatever grouping."""

from __future__ import annotations

import itertools
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

import ait_cmp
import three_ranks
from ait_cmp.report.comparison import Comparison
from ait_cmp.report.notes import Note
from ait_cmp.report.tally import Tally, merged_tally
from three_ranks import RANKS
from trees import rank_name


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    three_ranks.write(folder)
    return folder


def compared(folder: Path, ranks: Any, **options: Any) -> Comparison:
    return ait_cmp.compare_dirs(folder / "ge", folder / "fx", ranks=ranks, **options)


@pytest.fixture(scope="module")
def parts(dumps: Path) -> dict[int, Comparison]:
    return {rank: compared(dumps, rank) for rank in RANKS}


@pytest.fixture(scope="module")
def whole(dumps: Path) -> Comparison:
    return compared(dumps, list(RANKS))


def told(result: Comparison) -> dict[str, Any]:
    """What result.json says, without what tells of the run."""
    content: dict[str, Any] = json.loads(json.dumps(result.result))
    for name in ("command", "made", "time", "runs"):
        del content[name]
    return content


def test_the_ranks_of_this_dump_differ_in_what_they_find(parts: dict[int, Comparison]) -> None:
    assert not parts[0].has_differences
    assert {found.op_name for found in parts[1].divergences} == {"Mul_2", "Sqrt_3"}
    assert parts[2].counts["unreadable"] == 1
    assert parts[2].inputs_differ


@pytest.mark.parametrize("order", list(itertools.permutations(RANKS)))
def test_every_order_and_grouping_is_the_comparison_of_all(
    whole: Comparison, parts: dict[int, Comparison], order: tuple[int, int, int]
) -> None:
    first, second, third = (parts[rank] for rank in order)
    for merged in (first.merge(second).merge(third), first.merge(second.merge(third))):
        assert told(merged) == told(whole)
        assert merged.summary() == whole.summary()
        assert list(merged.rows) == list(whole.rows)
        assert [merged.rows[at] for at in (0, 20, -1)] == [whole.rows[at] for at in (0, 20, -1)]
        assert merged.rows[3:30:5] == whole.rows[3:30:5]
        assert merged.divergences == whole.divergences
        assert merged.first_divergence == whole.first_divergence
        assert (merged.counts, vars(merged.counts)) == (whole.counts, vars(whole.counts))


def test_the_parts_stay_as_they_are(parts: dict[int, Comparison]) -> None:
    before = [json.dumps(told(part), sort_keys=True) for part in parts.values()]
    parts[1].merge(parts[0]).merge(parts[2])
    assert [json.dumps(told(part), sort_keys=True) for part in parts.values()] == before


def test_a_golden_rank_that_another_part_meets_is_not_alone(dumps: Path, tmp_path: Path) -> None:
    """Each host has its own ranks of the my side, and all of the golden side."""
    for rank in (0, 1):
        host = tmp_path / f"host{rank}"
        host.mkdir()
        (host / rank_name(rank)).symlink_to(dumps / "ge" / rank_name(rank))
        for text in (dumps / "ge").glob("*.txt"):
            (host / text.name).symlink_to(text)
    alone = [ait_cmp.compare_dirs(tmp_path / f"host{rank}", dumps / "fx") for rank in (0, 1)]
    assert alone[0].left_out == ["Ranks that only the golden dump has: 1 to 2."]
    merged = alone[0].merge(alone[1])
    assert merged.left_out == ["Ranks that only the golden dump has: 2."]
    (tmp_path / "both").mkdir()
    for host in ("host0", "host1"):
        for path in (tmp_path / host).iterdir():
            if not (link := tmp_path / "both" / path.name).exists():
                link.symlink_to(path.resolve())
    both = ait_cmp.compare_dirs(tmp_path / "both", dumps / "fx")
    assert merged.counts.golden == both.counts.golden
    assert merged.left_out == both.left_out


def test_what_does_not_fit_is_one_sentence(dumps: Path, parts: dict[int, Comparison]) -> None:
    with pytest.raises(ait_cmp.ConfigError, match="rank 1 is in .* give each rank once"):
        parts[1].merge(parts[0]).merge(parts[1])
    limits = ait_cmp.Limits(red_max=0.5)
    with pytest.raises(ait_cmp.ConfigError, match=r"fit together: red_max is 0\.5 and 0\.05"):
        parts[1].merge(compared(dumps, 0, limits=limits))


def test_a_comparison_travels_and_needs_its_dump_no_more(
    dumps: Path, whole: Comparison, tmp_path: Path
) -> None:
    """Pickled where its dump is, merged where it is not."""
    expected = told(whole)
    sent = [pickle.dumps(compared(dumps, rank, keep_rows=rank != 1)) for rank in RANKS]
    for side in ("ge", "fx"):
        (dumps / side).rename(tmp_path / side)
    try:
        parts = [pickle.loads(one) for one in sent]
        merged = parts[2].merge(parts[0]).merge(parts[1])
        assert told(merged) == expected
        assert any(found["errors"] for found in expected["divergences"])
        assert {row.rank for row in merged.rows} == {0, 2}
    finally:
        for side in ("ge", "fx"):
            (tmp_path / side).rename(dumps / side)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_of_the_first_uncompared_rows_that_of_the_first_graph_is_named(
    order: tuple[int, int, int],
) -> None:
    notes = [
        Note("rows", *where, "why") for where in ((0, "graph_2"), (1, "graph_1"), (1, "graph_3"))
    ]
    parts = [Tally(not_compared=notes[place]) for place in order]
    assert merged_tally([Tally(), *parts]).not_compared == notes[0]
