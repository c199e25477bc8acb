"""Hosts of a dask cluster on this machine: a network and a view of the disks of their own each.

Where namespaces are not granted hosts are plain processes; a path below /proc/self/cwd then is
another folder for each.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_NUMBERS = itertools.count()
#: What a host sees under one path, whichever host it is.
PLAIN = Path("/proc/self/cwd")
_PATIENCE_S = 60


def have_namespaces() -> bool:
    """Whether networks and mounts of our own are granted here."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare", "mount"))):
        return False
    name = f"ait{os.getpid() % 10000}t"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    mounts = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False)
    return made.returncode == mounts.returncode == 0


class Cluster:
    """A scheduler and its workers.

    Attributes:
        path: Under which every host sees its own folder.
        address: Of the scheduler.
    """

    def __init__(self, folder: Path, *, namespaces: bool) -> None:
        self._folder = folder
        self._namespaces = namespaces
        self._processes: list[subprocess.Popen[bytes]] = []
        self._networks: list[str] = []
        self._links: list[str] = []
        # Names of one cluster are gone only when the last process in its networks is.
        self._number = next(_NUMBERS)
        self._id = f"{os.getpid() % 10000}x{self._number}"
        self.path = folder / "seen" if namespaces else PLAIN
        self.path.mkdir(exist_ok=True) if namespaces else None
        ip = "127.0.0.1"
        if namespaces:
            ip = f"10.{60 + self._number % 100}.{os.getpid() % 250}.1"
            self._run("ip", "link", "add", self._bridge, "type", "bridge")
            self._run("ip", "addr", "add", f"{ip}/24", "dev", self._bridge)
            self._run("ip", "link", "set", self._bridge, "up")
        self._ip = ip
        place = folder / "scheduler.json"
        words = ["--host", ip, "--port", "0", "--no-dashboard", "--scheduler-file", str(place)]
        self._start([sys.executable, "-m", "distributed.cli.dask_scheduler", *words], "scheduler")
        self._wait_for(place.exists, "the scheduler")
        self.address: str = json.loads(place.read_text())["address"]

    @property
    def _bridge(self) -> str:
        return f"aitb{self._id}"

    @staticmethod
    def _run(*words: str) -> None:
        subprocess.run(words, check=True, capture_output=True)

    def _start(
        self, words: Sequence[str], name: str, cwd: Path | None = None, **variables: str
    ) -> subprocess.Popen[bytes]:
        with (self._folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                words,
                cwd=cwd or self._folder,
                env={**os.environ, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def _wait_for(self, is_there: object, what: str) -> None:
        end = time.monotonic() + _PATIENCE_S
        assert callable(is_there)
        while not is_there():
            assert time.monotonic() < end, f"{what} did not come up: see {self._folder}/*.log"
            time.sleep(0.1)

    def add_host(self, sees: Path, **variables: str) -> subprocess.Popen[bytes]:
        """A host that sees a folder, with one worker (and the nanny that looks after it)."""
        number = len(self._processes)
        words = [sys.executable, "-m", "distributed.cli.dask_worker", self.address]
        words += ["--nthreads", "1", "--nworkers", "1", "--no-dashboard", "--name", f"w{number}"]
        words += ["--local-directory", str(self._folder / f"local{number}")]
        if not self._namespaces:
            process = self._start(words, f"worker{number}", sees, **variables)
        else:
            name, ip = f"ait{self._id}n{number}", f"{self._ip.rpartition('.')[0]}.{number + 1}"
            inner, outer = f"ai{self._id}i{number}", f"ao{self._id}o{number}"
            self._networks.append(name)
            self._links.append(outer)
            self._run("ip", "netns", "add", name)
            self._run("ip", "link", "add", outer, "type", "veth", "peer", "name", inner)
            self._run("ip", "link", "set", outer, "master", self._bridge)
            self._run("ip", "link", "set", outer, "up")
            self._run("ip", "link", "set", inner, "netns", name)
            for what in (f"addr add {ip}/24 dev {inner}", f"link set {inner} up", "link set lo up"):
                self._run("ip", "netns", "exec", name, "ip", *what.split())
            mount = f'mount --bind "{sees}" "{self.path}" && exec "$@"'
            into = ["ip", "netns", "exec", name, "unshare", "-m", "sh", "-c", mount, "sh"]
            process = self._start([*into, *words, "--host", ip], f"worker{number}", **variables)
        n_workers = number
        self._wait_for(lambda: self.n_workers() >= n_workers, f"worker {number}")
        return process

    def n_workers(self) -> int:
        """Workers that the scheduler knows."""
        import distributed

        with distributed.Client(self.address, timeout=10, set_as_default=False) as client:
            return len(client.nthreads())

    def kill(self, host: subprocess.Popen[bytes]) -> None:
        """A host that loses its power."""
        os.killpg(host.pid, signal.SIGKILL)
        host.wait()

    def close(self) -> None:
        """End everything."""
        for process in reversed(self._processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for link in self._links:
            subprocess.run(["ip", "link", "del", link], check=False, capture_output=True)
        for name in self._networks:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        if self._namespaces:
            subprocess.run(["ip", "link", "del", self._bridge], check=False, capture_output=True)
