"""Runs aarch64 wheels on an emulated CPU: `python tests/wheels/run_emulated.py FOLDER`.

With the Pythons of Debian 11 and 12 for arm64, unpacked into a folder: the demo, whose CSV must be
that of the x86-64 wheel letter by letter, and the tests of readers, layouts, metrics and verdict.
Needs qemu-aarch64, apt-get and dpkg-deb, and a Python of each version on this machine, whose pip
fetches what the other machine needs.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from build_wheels import make_environment, pythons_here
from debian import RELEASES, Release, unpack
from run_wheels import ROOT, demo, recipe, run_recipe

TESTS = [
    *("tests/core/formats", "tests/core/tensor", "tests/core/compare"),
    *("tests/report/test_verdict_divergences.py", "tests/report/test_verdict_growth.py"),
]
TEST_NEEDS = ["pytest", "pytest-timeout", "hypothesis", "ml_dtypes", "protobuf"]


def wheel_of(folder: Path, tag: str, machine: str) -> Path:
    """The wheel of a Python for a machine."""
    found = sorted(folder.glob(f"ait_cmp-*-{tag}-{tag}-*{machine}.whl"))
    if len(found) != 1:
        sys.exit(f"{folder}: one wheel for {tag} on {machine} expected, found {len(found)}")
    return found[0]


def run(release: Release, folder: Path) -> None:
    """Everything with the Python of one release."""
    python = next((one for one in pythons_here() if one.version == release.python), None)
    if python is None:
        sys.exit(f"NOT RUN: no Python {release.python} on this machine")
    scratch = folder / "emulated" / release.name
    interpreter = make_environment(python, scratch / "here")
    pip = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, wheel_of(folder, python.tag, "x86_64"), release.numpy], check=True)
    away = scratch / "away"
    command = recipe("pip download --dest offline --only-binary", python)
    run_recipe(f"{command} '{release.numpy}'", interpreter, folder, scratch / "in")
    kind = [f"--platform={word}" for word in command.split() if word.startswith("manylinux")]
    kind += ["--python-version={}.{}".format(*python.version), "--only-binary=:all:", "--upgrade"]
    pip += [*kind, "--target", str(away)]
    carried = ["--no-index", "--find-links", str(scratch / "in" / "offline")]
    subprocess.run([*pip, *carried, "ait-cmp"], check=True)
    subprocess.run([*pip, *TEST_NEEDS, release.numpy], check=True)

    # numpy from PyPI links to the C++ library of the system.
    root = unpack(release.name, "arm64", ["python3", "libstdc++6"], scratch)
    emulated = ["qemu-aarch64", "-L", root, root / "usr/bin/python3"]
    environment = {**os.environ, "PYTHONPATH": str(away), "PYTHONDONTWRITEBYTECODE": "1"}
    asked = "import platform, numpy; from ait_cmp import _core; print(platform.machine(), "
    asked += "platform.libc_ver()[1], platform.python_version(), numpy.__version__, *_core.isas())"
    told = subprocess.run(
        [*emulated, "-c", asked], check=True, stdout=subprocess.PIPE, text=True, env=environment
    ).stdout.split()
    print(release.name, *told, flush=True)
    if told[0] != "aarch64" or told[4:] != ["base"]:
        sys.exit(f"{release.name}: aarch64 and the level base expected, found {told}")
    same_folder = scratch / "demo"
    here = demo([interpreter.parent / "ait-cmp"], same_folder, {**os.environ, "PYTHONPATH": ""})
    there_too = demo([*emulated, "-m", "ait_cmp"], same_folder, environment)
    if here != there_too:
        sys.exit(f"{release.name}: the CSV differs from that of x86-64: {same_folder}")
    print(f"{release.name}: the same CSV of {len(here)} characters", flush=True)
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "1800"]
    tests += ["--hypothesis-profile", "emulated", *TESTS]
    subprocess.run([*emulated, *tests], check=True, cwd=ROOT, env=environment)


def main() -> None:
    """Run both releases, or those that are named."""
    names = [release.name for release in RELEASES]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("releases", nargs="*", default=names, help=" ".join(names))
    options = parser.parse_args()
    if unknown := set(options.releases) - set(names):
        parser.error(f"{', '.join(sorted(unknown))}: one of {', '.join(names)} expected")
    for release in RELEASES:
        if release.name in options.releases:
            run(release, options.folder.resolve())


if __name__ == "__main__":
    main()
