"""Conversion to info files: rate beside a plain read, sizes, and a watch over a slow writer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ait_cmp.convert import convert_dir, watch_dir
from benchmarks.dump_files import DT_BF16, StoredTensor, ge_file_start, write
from benchmarks.generate import FIRST_DUMP_TIME_US, SEED, write_layer_stack
from benchmarks.table import Line
from benchmarks.timing import drop_from_cache

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ait_cmp.convert.result import Conversion

HIDDEN = 4096
LAYER_TOKENS = 512
READ_BYTES = 1 << 20
# Elements of the files that the slow writer makes, over and over.
WATCHED_SIZES = (64, 4096, 300_000, 2_000_000, 16_000_000)
PIECES = 4


def _words(n_elements: int) -> bytes:
    """Values of about a normal distribution in bfloat16."""
    values = np.random.default_rng(SEED).standard_normal(n_elements, dtype=np.float32)
    return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()


def _bf16_file(number: int, n_elements: int) -> tuple[str, bytes]:
    """Name and start of a GE file with one bfloat16 output."""
    time_us = FIRST_DUMP_TIME_US + number
    tensor = StoredTensor(DT_BF16, (n_elements // 64, 64), 2 * n_elements)
    name = f"Add.Add_{number}.{number}.6.{time_us}"
    return name, ge_file_start(f"Add_{number}", time_us, (), (tensor,))


def _new_folder(parent: Path) -> Path:
    """A folder with a region of the disk to itself, where ext4 can: by its name, which is new.

    A new file takes an inode from the region of its folder, and ext4 without a journal passes over
    those that were freed in the last minutes, one by one: whatever was deleted near by before, a
    test run for example, would slow down the conversion more than the conversion itself costs.
    """
    command = shutil.which("chattr")
    if command is not None:
        subprocess.run([command, "+T", str(parent)], check=False, stderr=subprocess.DEVNULL)
    return Path(tempfile.mkdtemp(prefix="rates-", dir=parent))


def _write_bf16_files(folder: Path, *, n_files: int, n_elements: int) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    words = _words(n_elements)
    paths = []
    for number in range(n_files):
        name, start = _bf16_file(number, n_elements)
        write(str(folder / name), start, words)
        os.utime(folder / name, (1, 1))  # a dump that was written long ago is mapped
        paths.append(folder / name)
    return paths


def _read_plainly(path: Path) -> None:
    buffer = bytearray(READ_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _plain_read_s(paths: Sequence[Path], threads: int) -> float:
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_read_plainly, paths))
    return time.perf_counter() - start


def _convert_s(folder: Path, threads: int) -> float:
    """Seconds of a conversion that leaves the originals; its info files are moved out of the way.

    Removing them would slow down the next conversion, see `_new_folder`.
    """
    start = time.perf_counter()
    result = convert_dir(folder, keep=True, threads=threads)
    seconds = time.perf_counter() - start
    if result.left:
        raise RuntimeError(str(result.left))
    aside = Path(tempfile.mkdtemp(prefix="made-", dir=folder.parent))
    for path in folder.glob("*_info.npz"):
        path.rename(aside / path.name)
    return seconds


def bench_rates(work: Path, *, n_bytes: int, rounds: int) -> Iterator[Line]:
    """Conversion of bfloat16 files, and a plain read of them in turn.

    Cold is what the converter of a dump sees that is larger than memory; warm shows its own cost.
    """
    for name, n_elements in (("4096-wide layers", HIDDEN * 2048), ("64 kB files", 32_768)):
        folder = _new_folder(work)
        n_files = max(2, min(n_bytes // (2 * n_elements), 2000))
        paths = _write_bf16_files(folder, n_files=n_files, n_elements=n_elements)
        os.sync()  # else their way to the disk is measured beside the conversion
        total = sum(path.stat().st_size for path in paths)
        for cache, threads in (("warm", 1), ("warm", 2), ("cold", 2)):
            convert_s, read_s = float("inf"), float("inf")
            for _ in range(rounds + 2):
                if cache == "cold":
                    drop_from_cache(paths)
                read_s = min(read_s, _plain_read_s(paths, threads))
                if cache == "cold":
                    drop_from_cache(paths)
                convert_s = min(convert_s, _convert_s(folder, threads))
            yield Line(
                "convert",
                f"bf16 -> sketch, {name}",
                cache=cache,
                threads=threads,
                seconds=convert_s,
                n_bytes=total,
                read_s=read_s,
                n_rows=n_files,
            )
        for left in (folder, *work.glob("made-*")):
            shutil.rmtree(left)


def _size_note(result: Conversion) -> str:
    ratio = result.source_bytes / max(result.info_bytes, 1)
    return (
        f"{result.source_bytes / 1e6:.1f} MB -> {result.info_bytes / 1e6:.3f} MB: "
        f"{ratio:.0f} times smaller, {100 / ratio:.2f} %"
    )


def bench_sizes(work: Path, *, n_bytes: int, largest_hidden: int) -> Iterator[Line]:
    """How much smaller info files are."""
    folder = work / "layer"
    _write_bf16_files(folder, n_files=1, n_elements=HIDDEN * LAYER_TOKENS)
    note = _size_note(convert_dir(folder))
    yield Line("convert", f"one 4096-wide layer, {LAYER_TOKENS} tokens", note=note)
    shutil.rmtree(folder)
    dump = write_layer_stack(work / "stack", n_bytes=n_bytes, largest_hidden=largest_hidden)
    for name, side in (("GE", dump.my), ("FX", dump.golden)):
        note = _size_note(convert_dir(side))
        yield Line("convert", f"stack of layers, {name} side", note=note)
    shutil.rmtree(work / "stack")


def _write_slowly(folder: Path, n_bytes: int, done: threading.Event) -> None:
    """Files of mixed size, each in pieces with a pause between them, as a model run writes them."""
    words = _words(max(WATCHED_SIZES))
    written = number = 0
    while written < n_bytes:
        n_elements = WATCHED_SIZES[number % len(WATCHED_SIZES)]
        name, start = _bf16_file(number, n_elements)
        content = start + words[: 2 * n_elements]
        piece = -(-len(content) // PIECES)
        for at in range(0, len(content), piece):
            with (folder / name).open("ab") as file:
                file.write(content[at : at + piece])
            time.sleep(0.01)
        written += len(content)
        number += 1
    done.set()


def _disk_bytes(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                total += entry.stat().st_size
            except FileNotFoundError:  # converted meanwhile
                continue
    return total


def bench_watch(work: Path, *, n_bytes: int) -> Iterator[Line]:
    """A watch beside a slow writer: every file converted, none read early; peak disk use."""
    folder = work / "watched"
    folder.mkdir(parents=True)
    done, stop = threading.Event(), threading.Event()
    results: list[Conversion] = []

    def watch() -> None:
        results.append(watch_dir(folder, threads=2, interval=0.1, settle=30, stop=stop))

    watcher = threading.Thread(target=watch)
    writer = threading.Thread(target=_write_slowly, args=(folder, n_bytes, done))
    start = time.perf_counter()
    watcher.start()
    writer.start()
    peak = 0
    while not done.is_set() or any(not name.endswith(".npz") for name in os.listdir(folder)):
        peak = max(peak, _disk_bytes(folder))
        time.sleep(0.02)
    seconds = time.perf_counter() - start
    stop.set()
    watcher.join()
    writer.join()
    (result,) = results
    n_infos = len(list(folder.glob("*_info.npz")))
    early = f"{n_infos - result.converted} read early, " if n_infos != result.converted else ""
    yield Line(
        "convert",
        "watch over a slow writer",
        threads=2,
        seconds=seconds,
        n_bytes=result.source_bytes,
        n_rows=result.converted,
        note=(
            f"{early}{len(result.left)} left; {_size_note(result)}; "
            f"peak disk use {peak / 1e6:.0f} MB"
        ),
    )
    shutil.rmtree(folder)


def bench_convert(work: Path, *, n_bytes: int, largest_hidden: int, rounds: int) -> Iterator[Line]:
    """All of them."""
    yield from bench_rates(work, n_bytes=n_bytes, rounds=rounds)
    yield from bench_sizes(work, n_bytes=n_bytes, largest_hidden=largest_hidden)
    yield from bench_watch(work, n_bytes=n_bytes)
