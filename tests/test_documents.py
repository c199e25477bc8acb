"""Both languages say the same, links lead somewhere, and what can run on the sample runs."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import json
import pickle
import re
import shlex
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import ait_cmp
from ait_cmp.cli.columns import page_lines
from ait_cmp.cli.main import _COMMANDS, main
from ait_cmp.report.columns import COMPARE_COLUMNS
from ait_cmp.sentences import LANGUAGES as TEXTS
from ait_cmp.terms import RULES, STATUSES, VERDICTS
from documents import (
    DOCUMENTS,
    LANGUAGES,
    PAIRS,
    ROOT,
    anchor,
    blocks,
    headings,
    indented_blocks,
    links,
    table_sizes,
    text_of,
)

by_name = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].name)
# Commands of others that a page shows; they are not run.
_SHOWN_ONLY = ("pip ", "CXX=", "nox ", "ssh ", "scp ", "kubectl ", "dask ", "head ", "tail ")


def test_both_languages_have_the_same_pages() -> None:
    english, chinese = ({p.name for p in (ROOT / "docs" / of).iterdir()} for of in LANGUAGES)
    assert english == chinese


@by_name
def test_both_languages_have_the_same_headings(pair: tuple[Path, Path]) -> None:
    english, chinese = ([level for level, _ in headings(path)] for path in pair)
    assert english == chinese


@by_name
def test_both_languages_have_the_same_blocks(pair: tuple[Path, Path]) -> None:
    english, chinese = ([(b.language, b.code) for b in blocks(path)] for path in pair)
    assert english == chinese
    assert indented_blocks(pair[0]) == indented_blocks(pair[1])


@by_name
def test_both_languages_have_the_same_tables(pair: tuple[Path, Path]) -> None:
    assert table_sizes(pair[0]) == table_sizes(pair[1])


@by_name
def test_a_page_links_to_pages_of_its_language(pair: tuple[Path, Path]) -> None:
    english, chinese = pair
    for link in links(chinese):
        assert "docs/en/" not in link
        assert not link.startswith("../en/")
    wanted = [link.partition("#")[0].replace("docs/en/", "docs/zh/") for link in links(english)]
    wanted = [link.replace("README.md", "README.zh.md") for link in wanted if "bench" not in link]
    found = [link.partition("#")[0] for link in links(chinese) if "bench" not in link]
    if english.parent == ROOT:  # each names the other
        wanted, found = wanted[1:], found[1:]
    assert found == wanted


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in links(path):
        if link.startswith(("http:", "https:")):
            continue
        file, _, name = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not name or name in {anchor(text) for _, text in headings(target)}, link


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_of_columns_is_that_of_the_command(language: str) -> None:
    page = (ROOT / "docs" / language / "columns.md").read_text(encoding="utf-8")
    lines = page_lines("zh" if language == "zh" else "en")
    assert page.splitlines() == list(lines), f"ait-cmp columns --lang {language} writes it"


def test_every_code_block_of_json_is_json() -> None:
    for path, _ in PAIRS:
        for block in blocks(path):
            if block.language == "json":
                json.loads(block.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_of_match_and_verdict_are_explained(language: str) -> None:
    page = (ROOT / "docs" / language / "reading-the-result.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert [word for word in rows if word in RULES] == list(RULES)
    assert [word for word in rows if word in VERDICTS] == list(VERDICTS)
    text = {column.name: getattr(column, language) for column in COMPARE_COLUMNS}
    for column, words in (("match", RULES), ("verdict", VERDICTS), ("status", STATUSES)):
        assert set(words) <= set(re.findall(r"[a-z_]+", text[column]))


def commands() -> list[str]:
    """Every command of a shell block, each once."""
    lines = [
        line.strip()
        for path, _ in PAIRS
        for block in blocks(path)
        if block.language == "sh"
        for line in block.code.splitlines()
    ]
    return list(dict.fromkeys(line for line in lines if line))


@pytest.fixture(scope="module")
def working_folder(beside_first_step: Path) -> Path:
    """A folder in which the commands of the pages run: the demo, its report, the examples."""
    (beside_first_step / "examples").symlink_to(ROOT / "examples")
    return beside_first_step


@pytest.mark.parametrize(
    "command", [line for line in commands() if "ait-cmp-demo/" in line], ids=lambda line: line[:60]
)
def test_a_command_on_the_sample_runs(
    command: str,
    working_folder: Path,
    run_program: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(working_folder)
    program, *arguments = shlex.split(command)
    if "--report" in arguments and not Path("report").exists():
        main([*shlex.split("ait-cmp-demo/ge_wrong ait-cmp-demo/fx --output"), "report"])
    if program == "python":
        done = run_program(working_folder / arguments[0], working_folder, *arguments[1:])
        assert done.status == 0, done.err
        return
    assert program == "ait-cmp"
    expected = 1 if "ge_wrong" in command and arguments[0] != "show" else 0
    assert main(arguments) == expected
    assert capsys.readouterr().out


def test_what_replay_exports_computes_alone(
    working_folder: Path, run_program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(working_folder)
    (replay, compute) = [line for line in commands() if " sent" in line]
    assert main(shlex.split(replay)[1:]) == 1
    program = shlex.split(compute)[1]
    done = run_program(working_folder / program, working_folder)
    assert done.status == 0, done.err
    assert done.out


def others() -> list[str]:
    """Commands of ours on folders that only a reader has."""
    return [
        line
        for line in commands()
        if line.startswith("ait-cmp ") and "ait-cmp-demo/" not in line and line != "ait-cmp demo"
    ]


@pytest.mark.parametrize("command", others(), ids=lambda line: line[:60])
def test_every_other_command_of_ours_is_understood(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its options exist: what it complains of is the folder or file that is not there."""
    monkeypatch.chdir(tmp_path)
    try:
        status = main(shlex.split(command)[1:])
    except SystemExit as refused:
        status = int(refused.code or 0)
    assert status == 2
    missing = "no such|nothing|needs dask.distributed|no dask scheduler answers"
    assert re.search(missing, capsys.readouterr().err, re.IGNORECASE)


@functools.cache
def options_of(*command: str) -> frozenset[str]:
    """Long options of one of our commands, or of the program, as the help tells them."""
    with contextlib.redirect_stdout(io.StringIO()) as told, contextlib.suppress(SystemExit):
        main([*command, "--help"])
    return frozenset(re.findall(r"--[a-z][a-z-]+", told.getvalue()))


def test_options_in_the_middle_of_a_line_exist() -> None:
    """`ait-cmp COMMAND --this` is one of that command, `--this` alone one of any."""
    any_options = options_of().union(*map(options_of, _COMMANDS))
    unknown, n_known = [], 0
    for path in (path for pair in PAIRS for path in pair):
        prose = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
        for span in re.findall(r"`(ait-cmp [^`]+|--[a-z][^`]+)`", prose):
            command = span.split()[1] if span.startswith("ait-cmp ") else ""
            named = options_of(command) if command in _COMMANDS else any_options
            missing = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", span)) - named
            unknown += [f"{path.name}: `{span}`: {option}" for option in missing]
            n_known += not missing
    assert unknown == []
    assert n_known > 100


def test_every_command_is_known_to_the_tests() -> None:
    known = (*_SHOWN_ONLY, "ait-cmp ", "python sent/", "python examples/")
    assert [line for line in commands() if not line.startswith(known)] == []


@pytest.mark.parametrize(
    "block",
    [
        block.text
        for path, _ in PAIRS
        for block in blocks(path)
        if block.language == "py" and "ait-cmp-demo" in block.text
    ],
)
def test_a_python_block_on_the_sample_runs(
    block: str, working_folder: Path, run_program: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ProcessPoolExecutor, "submit", submit_here)
    done = run_program(block, working_folder)
    assert done.status == 0, done.err
    assert ("MatMul_3" in done.out) == ("compare_dirs" in block)
    assert done.out


def submit_here(pool: ProcessPoolExecutor, call: Any, *arguments: Any) -> Future[Any]:
    """What a process would be sent and send back; tests/compare/test_executor.py has real ones."""
    del pool
    sent, given = pickle.loads(pickle.dumps((call, arguments)))
    future: Future[Any] = Future()
    future.set_result(pickle.loads(pickle.dumps(sent(*given))))
    return future


def test_every_python_block_is_python() -> None:
    for path, _ in PAIRS:
        for block in blocks(path):
            if block.language in ("py", "python"):
                compile(block.text, str(path), "exec")


def test_scripts_use_public_names_alone() -> None:
    """In a process of its own nothing but the package is imported: its rooms are not there."""
    scripts = [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    texts = [block.text for path, _ in PAIRS for block in blocks(path) if block.language == "py"]
    assert scripts
    for text in (*scripts, *texts):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert node.value.id != "ait_cmp" or node.attr in ait_cmp.__all__, node.attr


def test_quoted_sentences_of_the_summary_are_said_somewhere() -> None:
    """The pages quote the summary: words that the program no longer says do not stay in them."""
    files = [*(ROOT / "python/ait_cmp").rglob("*.py"), *(ROOT / "csrc").rglob("*.cpp")]
    sources = "\n".join(map(text_of, files))
    sources = re.sub(r'"\n +f?"', "", sources)  # texts of more than one line
    page = text_of(ROOT / "docs/en/reading-the-result.md")
    page += text_of(ROOT / "docs/en/after-the-first-divergence.md")
    for quoted in (
        "NOT READ",
        "INPUTS DIFFER",
        "REFUSED",
        "OVERWRITTEN",
        "FIRST DIVERGENCE in",
        "ALSO DIVERGES",
        "NOT COMPARED",
        "does not compute ",
        "is right on its own inputs",
        "The culprit is one of",
        "where the values agree within rounding: ties",
        "does what the graph says: the graph says something else",
        "golden tensors",
    ):
        assert quoted in page, quoted
        assert quoted in sources, quoted


def test_the_chinese_words_of_pages_are_those_of_the_chinese_summary() -> None:
    """Behind an English sentence of the summary stands the Chinese one, in corner brackets."""
    quoted = [
        (path.name, words)
        for _, path in PAIRS
        for words in re.findall("\u300c(.+?)\u300d", text_of(path))
    ]
    assert len(quoted) > 40
    texts = TEXTS["zh"].values()
    for name, words in quoted:
        parts = [re.escape(part) for part in words.split("\u2026")]
        pattern = re.compile(r" ?\{\w+\}.*".join(parts))
        assert any(pattern.search(text) for text in texts), (name, words)
