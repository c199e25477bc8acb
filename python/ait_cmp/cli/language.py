"""The language in which a command tells its result; CSV, JSON, log and errors stay English."""

from __future__ import annotations

import argparse
import os
import sys

from ait_cmp.errors import ConfigError

_LANGUAGES = ("en", "zh")
_VARIABLE = "AIT_CMP_LANG"
# Where a system says which language its user reads: the first that is set counts.
_LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")


def add_language_option(parser: argparse._ActionsContainer) -> None:
    """`--lang`."""
    parser.add_argument(
        "--lang",
        choices=_LANGUAGES,
        help=f"language of the summary (default: {_VARIABLE}, else that of the locale on a "
        "terminal, else en); CSV, JSON and log are English",
    )


def language_of(options: argparse.Namespace) -> str:
    """The language of a run: the option, the variable, the locale of a terminal.

    Raises:
        ConfigError: The variable names no language.
    """
    if options.lang:
        return str(options.lang)
    asked = os.environ.get(_VARIABLE, "")
    if asked:
        if asked not in _LANGUAGES:
            message = f"{_VARIABLE}={asked}: one of {', '.join(_LANGUAGES)} expected"
            raise ConfigError(message)
        return asked
    if sys.stdout is None or not sys.stdout.isatty():
        return "en"
    locale = next((os.environ[name] for name in _LOCALE if os.environ.get(name)), "")
    can_show = (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "gb18030", "gbk")
    return "zh" if locale.startswith("zh") and can_show else "en"


def translated(line: str, language: str) -> str:
    """A line of a summary in a language."""
    if language == "en":
        return line
    from ait_cmp.sentences.recognise import in_language

    return in_language(line, language)
