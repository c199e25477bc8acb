"""Sentences are found by their words: every text of the table, and whatever a run says."""

from __future__ import annotations

import itertools
import re
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

import ait_cmp
from ait_cmp.cli.language import language_of
from ait_cmp.cli.main import main
from ait_cmp.report.summary import summary_lines
from ait_cmp.sentences import LANGUAGES, en_files, en_replay, en_report, en_rows
from ait_cmp.sentences.recognise import in_language
from toy_model import Toy

ROOT = Path(__file__).parents[1]
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def contents_of(text: str) -> dict[str, str]:
    """Something for every blank of a text that is no sentence."""
    numbers = itertools.count(7)
    contents = {}
    for name in dict.fromkeys(re.findall(r"\{(\w+)\}", text)):
        is_number = name == "n" or name.startswith("n_")
        contents[name] = str(next(numbers)) if is_number else f"X_{next(numbers)}"
    return contents


def filled(text: str, contents: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda blank: contents[blank[1]], text)


TABLES = {"report": en_report, "rows": en_rows, "files": en_files, "replay": en_replay}
# Without words of their own; parts of a list begin with `list_`.
FRAMES = {"reason_and_count", "why_and_remark", "named_part"}


@pytest.mark.parametrize("table", TABLES)
def test_every_text_is_found_with_what_stands_in_its_blanks(table: str) -> None:
    found, expected = {}, {}
    for key, text in TABLES[table].TEXTS.items():
        if key not in FRAMES and not key.startswith("list_"):
            contents = contents_of(text)
            said = filled(text, contents)
            found[key] = in_language(said, "zh"), in_language(said, "en")
            expected[key] = filled(LANGUAGES["zh"][key], contents), said
    assert found == expected
    assert expected


def test_a_frame_counts_where_a_part_is_known() -> None:
    assert in_language("A_1: a reduced thing.", "zh") == "A_1: a reduced thing."
    assert in_language("MatMul_3: it is fine; more", "zh") == "MatMul_3: it is fine; more"
    told = in_language("12 times what it was given; the same rows in another order", "zh")
    assert told == "误差为输入带来的 12 倍；行相同，顺序不同"


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        ("a, b", "a, b"),
        ("a, b and 3 more", "a, b 等，另有 3 个"),
        ("a and 2 before them", "a 以及此前的 2 个"),
        ("0-3, 6-7 and others", "0-3, 6-7 等"),
        ("0, 3 to 9", "0, 3 到 9"),
        ("3 meets 5, 4 meets 6 and so on", "3 对应 5, 4 对应 6 等"),
        ("task 3 of stream 4", "流 4 的任务 3"),
        ("a or b", "a 或 b"),
        ("Mul_3 in rank 0 graph_1 token 1", "Mul_3 在 rank 0 graph_1 token 1"),
        ("Mul_3 (Mul), FX node mul_3", "Mul_3 (Mul), FX 节点 mul_3"),
    ],
)
def test_what_stands_between_names_is_told(listed: str, expected: str) -> None:
    told = in_language(f"Step folders without any dump: {listed}.", "zh")
    assert told == f"没有任何落盘数据的步目录：{expected}。"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "NOT READ: my: /d/0: this folder could not be read (Permission denied). And 3 more.",
            "未读取：待测：/d/0：无法读取该目录（权限不足）。另有 3 个。",
        ),
        (
            "NOT COMPARED: 2 tensors have another shape or cannot be read. The first: token 0, "
            "Mul_3 (Mul) inputs 0: my: 512 bytes declared, 4 left at byte 300 (file cut short?).",
            "未比较：2 个张量形状不同或无法读取。第一个：token 0，Mul_3 (Mul) inputs 0："
            "待测：声明 512 字节，第 300 字节处只剩 4 字节（文件被截断？）。",
        ),
        (
            '/d/Mul: header: field 3 "input": a message expected, found wire type 0 at byte 9.',
            "/d/Mul：文件头：字段 3（input）应为消息，第 9 字节处的 wire type 为 0。",
        ),
        (
            "my: layout not converted: original shape (2, 3) does not fit FRACTAL_NZ (1, 2) of 2 "
            "groups; trailing bytes: 20 declared, the first 10 used. No op reads it.",
            "待测：布局未转换：原始形状 (2, 3) 与 2 组的 FRACTAL_NZ (1, 2) 不符；"
            "有多余字节：声明 20 字节，使用前 10 字节。没有算子读取它。",
        ),
        (
            "Add_1 could not be replayed: its input x1 comes from Data_3, which is not in the dump "
            '(dump_mode="all" dumps it).',
            'Add_1 无法重放：其输入 x1 来自没有落盘的 Data_3（dump_mode="all" 可落盘）。',
        ),
        ("     12  a cast to DT_X is not known", "     12  不支持转换为 DT_X"),
        ("     12  unreadable: /d/Mul: the file is empty", "     12  不可读：/d/Mul：文件为空"),
        ("/d/Mul: No such file or directory", "/d/Mul：没有该文件或目录"),
        ("Nobody knows this. No op reads it.", "Nobody knows this. 没有算子读取它。"),
        (
            "golden_data includes NAN or inf. (0 NaN, 64 inf, 0 -inf of 64) my_data includes NAN "
            "or inf. (0 NaN, 63 inf, 0 -inf of 64) 1 pair is saturation, no mismatch. "
            "cosine_similarity 0.9 < 0.99, error_growth 12 > 4. No op reads it.",
            "golden 数据含有 NaN 或 inf。（共 64 个：0 个 NaN，64 个 inf，0 个 -inf）"
            "my 数据含有 NaN 或 inf。（共 64 个：0 个 NaN，63 个 inf，0 个 -inf）"
            "1 对不等的值为饱和，不算不一致。"
            "cosine_similarity 0.9 < 0.99, error_growth 12 > 4. 没有算子读取它。",
        ),
        (
            "my: dtype DT_HIFLOAT4 has no public value coding: raw bytes. golden: not a tensor: "
            "pickled Python object (None, dtype, ...); never unpickled. The bytes are no numbers.",
            "待测：dtype DT_HIFLOAT4 没有公开的编码：按原始字节处理。标杆：不是张量："
            "pickle 的 Python 对象（None、dtype 等），不会反序列化。这些字节不是数值。",
        ),
        (
            "/d/a.npz: not a readable info file of ait-cmp (values32 of float32 with 1 dimensions "
            "expected, found int32 of shape (4, 2)); written by another tool?",
            "/d/a.npz：不是可读的 ait-cmp info 文件（values32 应为 1 维的 float32，"
            "实为形状 (4, 2) 的 int32）；由其他工具写出？",
        ),
        (
            "Padded: my side 4 rows, golden 1: the leading 1 are compared.",
            "有补齐：待测 4 行，标杆 1 行：比较前 1 行。",
        ),
    ],
)
def test_what_damaged_files_get_is_told(said: str, expected: str) -> None:
    assert in_language(said, "zh") == expected


def test_what_is_not_known_stays_as_it_is() -> None:
    assert in_language("Something else was said.", "zh") == "Something else was said."
    assert in_language("", "zh") == ""


def test_of_several_sentences_those_that_are_known_are_told() -> None:
    line = "MatMul_3 is right on its own inputs. No later row is outside the limits."
    assert in_language(f"  {line}", "zh") == (
        "  MatMul_3 对自身输入的计算正确。其后没有行超出阈值。"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            "Mul_9 (Mul) does not compute a Mul of its inputs: off by 0.1, 9 times its rounding, "
            "4 of 8 elements; input 0 is not what Add wrote (2 of 8 elements): the buffer was "
            "overwritten in between. It equals the result times 0.5.",
            "Mul_9 (Mul) 的输出与由其输入计算的 Mul 结果不符：误差 0.1，为舍入误差的 9 倍，"
            "涉及 8 个元素中的 4 个；"
            "输入 0 不是 Add 写出的内容（8 个元素中有 2 个不同）：其间内存被踩踏。"
            "它等于正确结果乘以 0.5。",
        ),
        (
            "unmatched       6 = 4 in a rank, graph or step that the golden dump lacks, 2 of an "
            "operator that only GE has",
            "无对应张量      6 = 4 个所在的 rank、图或步在标杆中不存在；2 个属于只有 GE 才有的算子",
        ),
        (
            "ALSO DIVERGES Exp (Exp) in graph_1 token 0: What Exp read is not what Add wrote: "
            "the buffer was overwritten in between; 2 more places",
            "另一偏差算子 Exp (Exp)（graph_1 token 0）：Exp 读到的不是 Add 写出的内容："
            "其间内存被踩踏；另有 2 处",
        ),
        (
            "graph_1 is compared with the golden graph_2, which has 98% of its nodes: the names "
            "of nodes, the shapes of tensors and the number of runs tell, not the names of the "
            "graphs.",
            "graph_1 与标杆 graph_2 比较，后者有其节点的 98%：依据为节点名、张量形状、运行次数，"
            "而不是图的名字。",
        ),
    ],
)
def test_sentences_of_parts(said: str, expected: str) -> None:
    assert in_language(said, "zh") == expected


@pytest.mark.parametrize(("my", "golden"), [("ge_wrong", "fx"), ("ge_wrong", "ge"), ("ge", "fx")])
def test_every_line_of_a_summary_is_told_in_chinese(sample: Path, my: str, golden: str) -> None:
    result = ait_cmp.compare_dirs(sample / my, sample / golden)
    for line in summary_lines(result):
        assert CHINESE.search(in_language(line, "zh")), line


@pytest.mark.parametrize("how", ["option", "variable"])
def test_the_language_is_chosen(
    how: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    toy = Toy()
    golden = np.random.default_rng(1).standard_normal((8, 96)).astype(np.float32)
    toy.op("Exp", [toy.data("arg0_1", golden)], np.exp(golden) * np.float32(1.2), np.exp(golden))
    toy.write(tmp_path)
    folders = [str(tmp_path / "my"), str(tmp_path / "golden"), "--output", str(tmp_path)]
    if how == "variable":
        monkeypatch.setenv("AIT_CMP_LANG", "zh")
    assert main([*folders, *(["--lang", "zh"] if how == "option" else [])]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("首个偏差算子（graph_1 token 0）：Exp")
    assert main([*folders, "--lang", "en"]) == 1
    assert capsys.readouterr().out.startswith("FIRST DIVERGENCE in graph_1 token 0: Exp")
    texts = [path.read_text(encoding="utf-8") for path in tmp_path.glob("*.csv")]
    assert texts
    assert not any(CHINESE.search(text) for text in texts)


def test_a_replay_alone_is_told_in_chinese(
    tmp_path: Path, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["replay", str(sample / "ge_wrong"), "--output", str(tmp_path), "--lang", "zh"]
    assert main(command) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert all(CHINESE.search(line) for line in lines), lines


def test_a_wrong_variable_is_told(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIT_CMP_LANG", "fr")
    assert main([str(sample / "ge"), str(sample / "fx")]) == 2
    assert "AIT_CMP_LANG=fr: one of en, zh expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variables", "encoding", "is_terminal", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "utf-8", True, "zh"),
        ({"LANG": "zh_CN.UTF-8"}, "utf-8", False, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "utf-8", True, "en"),
        ({"LANG": "zh_CN"}, "ascii", True, "en"),
        ({"LANG": "en_US.UTF-8"}, "utf-8", True, "en"),
        ({"LANG": "en_US.UTF-8", "AIT_CMP_LANG": "zh"}, "utf-8", False, "zh"),
    ],
)
def test_the_locale_counts_on_a_terminal(
    variables: dict[str, str],
    encoding: str,
    is_terminal: bool,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Output:
        def __init__(self) -> None:
            self.encoding = encoding

        def isatty(self) -> bool:
            return is_terminal

    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "AIT_CMP_LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Output())
    assert language_of(Namespace(lang=None)) == language
