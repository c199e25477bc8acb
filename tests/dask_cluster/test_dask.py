"""`--dask` on a real scheduler; hosts have a network and disks of their own, and may die."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from hosts import Cluster, have_namespaces

import three_ranks
from trees import rank_name

NAMESPACES = have_namespaces()
#: What tells of the run that wrote a result.json.
OF_THE_RUN = ("time", "made", "command", "runs", "my_path", "golden_path")
#: A metric that takes its time, and tells which process works on which rank.
SLOW = """
import os, pathlib, time

def slow(golden, my):
    with open({log!r}, "a") as log:
        log.write(f"{{os.getpid()}}\\n")
    time.sleep(0.1)
    return float(my[0]) if len(my) else 0.0, ""
"""


def test_says_which_hosts_these_are(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        kind = "network and mount namespaces" if NAMESPACES else "plain processes: not granted more"
        print(f"\nhosts are {kind}")


@pytest.fixture(scope="module")
def dumps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All three ranks, and a folder for each host with its own: host0, host1; both: host01."""
    folder = tmp_path_factory.mktemp("dumps")
    three_ranks.write(folder / "all")
    for host, ranks in {"host0": [0], "host1": [1], "host01": [0, 1]}.items():
        for side in ("ge", "fx"):
            (folder / host / side).mkdir(parents=True)
            for rank in ranks:
                name = rank_name(rank)
                shutil.copytree(folder / "all" / side / name, folder / host / side / name)
        for text in (folder / "all/ge").glob("*.txt"):
            if any(f"_rank_{rank}_" in text.name for rank in ranks):
                shutil.copy(text, folder / host / "ge")
    return folder


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder, namespaces=NAMESPACES)
    yield made
    made.close()


Compare = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def compare(cluster: Cluster, tmp_path: Path) -> Compare:
    """Starts a comparison on the cluster; its report goes to tmp_path/out."""

    def started(*options: str) -> subprocess.Popen[str]:
        folders = [str(cluster.path / "ge"), str(cluster.path / "fx")]
        words = ["compare", *folders, "-o", str(tmp_path / "out"), "--dask", cluster.address]
        return subprocess.Popen(
            [sys.executable, "-m", "ait_cmp", *words, "--no-progress", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return started


def of_threads(dumps: Path, tmp_path: Path, *options: str) -> dict[str, str]:
    """The report of threads over both ranks."""
    out, whole = tmp_path / "threads", dumps / "host01"
    words = ["compare", str(whole / "ge"), str(whole / "fx"), "-o", str(out), *options]
    done = subprocess.run(
        [sys.executable, "-m", "ait_cmp", *words, "--no-progress"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return files_of(out, whole)


def files_of(folder: Path, dumped: Path) -> dict[str, str]:
    """Every file of a report, without what tells of the run, of the moment and of the place."""
    found = {}
    for path in sorted(folder.iterdir()):
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            content = json.loads(text)
            text = json.dumps({name: content[name] for name in content if name not in OF_THE_RUN})
        moment = re.compile(r"_\d{14}")
        found[moment.sub("", path.name)] = moment.sub("", text).replace(str(dumped), "DUMPED")
    return found


def ended(process: subprocess.Popen[str], status: int) -> tuple[str, str]:
    """What a comparison printed: its result, and errors."""
    out, err = process.communicate(timeout=120)
    assert process.returncode == status, (out, err)
    return out, err


def test_each_host_compares_the_rank_that_it_sees(
    dumps: Path, cluster: Cluster, compare: Compare, tmp_path: Path
) -> None:
    for host in ("host0", "host1"):
        cluster.add_host(dumps / host)
    out, _ = ended(compare("--jsonl"), 1)
    assert out.startswith("FIRST DIVERGENCE in rank 1 graph_1 token 0: Mul_2 (Mul)")
    wanted = of_threads(dumps, tmp_path, "--jsonl")
    assert files_of(tmp_path / "out", cluster.path) == wanted
    assert len(wanted) == 5


def test_a_rank_that_no_host_sees_is_named(dumps: Path, cluster: Cluster, compare: Compare) -> None:
    cluster.add_host(dumps / "host0")
    out, _ = ended(compare("--rank", "0", "2"), 1)
    assert "NOT READ: rank 2 is not compared: no worker sees both of its sides" in out
    out, err = ended(compare("--rank", "2"), 2)
    assert "rank 2 is not compared" in err
    assert len(err.splitlines()) == 1


def slow_metric(tmp_path: Path) -> tuple[list[str], Path]:
    """Options of a comparison that takes some seconds, and where its processes are told."""
    log = tmp_path / "pids"
    metric = tmp_path / "metric.py"
    metric.write_text(SLOW.format(log=str(log)))
    return ["--custom-algorithms", f"{metric}:slow"], log


def first_worker(log: Path, own: int) -> int:
    """The process that began to compare; the command itself tries the metric once."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pids = [int(line) for line in log.read_text().split()] if log.exists() else []
        others = [pid for pid in pids if pid != own]
        if len(others) > 2:  # the metric is tried once, too, before a unit begins
            return others[-1]
        time.sleep(0.02)
    pytest.fail("no worker began")


def test_a_worker_that_dies_in_the_middle_is_replaced_where_the_rank_is(
    dumps: Path, cluster: Cluster, compare: Compare, tmp_path: Path
) -> None:
    """Its nanny starts another process, under another address, on the same host."""
    for host in ("host0", "host1"):
        cluster.add_host(dumps / host)
    options, log = slow_metric(tmp_path)
    running = compare(*options)
    os.kill(first_worker(log, running.pid), signal.SIGKILL)
    ended(running, 1)
    # The command, which tries the metric; two workers; and the one that took over.
    assert len(set(log.read_text().split())) == 4
    assert files_of(tmp_path / "out", cluster.path) == of_threads(dumps, tmp_path, *options)


def test_what_a_dead_host_had_goes_to_another_one(
    dumps: Path, cluster: Cluster, compare: Compare, tmp_path: Path
) -> None:
    """Shared disks: both hosts see both ranks; one loses its power."""
    hosts = [cluster.add_host(dumps / "host01") for _ in range(2)]
    options, log = slow_metric(tmp_path)
    running = compare(*options)
    first_worker(log, running.pid)
    cluster.kill(hosts[0])
    ended(running, 1)
    assert files_of(tmp_path / "out", cluster.path) == of_threads(dumps, tmp_path, *options)


def test_an_interrupt_leaves_a_report(
    dumps: Path, cluster: Cluster, compare: Compare, tmp_path: Path
) -> None:
    for host in ("host0", "host1"):
        cluster.add_host(dumps / host)
    options, log = slow_metric(tmp_path)
    running = compare(*options)
    first_worker(log, running.pid)
    running.send_signal(signal.SIGINT)
    out, err = ended(running, 130)
    assert "interrupted: these are the rows done so far" in out
    assert "Traceback" not in err
    (result,) = (tmp_path / "out").glob("*.json")
    assert json.loads(result.read_text())["was_interrupted"]


@pytest.mark.parametrize(
    ("package", "said"),
    [
        ("raise ImportError(\"No module named 'ait_cmp'\")", "has no ait-cmp (No module named"),
        ("__version__ = '0.0.1'", "has ait-cmp 0.0.1, here it is"),
    ],
    ids=["missing", "other version"],
)
def test_a_worker_without_our_ait_cmp_is_one_sentence(
    dumps: Path, cluster: Cluster, compare: Compare, tmp_path: Path, package: str, said: str
) -> None:
    (tmp_path / "path/ait_cmp").mkdir(parents=True)
    (tmp_path / "path/ait_cmp/__init__.py").write_text(package)
    cluster.add_host(dumps / "host01", PYTHONPATH=str(tmp_path / "path"))
    _, err = ended(compare(), 2)
    (line,) = err.splitlines()
    assert said in line


def test_a_scheduler_that_is_not_there_is_one_sentence(dumps: Path, tmp_path: Path) -> None:
    words = [str(dumps / "all/ge"), str(dumps / "all/fx"), "-o", str(tmp_path), "--no-progress"]
    done = subprocess.run(
        [sys.executable, "-m", "ait_cmp", "compare", *words, "--dask", "tcp://127.0.0.1:1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "no dask scheduler answers there" in line


def test_nobody_sees_a_folder(cluster: Cluster, compare: Compare, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    cluster.add_host(empty)
    _, err = ended(compare(), 2)
    (line,) = err.splitlines()
    assert f"no worker sees a dump in {cluster.path / 'ge'}" in line
