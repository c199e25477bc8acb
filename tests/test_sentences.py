"""One table makes the texts of all sentences; languages and the core agree on ids and blanks."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import ait_cmp
from ait_cmp import _core, sentences
from ait_cmp.info.results import Sums
from ait_cmp.sentences import LANGUAGES, Sentence, blanks_of, say, text_of
from ait_cmp.tensor_ref import check_fields
from report_rows import EMPTY, step_rows

NAME = sentences.__name__


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_sentence_with_the_same_places(language: str) -> None:
    english = {key: blanks_of(text) for key, text in LANGUAGES["en"].items()}
    assert {key: blanks_of(text) for key, text in LANGUAGES[language].items()} == english


def test_no_two_files_have_the_same_sentence() -> None:
    folder = Path(sentences.__file__).parent
    for language, texts in LANGUAGES.items():
        files = sorted(folder.glob(f"{language}*.py"))
        keys = [key for path in files for key in import_module(f"{NAME}.{path.stem}").TEXTS]
        assert sorted(keys) == sorted(texts)


def test_a_sentence_is_filled_in_by_names() -> None:
    sentence = say("bytes_differ_at", n=8, byte=3)
    assert sentence.text() == "Compared as bytes they differ first at byte 3 of 8."
    both = text_of([say("no_numbers"), sentence])
    assert both == f"The bytes are no numbers. {sentence.text()}"


def test_a_content_with_braces_stays_as_it_is() -> None:
    assert say("text", text="{n} of {side}").text() == "{n} of {side}"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("del TEXTS['note']", 'a text of "note" expected'),
        ("TEXTS['note'] = '{sdie}: {note}.'", 'a text of "note" expected'),
    ],
)
def test_a_table_that_does_not_fit_the_core_fails_at_import(change: str, expected: str) -> None:
    code = f"from ait_cmp.sentences import LANGUAGES; TEXTS = LANGUAGES['en']; {change}"
    code += "; import ait_cmp._core"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"ImportError: ait_cmp.sentences: {expected}" in done.stderr


def test_a_swapped_field_fails_at_import() -> None:
    class Swapped(Sums):
        _fields = ("n_nan", "n", *Sums._fields[2:])

    with pytest.raises(ImportError, match="Swapped has the fields n_nan, n, .* the core has"):
        check_fields(Swapped, "sums")
    check_fields(Sums, "sums")


def test_every_record_of_the_core_is_held_against_a_named_tuple() -> None:
    package = Path(ait_cmp.__file__).parent
    texts = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    checked = re.findall(r"check_fields\(\w+, \"(\w+)\"\)|^ +\(\w+, \"(\w+)\"\),$", texts, re.M)
    assert set(_core.record_fields) == {one or other for one, other in checked}


def test_rows_keep_what_is_said_of_them() -> None:
    rows = step_rows([EMPTY._replace(op_name="Add", status="compared", cmp_fail_reason="Written.")])
    assert [Sentence._make(said) for said in rows.sentences(0)] == [say("text", text="Written.")]
    assert isinstance(_core.record_fields["pair"], tuple)
