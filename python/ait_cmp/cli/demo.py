"""`ait-cmp demo`: unpacks the built-in sample dump and runs the main job on it."""

from __future__ import annotations

import argparse
import shlex

from ait_cmp.cli.exit_status import ExitStatus
from ait_cmp.cli.language import add_language_option, language_of, translated
from ait_cmp.cli.terminal import say
from ait_cmp.cli.thread_option import add_thread_option
from ait_cmp.config import DEMO_FOLDER

_SAMPLE = "sample.tar.xz"
# The operator of the sample that was made wrong.
_PLANTED = "MatMul_3"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Options of `demo`."""
    parser = commands.add_parser(
        "demo",
        help="unpack a small real dump and compare it",
        description="Unpack the built-in sample (a small Llama in fp16, two tokens, one operator "
        "made wrong) and compare it as `ait-cmp` would.",
    )
    parser.add_argument(
        "--folder",
        default=DEMO_FOLDER,
        metavar="DIR",
        help="unpacked here (default: %(default)s)",
    )
    add_language_option(parser)
    add_thread_option(parser)


def run(options: argparse.Namespace) -> int:
    """Unpack, compare, print the summary; 0 if the wrong operator was found."""
    from ait_cmp.compare import compare_dirs
    from ait_cmp.config import expanded
    from ait_cmp.report.summary import summary_lines

    language = language_of(options)
    folder = expanded(options.folder)
    my, golden = folder / "ge_wrong", folder / "fx"
    if not my.is_dir():
        unpack_sample(folder)
    words = ["ait-cmp", "--my-path", my, "--golden-path", golden, "--output", folder]
    say("$ " + " ".join(shlex.quote(str(word)) for word in words))
    result = compare_dirs(my, golden, output=folder, threads=options.threads)
    for line in summary_lines(result):
        say(translated(line, language))
    named = {found.op_name for found in result.first_divergence}
    return ExitStatus.OK if named == {_PLANTED} else ExitStatus.DIFFERENCES


def unpack_sample(folder: object) -> None:
    """Unpack the sample dump below a folder, which is made if missing."""
    import tarfile
    from importlib import resources
    from pathlib import Path

    target = Path(str(folder))
    target.mkdir(parents=True, exist_ok=True)
    sample = resources.files("ait_cmp").joinpath(_SAMPLE)
    with sample.open("rb") as packed, tarfile.open(fileobj=packed, mode="r:xz") as archive:
        if hasattr(tarfile, "data_filter"):  # Pythons that can refuse paths outside by themselves
            archive.extraction_filter = tarfile.data_filter
        for member in archive:
            if member.isfile() or member.isdir():
                archive.extract(member, target)
