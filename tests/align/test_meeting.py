"""Whole comparisons whose graphs, steps or ranks do not meet by number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ait_cmp import Comparison, ConfigError, compare_dirs
from ait_cmp.report.summary import summary_lines
from token_model import ROWS_PER_STEP, values_of, write_golden, write_my
from trees import FX_TIME, gm_name, rank_name


def compare(root: Path, **options: object) -> Comparison:
    return compare_dirs(root / "ge", root / "fx", **options)


def assert_all_equal(found: Comparison, n_steps: int) -> None:
    """Every tensor of so many steps is compared, and equal."""
    assert found.counts["compared"] == len(found.rows) == n_steps * ROWS_PER_STEP
    assert {row.verdict for row in found.rows} == {"pass"}
    assert {row.max_absolute_error for row in found.rows} == {0.0}


def note_of(found: Comparison, words: str) -> str:
    (note,) = [note for note in found.notes if words in note]
    return note


# --- graphs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("warm_up", [(3,), (3, 12)])
def test_one_more_warm_up_shape_on_the_golden_side_shifts_no_graph(
    tmp_path: Path, warm_up: tuple[int, ...]
) -> None:
    for number, rows in enumerate((6, 1), 1):
        write_my(tmp_path / "ge", values_of(rows, rows), graph=number)
    for number, rows in enumerate((*warm_up, 6, 1), 1):
        write_golden(tmp_path / "fx", values_of(rows, rows), graph=f"graph_{number}")
    found = compare(tmp_path)
    assert_all_equal(found, 2)
    assert "the shapes of tensors tell" in note_of(found, "graph_1 is compared with")


@pytest.mark.parametrize("my_rows", [(3, 6, 1), (6, 3, 1), (6, 1, 3)], ids=str)
def test_a_graph_more_on_my_side_is_left_out_and_no_other(
    tmp_path: Path, my_rows: tuple[int, ...]
) -> None:
    for number, rows in enumerate(my_rows, 1):
        write_my(tmp_path / "ge", values_of(rows, rows), graph=number)
    for number, rows in enumerate((6, 1), 1):
        write_golden(tmp_path / "fx", values_of(rows, rows), graph=f"graph_{number}")
    found = compare(tmp_path)
    assert found.counts["compared"] == 2 * ROWS_PER_STEP
    assert {row.max_absolute_error for row in found.rows if row.status == "compared"} == {0.0}
    left = {row.graph for row in found.rows if row.status == "unmatched"}
    assert left == {f"graph_{my_rows.index(3) + 1}"}


@pytest.mark.parametrize("runs", [(1, 3), (2, 5)])
@pytest.mark.parametrize("same_prompts", [True, False])
def test_alike_graphs_of_prefill_and_decode_meet_by_values_else_by_their_runs(
    tmp_path: Path, runs: tuple[int, int], *, same_prompts: bool
) -> None:
    """Two graphs of one text and shapes, whose numbers the golden side has swapped."""
    for number, n_runs in enumerate(runs, 1):
        for step in range(n_runs):
            prompt = 10 * number + step
            write_my(tmp_path / "ge", values_of(4, prompt), graph=number, step=step)
            golden = values_of(4, prompt if same_prompts else 40 + prompt)
            write_golden(tmp_path / "fx", golden, graph=f"graph_{3 - number}", step=step)
    found = compare(tmp_path)
    assert found.counts["compared"] == len(found.rows) == sum(runs) * ROWS_PER_STEP
    golden_of = {(row.graph, Path(row.golden_data_path).parts[-3]) for row in found.rows}
    assert golden_of == {("graph_1", "graph_2"), ("graph_2", "graph_1")}
    told = "the values of graph inputs" if same_prompts else "the number of runs"
    assert told in note_of(found, "graph_1 is compared with")


@pytest.mark.parametrize("layout", ["ge", "old"])
def test_graphs_of_other_kinds_of_golden_dumps_meet_too(tmp_path: Path, layout: str) -> None:
    for number, rows in enumerate((6, 1), 1):
        write_my(tmp_path / "ge", values_of(rows, rows), graph=number)
    for number, rows in enumerate((3, 6, 1), 1):
        values, time = values_of(rows, rows), FX_TIME + number * 1_000_000
        if layout == "ge":
            write_my(tmp_path / "fx", values, graph=number)
        else:
            graph = gm_name(time)
            write_golden(tmp_path / "fx", values, graph=graph, layout="old", step=1, time=time)
    assert_all_equal(compare(tmp_path), 2)


@pytest.mark.parametrize("rows", [1, 4])
def test_draft_and_target_model_that_swapped_numbers_meet_by_their_weights(
    tmp_path: Path, rows: int
) -> None:
    for number, model in ((1, 0), (2, 1)):
        write_my(tmp_path / "ge", values_of(rows, 3, model), graph=number)
        write_golden(tmp_path / "fx", values_of(rows, 3, model), graph=f"graph_{3 - number}")
    found = compare(tmp_path)
    assert_all_equal(found, 2)
    assert "the values of graph inputs tell" in note_of(found, "graph_1 is compared with")


def test_two_widths_of_one_program_meet_by_their_shapes(tmp_path: Path) -> None:
    for number, width in ((1, 16), (2, 32)):
        write_my(tmp_path / "ge", values_of(4, 3, 0, width), graph=number)
        write_golden(tmp_path / "fx", values_of(4, 3, 0, width), graph=f"graph_{3 - number}")
    assert_all_equal(compare(tmp_path), 2)


def test_graphs_with_the_same_numbers_on_both_sides_are_not_said(tmp_path: Path) -> None:
    for number, rows in enumerate((3, 6, 1), 1):
        write_my(tmp_path / "ge", values_of(rows, rows), graph=number)
        write_golden(tmp_path / "fx", values_of(rows, rows), graph=f"graph_{number}")
    found = compare(tmp_path)
    assert_all_equal(found, 3)
    assert not [note for note in found.notes if "is compared with" in note]


# --- steps --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [((5, 6), (0, 1)), ((0, 1, 2), (1, 2, 3)), ((0, 2, 4), (0, 1, 2)), ((3,), (0,))],
    ids=str,
)
def test_steps_meet_by_the_values_of_the_graphs_inputs(
    tmp_path: Path, mine: tuple[int, ...], theirs: tuple[int, ...]
) -> None:
    for prompt, (step, other) in enumerate(zip(mine, theirs)):
        write_my(tmp_path / "ge", values_of(3, prompt), step=step)
        write_golden(tmp_path / "fx", values_of(3, prompt), step=other)
    found = compare(tmp_path)
    assert_all_equal(found, len(mine))
    assert [row.token_id for row in found.rows][::ROWS_PER_STEP] == list(mine)
    assert note_of(found, "the values of the graph's inputs agree")


@pytest.mark.parametrize("dummies", [1, 2])
def test_warm_up_steps_on_the_golden_side_are_passed_over(tmp_path: Path, dummies: int) -> None:
    for step in range(3):
        write_my(tmp_path / "ge", values_of(2, 20 + step), step=step)
        write_golden(tmp_path / "fx", values_of(2, 20 + step), step=step + dummies)
    for step in range(dummies):
        write_golden(tmp_path / "fx", values_of(2, 99), step=step)
    assert_all_equal(compare(tmp_path), 3)


@pytest.mark.parametrize("side", ["ge", "fx"])
@pytest.mark.parametrize("stride", [2, 3])
def test_empty_step_folders_between_are_not_counted(tmp_path: Path, side: str, stride: int) -> None:
    """Other prompts on both sides: values tell nothing."""
    for number in range(3):
        steps = {"ge": number, "fx": number, side: stride * number}
        folder = write_my(tmp_path / "ge", values_of(3, number), step=steps["ge"])
        other = write_golden(tmp_path / "fx", values_of(3, 40 + number), step=steps["fx"])
        parent = (folder if side == "ge" else other).parent
        for between in range(1, stride):
            (parent / str(steps[side] + between)).mkdir()
    found = compare(tmp_path)
    assert found.counts["compared"] == len(found.rows) == 3 * ROWS_PER_STEP
    assert "are empty, those steps were not dumped" in note_of(found, "my step 0 meets 0")


def test_steps_that_were_chosen_meet_by_number(tmp_path: Path) -> None:
    """0, 2, 4 without empty folders between: the user asked for these."""
    for number in range(3):
        write_my(tmp_path / "ge", values_of(3, number), step=2 * number)
        write_golden(tmp_path / "fx", values_of(3, 40 + number), step=number)
    found = compare(tmp_path)
    assert found.counts["compared"] == 2 * ROWS_PER_STEP
    assert not [note for note in found.notes if "meets" in note]


def test_two_runs_with_other_inputs_meet_by_number(tmp_path: Path) -> None:
    for step in range(2):
        write_my(tmp_path / "ge", values_of(2, 20 + step), step=step)
        write_golden(tmp_path / "fx", values_of(2, 40 + step), step=step)
    found = compare(tmp_path)
    assert found.counts["compared"] == 2 * ROWS_PER_STEP
    assert not [note for note in found.notes if "inputs agree" in note]


@pytest.mark.parametrize("first", [5, 12])
def test_the_offset_that_a_message_proposes_works(tmp_path: Path, first: int) -> None:
    for step, other in ((first, 0), (first + 1, 1)):  # other prompts: values tell nothing
        write_my(tmp_path / "ge", values_of(2, 20 + step), step=step)
        write_golden(tmp_path / "fx", values_of(2, 40 + other), step=other)
    with pytest.raises(ConfigError) as error:
        compare(tmp_path)
    proposed = re.search(r"--golden-token-offset (-?\d+)", str(error.value))
    assert proposed is not None
    found = compare(tmp_path, golden_token_offset=int(proposed[1]))
    assert found.counts["compared"] == 2 * ROWS_PER_STEP
    assert {row.token_id for row in found.rows} == {first, first + 1}


def test_two_step_folders_are_a_pair_whatever_their_numbers(tmp_path: Path) -> None:
    mine = [write_my(tmp_path / "ge", values_of(2, step), step=step) for step in (5, 6)]
    theirs = [write_golden(tmp_path / "fx", values_of(2, 40), step=step) for step in (0, 1)]
    found = compare_dirs(mine[1], theirs[0])
    assert found.counts["compared"] == ROWS_PER_STEP
    assert {row.token_id for row in found.rows} == {6}


@pytest.mark.parametrize("level", [1, 2])
def test_two_graph_folders_are_a_pair_whatever_their_numbers(tmp_path: Path, level: int) -> None:
    for number in (1, 2):
        mine = write_my(tmp_path / "ge", values_of(2, number), graph=number)
        theirs = write_golden(tmp_path / "fx", values_of(2, number), graph=f"graph_{number + 3}")
    found = compare_dirs(mine.parents[level - 1], theirs.parent)
    assert_all_equal(found, 1)


@pytest.mark.parametrize(
    "pairs",
    [
        ["graph_1=graph_2", "graph_2=graph_1"],
        ["graph_1/1/0=graph_2/0", "{ge}/graph_2={fx}/graph_1"],
    ],
    ids=["names", "paths"],
)
def test_pairs_win_over_names_and_values(tmp_path: Path, pairs: list[str]) -> None:
    for number in (1, 2):
        folder = write_my(tmp_path / "ge", values_of(2, number), graph=number)
        write_golden(tmp_path / "fx", values_of(2, number), graph=f"graph_{number}")
    texts = [pair.format(ge=folder.parents[2], fx=tmp_path / "fx") for pair in pairs]
    found = compare(tmp_path, pairs=texts)
    golden = {(row.graph, Path(row.golden_data_path).parts[-3]) for row in found.rows}
    assert golden == {("graph_1", "graph_2"), ("graph_2", "graph_1")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("graph_1", "MY=GOLDEN expected"),
        ("graph_7=graph_1", "no step, graph or rank folder graph_7"),
        ("1=graph_1", "1 names several folders"),
    ],
)
def test_a_pair_that_names_nothing_or_several_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    for step in (0, 1):
        write_my(tmp_path / "ge", values_of(2, 0), step=step)
    write_golden(tmp_path / "fx", values_of(2, 0))
    with pytest.raises(ConfigError, match=re.escape(words)):
        compare(tmp_path, pairs=[text])


# --- ranks --------------------------------------------------------------------------------------


def test_two_ranks_of_one_run_are_compared_with_each_other(tmp_path: Path) -> None:
    for rank in (0, 1):
        write_my(tmp_path / "run", values_of(2, 0), rank=rank_name(rank), text_rank=rank)
    found = compare_dirs(tmp_path / "run" / rank_name(1), tmp_path / "run" / rank_name(0))
    assert_all_equal(found, 1)
    assert note_of(found, "my rank 1 is compared with golden rank 0")


@pytest.mark.parametrize("ranks", [None, [1]])
def test_ranks_meet_a_golden_run_of_one_process(tmp_path: Path, ranks: list[int] | None) -> None:
    for rank in (0, 1):
        write_my(tmp_path / "ge", values_of(2, 0), rank=rank_name(rank), text_rank=rank)
    write_golden(tmp_path / "fx", values_of(2, 0), rank=rank_name(0, 1))
    assert_all_equal(compare(tmp_path, ranks=ranks), 1 if ranks else 2)


def test_the_rank_that_a_message_proposes_works(tmp_path: Path) -> None:
    """Who wrote a golden dump without rank folders nobody knows."""
    for rank in (3, 7):
        write_my(tmp_path / "ge", values_of(2, rank), rank=rank_name(rank, 8), text_rank=rank)
    write_golden(tmp_path / "fx", values_of(2, 7))
    with pytest.raises(ConfigError, match="name the rank that it belongs to with --rank"):
        compare(tmp_path)
    assert_all_equal(compare(tmp_path, ranks=[7]), 1)


@pytest.mark.parametrize("world", [3, 4])
def test_ranks_that_only_golden_has_are_part_of_the_summary(tmp_path: Path, world: int) -> None:
    for rank in range(world):
        values, folder = values_of(2, rank), rank_name(rank, world)
        write_golden(tmp_path / "fx", values, rank=folder)
        if rank < 2:
            write_my(tmp_path / "ge", values, rank=folder, text_rank=rank)
    found = compare(tmp_path)
    assert_all_equal(found, 2)
    missing = "2" if world == 3 else "2 to 3"
    said = f"Ranks that only the golden dump has: {missing}."
    assert any(said in line for line in summary_lines(found))


@pytest.mark.parametrize("parts", [2, 4])
def test_shards_against_wholes_are_one_sentence(tmp_path: Path, parts: int) -> None:
    whole = values_of(4, 0)
    shard = {**whole, "weight": whole["weight"][:, : whole["weight"].shape[1] // parts]}
    shard["mm"] = whole["embedding"] @ shard["weight"]
    shard["mul"] = shard["mm"] * shard["mm"]
    write_my(tmp_path / "ge", shard)
    write_golden(tmp_path / "fx", whole)
    found = compare(tmp_path)
    assert found.counts["shape_mismatch"] > 0
    assert any(f"1/{parts}" in line for line in summary_lines(found)), list(summary_lines(found))


def test_a_pair_of_ranks_is_compared(tmp_path: Path) -> None:
    for rank in (0, 1):
        write_my(tmp_path / "ge", values_of(2, rank), rank=rank_name(rank), text_rank=rank)
        write_golden(tmp_path / "fx", values_of(2, 1 - rank), rank=rank_name(rank))
    pairs = [f"{rank_name(0)}={rank_name(1)}", f"{rank_name(1)}={rank_name(0)}"]
    assert_all_equal(compare(tmp_path, pairs=pairs), 2)


# --- padding ------------------------------------------------------------------------------------


def leading(values: dict[str, Any], rows: int) -> dict[str, Any]:
    """The values without the padding."""
    return {
        name: value if name in ("table", "weight") else value[:rows]
        for name, value in values.items()
    }


@pytest.mark.parametrize("golden_kind", ["fx", "ge"])
@pytest.mark.parametrize(("mine", "theirs"), [(8, 5), (16, 3), (4, 1)])
def test_the_leading_rows_of_a_padded_batch_are_compared(
    tmp_path: Path, mine: int, theirs: int, golden_kind: str
) -> None:
    values = values_of(mine, 0)
    write_my(tmp_path / "ge", values)
    write = write_golden if golden_kind == "fx" else write_my
    write(tmp_path / "fx", leading(values, theirs))
    found = compare(tmp_path)
    assert_all_equal(found, 1)
    padded = [row for row in found.rows if "Padded" in row.cmp_fail_reason]
    assert len(padded) == ROWS_PER_STEP - 4  # the weights are whole
    assert f"my side {mine} rows, golden {theirs}" in note_of(found, "is padded")
    plain = compare(tmp_path, padding=False)
    assert plain.counts["shape_mismatch"] + plain.counts["unmatched"] == len(padded)


@pytest.mark.parametrize("rows", [(5, 3, 8), (8, 8, 3)], ids=str)
def test_every_step_has_its_own_padding(tmp_path: Path, rows: tuple[int, ...]) -> None:
    for step, n_rows in enumerate(rows):
        values = values_of(8, step)
        write_my(tmp_path / "ge", values, step=step)
        write_golden(tmp_path / "fx", leading(values, n_rows), step=step)
    found = compare(tmp_path)
    assert_all_equal(found, 3)
    note = note_of(found, "is padded")
    assert all(f"{n}" in note for n in rows if n != 8)
    assert "the leading 5 of 8, 3 of 8 are" in note or rows[0] == 8


def test_a_model_of_another_width_is_not_padded(tmp_path: Path) -> None:
    write_my(tmp_path / "ge", values_of(4, 0, 0, 32))
    write_golden(tmp_path / "fx", values_of(4, 0, 0, 16))
    found = compare(tmp_path)
    assert found.counts["shape_mismatch"] > 0
    assert not [note for note in found.notes if "padded" in note]
