"""Writes docs/THIRD_PARTY_NOTICES.txt: the licences of what is linked into a wheel.

`python tests/wheels/notices.py` takes the texts from the installed pybind11 and ziglang; `--check`
only says whether the file holds them.
"""

from __future__ import annotations

import sys
from importlib.metadata import distribution
from pathlib import Path

NOTICES = Path(__file__).resolve().parents[2] / "docs" / "THIRD_PARTY_NOTICES.txt"
ABOUT = """\
Third-party notices

ait-cmp is under the Apache License 2.0, see LICENSE. Its extension module holds compiled code of:

  pybind11                   BSD-3-Clause                       every build
  libc++, libc++abi,         Apache-2.0 WITH LLVM-exception     wheels made by nox -s wheels
  libunwind                  (and the legacy licences below)
  compiler-rt of Zig         MIT, in parts from LLVM            wheels made by nox -s wheels
  glibc, start files and     LGPL-2.1-or-later with permission  wheels made by nox -s wheels
  libc_nonshared.a           to link them into other programs

glibc, libm, libdl, libpthread and Python are linked dynamically and are not part of it.
"""
EXCEPTIONS, LEGACY = "---- LLVM Exceptions", "Legacy LLVM License"
PERMISSION = """\
In addition to the permissions in the GNU Lesser General Public License, the Free Software
Foundation gives you unlimited permission to link the compiled version of this file with other
programs, and to distribute those programs without any restriction coming from the use of this file.
"""


def licence(package: str, ending: str) -> str:
    """The text of a file of an installed package."""
    files = distribution(package).files or []
    found = next(file for file in files if str(file).endswith(ending))
    return Path(str(found.locate())).read_text(encoding="utf-8").strip()


def texts() -> dict[str, str]:
    """Every licence, by what it is of."""
    llvm = {
        name: licence("ziglang", f"ziglang/lib/{name}/LICENSE.TXT")
        for name in ("libcxx", "libcxxabi", "libunwind")
    }
    exceptions = llvm["libcxx"].split(EXCEPTIONS)[1].split("=====")[0]
    return {
        "pybind11": licence("pybind11", "licenses/LICENSE"),
        "Zig": licence("ziglang", "ziglang/LICENSE"),
        "LLVM: the Apache License 2.0 as in LICENSE, and": EXCEPTIONS + exceptions.rstrip(),
        **{f"LLVM, {name}": LEGACY + text.split(LEGACY)[1] for name, text in llvm.items()},
        "glibc": PERMISSION,
    }


def written() -> str:
    """The whole file."""
    parts = [
        f"{'=' * 80}\n{name}\n{'=' * 80}\n\n{text.strip()}\n" for name, text in texts().items()
    ]
    return "\n".join([ABOUT, *parts])


def main() -> None:
    """Write, or look."""
    if "--check" not in sys.argv:
        NOTICES.write_text(written(), encoding="utf-8")
    elif NOTICES.read_text(encoding="utf-8") != written():
        sys.exit(f"{NOTICES}: other texts than those installed: python tests/wheels/notices.py")


if __name__ == "__main__":
    main()
