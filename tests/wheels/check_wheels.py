"""What a wheel must be: `python tests/wheels/check_wheels.py FOLDER`; needs pyelftools.

Tag, name of the module, the glibc and the libraries it asks for, size, content. Every check is
tried on a copy of the first wheel that is wrong in its way: it alone must complain. Prints the
SHA-256 of every wheel.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import re
import sys
import zipfile
from pathlib import Path
from typing import Callable, NamedTuple

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 1_500_000
NEWEST_GLIBC = (2, 17)
LIBRARIES = re.compile(r"lib(c|m|dl|pthread)\.so\.\d|ld-linux-[a-z0-9-]+\.so\.\d")
ELF_MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
#: Of the folder .dist-info.
INFO_FILES = {
    *("METADATA", "RECORD", "WHEEL", "entry_points.txt"),
    *("licenses/LICENSE", "licenses/docs/THIRD_PARTY_NOTICES.txt"),
}


class Wheel(NamedTuple):
    """A wheel, read.

    Attributes:
        name: Of its file.
        size: Of its file.
        files: What it holds, by name.
    """

    name: str
    size: int
    files: dict[str, bytes]

    @property
    def python(self) -> str:
        """`cp39`, by the name."""
        return self.name.split("-")[2]

    @property
    def machine(self) -> str:
        """`aarch64`, by the name."""
        return next((one for one in ELF_MACHINES if self.name.endswith(f"{one}.whl")), "")

    def module(self) -> ELFFile:
        """The extension, or whatever ends with .so."""
        (name,) = (name for name in self.files if name.endswith(".so"))
        return ELFFile(io.BytesIO(self.files[name]))


def read(path: Path) -> Wheel:
    """The wheel at `path`."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist() if name[-1] != "/"}
    return Wheel(path.name, path.stat().st_size, files)


def tag_wrong(wheel: Wheel) -> str:
    """The name of the file and its own word say manylinux_2_17."""
    (text,) = (data for name, data in wheel.files.items() if name.endswith(".dist-info/WHEEL"))
    said = set(re.findall(r"^Tag: (.*)$", text.decode(), re.MULTILINE))
    platforms = (f"manylinux_2_17_{wheel.machine}", f"manylinux2014_{wheel.machine}")
    wanted = {f"{wheel.python}-{wheel.python}-{platform}" for platform in platforms}
    name = re.fullmatch(r"ait_cmp-[^-]+-(cp\d+)-\1-([^-]+)\.whl", wheel.name)
    named = {f"{name[1]}-{name[1]}-{one}" for one in name[2].split(".")} if name else set()
    return "" if said == named == wanted else f"tags {sorted(said)}, expected {sorted(wanted)}"


def module_wrong(wheel: Wheel) -> str:
    """One extension, named for its Python and machine, and made of the code of that machine."""
    found = [name for name in wheel.files if name.endswith(".so")]
    wanted = f"ait_cmp/_core.cpython-{wheel.python[2:]}-{wheel.machine}-linux-gnu.so"
    machine = str(wheel.module()["e_machine"]) if len(found) == 1 else "?"
    is_right = found == [wanted] and machine == ELF_MACHINES.get(wheel.machine)
    return "" if is_right else f"module {found} of {machine}, expected {wanted}"


def glibc_wrong(wheel: Wheel) -> str:
    """No symbol of a newer glibc, and none of a shared C++ library."""
    sections = wheel.module().iter_sections()
    needed = [one for one in sections if isinstance(one, GNUVerNeedSection)]
    names = {
        str(one.name) for part in needed for _, all_of in part.iter_versions() for one in all_of
    }
    numbers = {name: tuple(map(int, re.findall(r"\d+", name))) for name in names}
    newer = [
        name
        for name in sorted(names)
        if not name.startswith("GLIBC_") or numbers[name] > NEWEST_GLIBC
    ]
    return (
        "" if names and not newer else f"asks for {newer or 'no version'}, expected GLIBC <= 2.17"
    )


def libraries_wrong(wheel: Wheel) -> str:
    """Only libraries of glibc."""
    parts = [one for one in wheel.module().iter_sections() if isinstance(one, DynamicSection)]
    needed = [str(tag.needed) for part in parts for tag in part.iter_tags("DT_NEEDED")]
    strange = [name for name in needed if not LIBRARIES.fullmatch(name)]
    return "" if needed and not strange else f"needs {strange or 'nothing'}, expected glibc's alone"


def size_wrong(wheel: Wheel) -> str:
    """Small enough to be mailed."""
    return "" if wheel.size < MOST_BYTES else f"{wheel.size} bytes, expected below {MOST_BYTES}"


def package_files() -> set[str]:
    """The files of the package in the source tree."""
    folder = ROOT / "python"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.is_file()}
    return {name for name in names if "__pycache__" not in name and not name.endswith(".so")}


def content_wrong(wheel: Wheel) -> str:
    """The package and its module: no tests, no benchmark code, nothing left out."""
    modules = [name for name in wheel.files if name.startswith("ait_cmp/_core.") and ".so" in name]
    (info,) = {name.split("/")[0] for name in wheel.files if ".dist-info/" in name}
    wanted = package_files() | {f"{info}/{name}" for name in INFO_FILES} | set(modules[:1])
    strange, missing = sorted(set(wheel.files) - wanted), sorted(wanted - set(wheel.files))
    return f"unexpected {strange}, missing {missing}" if strange or missing else ""


#: Of every wheel; those that only a wheel for old systems must pass.
CHECKS: tuple[Callable[[Wheel], str], ...] = (module_wrong, content_wrong)
PORTABLE: tuple[Callable[[Wheel], str], ...] = (
    *(tag_wrong, glibc_wrong, libraries_wrong, size_wrong),
)


def complaints(wheel: Wheel, is_portable: bool = True) -> dict[str, str]:
    """What is wrong, by the name of the check."""
    checks = CHECKS + PORTABLE if is_portable else CHECKS
    return {check.__name__: text for check in checks if (text := check(wheel))}


def with_module(change: Callable[[bytes], bytes]) -> Callable[[Wheel], Wheel]:
    """The same wheel with other bytes in its module."""

    def changed(wheel: Wheel) -> Wheel:
        files = {
            name: change(data) if name.endswith(".so") else data
            for name, data in wheel.files.items()
        }
        assert files != wheel.files
        return wheel._replace(files=files)

    return changed


def with_files(**more: bytes) -> Callable[[Wheel], Wheel]:
    """The same wheel with more files."""
    named = {name.replace("__", "/") + ".py": data for name, data in more.items()}
    return lambda wheel: wheel._replace(files={**wheel.files, **named})


def without(ending: str) -> Callable[[Wheel], Wheel]:
    """The same wheel less the files that end so."""

    def changed(wheel: Wheel) -> Wheel:
        files = {name: data for name, data in wheel.files.items() if not name.endswith(ending)}
        assert files != wheel.files
        return wheel._replace(files=files)

    return changed


def renamed_module(wheel: Wheel) -> Wheel:
    """The same wheel, its module without the name of a Python."""
    files = {re.sub(r"_core\..*\.so", "_core.so", name): data for name, data in wheel.files.items()}
    return wheel._replace(files=files)


def native_tag(wheel: Wheel) -> Wheel:
    """The same wheel before repairwheel saw it."""
    files = {
        name: re.sub(rb"manylinux\w+?_(x86_64|aarch64)", rb"linux_\1", data)
        if name.endswith("/WHEEL")
        else data
        for name, data in wheel.files.items()
    }
    return wheel._replace(files=files)


#: Wheels that are wrong in one way, and the check that must say so.
WRONG: tuple[tuple[Callable[[Wheel], Wheel], Callable[[Wheel], str]], ...] = (
    (lambda wheel: wheel._replace(name=wheel.name.replace("_2_17_", "_2_28_")), tag_wrong),
    (native_tag, tag_wrong),
    (renamed_module, module_wrong),
    # The machine of the header: byte 18.
    (with_module(lambda data: data[:18] + b"\x03" + data[19:]), module_wrong),
    (with_module(lambda data: data.replace(b"\0GLIBC_2.17\0", b"\0GLIBC_2.18\0")), glibc_wrong),
    (with_module(lambda data: data.replace(b"\0GLIBC_2.17\0", b"\0GLIBCXX_3.\0")), glibc_wrong),
    (with_module(lambda data: data.replace(b"\0libm.so.6\0", b"\0libz.so.1\0")), libraries_wrong),
    (lambda wheel: wheel._replace(size=MOST_BYTES), size_wrong),
    (with_files(ait_cmp__bench=b""), content_wrong),
    (with_files(tests__test_check=b""), content_wrong),
    (without("ait_cmp/terms.py"), content_wrong),
    (without("THIRD_PARTY_NOTICES.txt"), content_wrong),
)


def try_checks(good: Wheel) -> None:
    """Every wrong wheel is told by its check and no other."""
    for number, (spoil, check) in enumerate(WRONG):
        told = complaints(spoil(good))
        if list(told) != [check.__name__]:
            sys.exit(f"wrong wheel {number}: {check.__name__} alone must complain, found {told}")
    untried = set(CHECKS + PORTABLE) - {check for _, check in WRONG}
    if untried:
        sys.exit(f"no wrong wheel tries {sorted(check.__name__ for check in untried)}")
    print(f"{len(WRONG)} wrong wheels, each told by its check alone")


def main() -> None:
    """Check all; the exit status is 1 if one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--native", action="store_true", help="made by a compiler of this system, for it alone"
    )
    options = parser.parse_args()
    wheels = sorted(options.folder.glob("*.whl"))
    if not wheels:
        sys.exit(f"{options.folder}: no wheels")
    wrong = 0
    for path in wheels:
        wheel = read(path)
        for name, text in complaints(wheel, not options.native).items():
            print(f"{wheel.name}: {name}: {text}")
            wrong += 1
        print(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {wheel.size:8d}  {wheel.name}")
    if wrong:
        sys.exit(f"{wrong} complaints")
    if not options.native:
        try_checks(read(wheels[0]))
    print(f"{len(wheels)} wheels pass every check")


if __name__ == "__main__":
    main()
