"""Whatever the sources say in a report stands in the tables of sentences, and nothing else does."""

from __future__ import annotations

import errno
import functools
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "torture"))
import damage

import said_sentences
from ait_cmp import FormatError
from ait_cmp.sentences import LANGUAGES, en_files, en_replay, en_report, en_rows
from ait_cmp.sentences.recognise import in_language
from python_sources import read_source
from said_sentences import ROOT, Said, in_cpp, in_python, not_told

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PACKAGE = ROOT / "python/ait_cmp"
# What a command says of itself, the log of a conversion, torchair's configuration.
OTHER_ROOMS = {"cli", "convert", "dump", "sentences"}
CPP_ROOMS = ("io", "formats", "tensor", "compare", "sketch", "report", "replay")
# Files without a sentence of a report -> what their texts are.
OTHER_FILES = {
    "compare/assertion.py": "an AssertionError of the user's tests",
    "fx_sources.py": "the name of a format",
    "info/overflow.py": "`ait-cmp show` of an overflow record",
    "info/stats_csv.py": "names of columns that GE writes",
    "replay/export.py": "a program",
    "report/column_docs.py": "docstrings",
    "report/columns.py": "both languages side by side",
    "report/comparison.py": "repr() and HTML of Python objects",
    "report/html/page.py": "markup",
    "report/html/tables.py": "errors that end `ait-cmp report`",
    "report/merged_files.py": "errors that end `ait-cmp merge`",
    "report/merging.py": "errors that end `ait-cmp merge`",
    "report/replay_columns.py": "both languages side by side",
    "report/result/baseline.py": "errors of --baseline",
    "report/result/read_parts.py": "errors that end `ait-cmp merge`",
    "report/result/reading.py": "errors that end `ait-cmp report`",
    "report/row.py": "docstrings",
    "csrc/report/packed_rows.cpp": "rows that this process packed itself",
}
# Texts of other files that no report shows -> what they are.
OTHER_TEXTS = {
    "shape axis num_axes": "names of attributes",
    "custom algorithm {}": "errors of --custom-algorithms",
}
# Parts that are put together where they are said -> the sentence that they make.
PARTS = {
    "INPUTS DIFFER: {}{}: the two runs were not given the same data.": "input_and_more",
    "FIRST DIVERGENCE in {}: {} ({}){}": "first_divergence",
    "off by {} at most, cosine {} ({}, {} token {}){}": "output_choice",
    "my tensors      {} = {}": "my_tensors",
    "  more: ait-cmp diff {}": "more",
    "{} ({}) does not compute {} of its inputs: {}{}.{}": "wrong_op",
    "infinitely many times": "how_rounding",
    "golden: the tensors of {} be read are not counted; {}.": "golden_files_lost",
}


@functools.cache
def of_python() -> list[Said]:
    return [one for path in python_files() for one in read_source(path).texts]


def python_files() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE))
        if name.split("/")[0] not in OTHER_ROOMS and name not in OTHER_FILES:
            yield path


@functools.cache
def of_cpp() -> list[Said]:
    paths = [path for room in CPP_ROOMS for path in sorted((ROOT / "csrc" / room).iterdir())]
    return [
        one
        for path in paths
        if path.suffix in (".h", ".cpp") and str(path.relative_to(ROOT)) not in OTHER_FILES
        for one in in_cpp(path)
    ]


def test_every_text_of_the_sources_is_told_in_chinese() -> None:
    """Of a new text the failure says file and line: it lacks a row in en_*.py and zh_*.py."""
    tables = [*LANGUAGES["en"].values(), *OTHER_TEXTS, *PARTS]
    assert not not_told([*of_python(), *of_cpp()], tables)
    assert len(of_python()) > 300
    assert len(of_cpp()) > 80


def test_what_is_left_out_is_still_said() -> None:
    said = {one.text for one in of_python()}
    assert {*OTHER_TEXTS, *PARTS} <= said
    assert set(PARTS.values()) <= LANGUAGES["en"].keys()
    assert all((PACKAGE / name).exists() or (ROOT / name).exists() for name in OTHER_FILES)


@pytest.mark.parametrize(
    ("name", "source", "line"),
    [
        ("a.py", "def f(n):\n    return f'there are {n} new problems'\n", 2),
        (
            "a.py",
            "def f(n):\n    message = f'there are {n} '\n    message += 'new problems'\n"
            "    raise FormatError(message)\n",
            3,
        ),
        (
            "a.cpp",
            '// "no"\nvoid f() {\n  throw FormatError(name + ": so many new problems");\n}',
            3,
        ),
        ("a.cpp", 'auto f() { return n == 1 ? "one new problem"\n : "all new problems"; }', 1),
    ],
)
def test_a_text_without_chinese_is_named_with_file_and_line(
    name: str, source: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said_sentences, "ROOT", tmp_path)
    path = tmp_path / name
    path.write_text(source)
    said = (in_python if name.endswith(".py") else in_cpp)(path)
    missing = not_told(said, LANGUAGES["en"].values())
    assert [text for text in missing if text.startswith(f"{name}:{line}: ")]


@pytest.mark.parametrize(
    "source",
    [
        '"""All the new words."""\n',
        "def f(n):\n    log.info('there are %s new problems', n)\n",
        "def f(n):\n    message = f'there are {n} new problems'\n    raise ConfigError(message)\n",
        "T = 'all new problems'\ndef f(n):\n    raise ConfigError(T.format(n))\n",
    ],
)
def test_what_no_report_shows_is_left_out(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said_sentences, "ROOT", tmp_path)
    path = tmp_path / "a.py"
    path.write_text(source)
    assert not list(in_python(path))


def test_literals_of_cpp_are_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(said_sentences, "ROOT", tmp_path)
    path = tmp_path / "a.cpp"
    path.write_text('x = "field " + std::to_string(n) + " \\"" + name +\n "\\": a text " "of it";')
    assert [one.text for one in in_cpp(path)] == ['field {} "{}": a text of it']


# Put together where they are said: plurals, places, parts of sentences.
PUT_TOGETHER = {
    *("reason_and_count", "why_and_remark", "named_part", "not_known"),
    *("what_a", "what_an", "place_rank", "where_rank", "where", "sides", "how_rounding"),
    *("same_at_one", "same_at", "same_at_and_more", "one_without_block", "without_block"),
    *("nonfinite_rows", "nonfinite_elements"),
    *("and_more_ops", "and_more_inputs", "and_more_reasons"),
}
# What the system and Python say of errors.
OF_OTHERS = {
    *(os.strerror(number) for number in errno.errorcode),
    "[Errno {n}] {part}: {path}",
    "invalid literal for int() with base 10: {text}",
    "could not convert string to float: {text}",
}


def test_every_text_of_the_tables_is_said_by_the_program() -> None:
    """Words that nobody says any more do not stay in a table; in a comment nobody says them."""
    files = [
        *(path for path in PACKAGE.rglob("*.py") if "sentences" not in path.parts),
        *(path for room in CPP_ROOMS for path in (ROOT / "csrc" / room).iterdir()),
    ]
    lines = (line for path in files for line in path.read_text(encoding="utf-8").splitlines())
    sources = "\n".join(line for line in lines if '"' in line)
    sources = re.sub(r'"\s*f?"', "", sources).replace('\\"', '"')
    tables = {**en_report.TEXTS, **en_rows.TEXTS, **en_files.TEXTS, **en_replay.TEXTS}
    for key, text in tables.items():
        if key in PUT_TOGETHER or text in OF_OTHERS:
            continue
        words = max(re.split(r"\{\w+\}", text), key=len).strip(" .;:,()").split()
        runs = [" ".join(words[at : at + 3]) for at in range(max(len(words) - 2, 1))]
        assert any(run in sources for run in runs), (key, runs)


@pytest.mark.parametrize("cause", [int, float])
def test_words_of_python_are_those_of_this_python(cause: type) -> None:
    with pytest.raises(ValueError, match="x1") as caught:
        cause("x1")
    assert in_language(str(caught.value), "zh") in ("不是整数：'x1'", "不是数：'x1'")


@pytest.mark.parametrize("kind", damage.KINDS, ids=lambda kind: kind.name)
def test_what_a_damaged_file_gets_is_told_in_chinese(kind: damage.Kind, tmp_path: Path) -> None:
    """What a reader really says, with all that stands around it."""
    file = kind.prepare(tmp_path / "dump")
    told_of: dict[str, str] = {}  # sentences that differ in numbers alone are looked up once
    for damaged in damage.damages(file.read_bytes(), seed=4, share=0.02):
        file.unlink()
        file.write_bytes(damaged)
        try:
            kind.read(file)
        except FormatError as error:
            told_of.setdefault(re.sub(r"\d+", "0", str(error)), str(error))
    for said in told_of.values():
        told = in_language(said, "zh")
        path, _, rest = told.partition("：")
        assert path == str(file)
        assert CHINESE.search(rest), told
    assert told_of or kind.name == "mapping.csv"
