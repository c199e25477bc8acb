"""A Python of another machine: packages of Debian unpacked into a folder, nothing installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://deb.debian.org/debian"


class Release(NamedTuple):
    """What a Debian brings.

    Attributes:
        name: Of the release.
        python: Its Python.
        numpy: The numpy to try with it.
    """

    name: str
    python: tuple[int, int]
    numpy: str


#: glibc 2.31 with the oldest numpy that the package takes; glibc 2.36.
RELEASES = (
    Release("bullseye", (3, 9), "numpy==1.22.*"),
    Release("bookworm", (3, 11), "numpy"),
)


def unpack(release: str, machine: str, packages: list[str], folder: Path) -> Path:
    """The root folder with `packages` and all they need, for Debian's `machine` (arm64).

    apt works in `folder` alone: neither its lists nor what is installed here is looked at.
    """
    root, apt = folder / "root", folder / "apt"
    for part in ("lists/partial", "archives/partial"):
        (apt / part).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={KEYS}] {MIRROR} {release} main\n")
    options = {
        "Dir::State": apt,
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Cache::archives": apt / "archives",
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Architecture": machine,
        "APT::Architectures": machine,
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "true",
    }
    command = ["apt-get", "-qq", *(f"-o{key}={value}" for key, value in options.items())]
    install = ["install", "--yes", "--no-install-recommends", "--download-only", *packages]
    for words in (["update"], install):
        if subprocess.run([*command, *words], stdout=subprocess.DEVNULL).returncode != 0:
            sys.exit(f"NOT RUN: packages of Debian {release} for {machine} cannot be fetched")
    root.mkdir(exist_ok=True)
    for archive in sorted((apt / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", archive, root], check=True)
    return root
