"""Fixtures that many tests share."""

from __future__ import annotations

import itertools
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

# Before numpy is imported: threads of a BLAS that wait for one another cost more than they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from ait_cmp import _core
from ait_cmp.cli.demo import unpack_sample
from forked import Ended, Forked, forked_from
from shared_files import unchanged, unpack

# A slow machine is no failure: no test depends on time.
# The same inputs in every run, so that a failure belongs to the change at hand; ten times as many
# in `nox -s tests`; to search for new ones: `pytest --hypothesis-profile=search`.
SLOW = [HealthCheck.too_slow]
settings.register_profile(
    "same", deadline=None, derandomize=True, max_examples=50, suppress_health_check=SLOW
)
settings.register_profile("many", settings.get_profile("same"), max_examples=500)
settings.register_profile("search", deadline=None, max_examples=2000, suppress_health_check=SLOW)
# A CPU in software takes a hundred times as long: a few inputs of each kind.
settings.register_profile("emulated", settings.get_profile("same"), max_examples=5)
settings.load_profile("same")


# Where the tests run in the background of a shell Ctrl-C is ignored, and so in what they start.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """How often tests end a process at a random moment."""
    parser.addoption("--kills", type=int, default=30, help="kills of a converter; 200 in nox")


@pytest.fixture(scope="session")
def new_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder after another that is not there yet."""
    root = tmp_path_factory.mktemp("tests")
    return (root / str(number) for number in itertools.count())


@pytest.fixture
def tmp_path(new_folders: Iterator[Path], request: pytest.FixtureRequest) -> Path:
    """An empty folder. That of pytest looks at all those before it to find the next number."""
    words = re.sub(r"\W", "_", request.node.name)[:40]
    number = next(new_folders)
    path = number.with_name(f"{number.name}_{words}")
    path.mkdir()
    return path


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The dumps that come with the package: ge, ge_wrong, fx. Unpacked once: not to be changed."""
    folder = tmp_path_factory.mktemp("sample") / "ait-cmp-demo"
    unpack_sample(folder)
    yield from unchanged(folder)


@pytest.fixture(scope="session")
def bf16_sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Noisy dumps in bfloat16: ge, ge_wrong_mul_9, fx. Unpacked once: not to be changed."""
    folder = tmp_path_factory.mktemp("bf16")
    yield from unchanged(unpack(Path(__file__).parent / "data/llama-bf16-noisy.tar.xz", folder))


@pytest.fixture(scope="module")
def beside_sample(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which the sample is `ait-cmp-demo`, as `ait-cmp demo` leaves it."""
    folder = tmp_path_factory.mktemp("beside")
    (folder / sample.name).symlink_to(sample)
    return folder


@pytest.fixture(scope="module")
def beside_first_step(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with step 0 alone: half the work for programs that need no more to run."""
    folder = tmp_path_factory.mktemp("beside")
    files = [*sample.glob("*/*.txt"), *sample.rglob("0/*.*")]
    for parent in {path.parent for path in files}:
        (folder / parent.relative_to(sample.parent)).mkdir(parents=True, exist_ok=True)
    for path in files:
        (folder / path.relative_to(sample.parent)).symlink_to(path)
    return folder


@pytest.fixture
def run_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs a script, or text of one, in a folder with its words as Python would, in this process.

    A new process takes longer to start than most of them to run.
    """

    def run(script: Path | str, folder: Path, *words: object) -> Ended:
        source = script if isinstance(script, str) else script.read_text(encoding="utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", [str(script), *map(str, words)])
        capsys.readouterr()
        status: object = None
        try:
            exec(
                compile(source, "<program>", "exec"),
                {"__name__": "__main__", "__file__": str(script)},
            )
        except SystemExit as ended:
            status = ended.code
        return Ended(
            status if isinstance(status, int) else int(status is not None), *capsys.readouterr()
        )

    return run


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """Runs text of a program in a process that has numpy and ait_cmp already."""
    loaded = ("ait_cmp.cli.main", "ait_cmp.compare.run", "ait_cmp.convert", "ait_cmp.replay.run")
    with forked_from(*loaded) as programs:
        yield programs


@pytest.fixture
def n_kills(request: pytest.FixtureRequest) -> int:
    """How often to end a process at a random moment."""
    return int(request.config.getoption("--kills"))


@pytest.fixture(params=_core.isas())
def isa(request: pytest.FixtureRequest) -> str:
    """Every CPU level that this machine runs."""
    return str(request.param)
