"""Many comparisons at once: order, bad files, files that change, stopping."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ait_cmp import _core
from make_dump import Dump, tensor_of

THREADS = [1, 2, 7, 32]
#: Results that may wait to be handed out: jobs behind them are not begun.
WINDOW = 8192
#: At most 1024 results are handed out at once: until more are, the last of so many is not begun.
NOT_BEGUN = WINDOW + 2000
CHUNK = 2**18

Ref = tuple[str, str, int, tuple[Any, ...]]
Job = tuple[Any, Any]


def save(path: Path, values: np.ndarray) -> Ref:
    np.save(path, values)
    return (str(path), "", 0, ())


def results_of(jobs: list[Job], **options: Any) -> list[tuple[Any, ...]]:
    return [result for results in _core.Batch(jobs, **options) for result in results]


def pair_of(folder: Path, n: int, k: int = 1) -> Job:
    """A pair that differs by k in its last element; golden tensors of a size are one file."""
    my = np.zeros(n, np.float32)
    golden = folder / f"golden{n}.npy"
    if not golden.exists():
        save(golden, my)
    my[-1] = k
    return save(folder / f"my{k}.npy", my), (str(golden), "", 0, ())


SIZES = [3] * 100 + [2 * CHUNK + 1] + [5] * 100 + [CHUNK, CHUNK + 1, 1, 3 * CHUNK]


@pytest.fixture(scope="module")
def ordered_jobs(tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    """Pair k of such a size differs by k."""
    folder = tmp_path_factory.mktemp("ordered")
    return [pair_of(folder, n, k) for k, n in enumerate(SIZES)]


@pytest.mark.parametrize("threads", THREADS)
def test_small_and_large_tensors_come_back_in_order(ordered_jobs: list[Job], threads: int) -> None:
    results = results_of(ordered_jobs, threads=threads)
    assert [result[0] for result in results] == ["compared"] * len(SIZES)
    assert [result[4]["max_absolute_error"] for result in results] == list(range(len(SIZES)))
    assert [r[6] for r in results[1:]] == [(n - 1, k, 0) for k, n in enumerate(SIZES)][1:]


@pytest.mark.parametrize("threads", [1, 7])
def test_far_more_jobs_than_the_window_are_all_answered(tmp_path: Path, threads: int) -> None:
    my, golden = pair_of(tmp_path, 3)
    batch = _core.Batch([(golden, None), (my, None)] * WINDOW, threads=threads)
    largest = [mine[2][4] for results in batch for _, _, mine, *_ in results]
    assert largest == [0.0, 1.0] * WINDOW


def test_no_jobs_give_no_results() -> None:
    assert results_of([], threads=3) == []


def npy_bytes(values: np.ndarray, folder: Path) -> bytes:
    path = folder / "whole.npy"
    np.save(path, values)
    return path.read_bytes()


@pytest.mark.parametrize("threads", [1, 7])
@pytest.mark.parametrize("n", [100, 2 * CHUNK])
def test_a_bad_file_is_one_row(tmp_path: Path, n: int, threads: int) -> None:
    whole = npy_bytes(np.zeros(n, np.float32), tmp_path)
    bad = {
        "missing": (None, "unreadable", "No such file"),
        "folder": (None, "unreadable", "directory"),
        "empty": (b"", "unreadable", "empty"),
        "noise": (b"\x01" * 300, "unreadable", "noise"),
        "cut": (whole[:-1], "unreadable", "cut|truncated|left|bytes"),
    }
    (tmp_path / "folder").mkdir()
    good = pair_of(tmp_path, n)
    for name, (content, _, _) in bad.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
    jobs = [*(((str(tmp_path / name), "", 0, ()), good[1]) for name in bad), good]
    results = results_of(jobs, threads=threads)
    assert [result[0] for result in results] == ["unreadable"] * len(bad) + ["compared"]
    for result, name in zip(results, bad):
        assert result[4] is None
        assert result[1].endswith(".")
        assert name in result[1] or name == "cut"


def test_a_tensor_that_the_file_does_not_have_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "Add.Add.1.2.3"
    path.write_bytes(Dump(outputs=(tensor_of(np.ones(4, np.float32)),)).file_bytes())
    jobs = [
        ((str(path), io, k, ()), None) for io, k in (("outputs", 0), ("outputs", 1), ("inputs", 0))
    ]
    good, *bad = results_of(jobs)
    assert good[0] == "compared"
    assert [result[0] for result in bad] == ["unreadable"] * 2
    assert "output 1 expected, the file has 1" in bad[0][1]


@pytest.mark.parametrize(("threads", "access"), [(1, "auto"), (2, "read")])
def test_a_file_that_shrinks_meanwhile_is_unreadable_rows(
    tmp_path: Path, threads: int, access: str
) -> None:
    """The file is open when it shrinks, and the last jobs cannot have begun by then."""
    path = tmp_path / "Add.Add.1.2.3"
    tensors = (tensor_of(np.ones(4, np.float32)), tensor_of(np.ones(100_000, np.float32)))
    path.write_bytes(Dump(outputs=tensors).file_bytes())
    jobs = [((str(path), "outputs", 0, ()), None)] * NOT_BEGUN
    jobs[-1] = ((str(path), "outputs", 1, ()), None)
    batch = _core.Batch(jobs, threads=threads, access=access)
    said = [result[:2] for result in next(batch)]
    os.truncate(path, 1000)
    said += [result[:2] for part in batch for result in part]
    assert len(said) == len(jobs)
    assert said[0][0] == "compared"
    assert {status for status, _ in said} == {"compared", "unreadable"}
    status, reason = said[-1]
    assert status == "unreadable"
    # A thread that has not had the file open finds it cut short.
    assert str(path) in reason or "cut short" in reason


@pytest.mark.parametrize("n", [20_000, 2 * CHUNK])
def test_a_file_that_is_written_again_meanwhile_is_unreadable(tmp_path: Path, n: int) -> None:
    path = tmp_path / "changing.npy"
    changing = save(path, np.ones(n, np.float32))
    golden = save(tmp_path / "golden.npy", np.ones(n, np.float32))
    jobs: list[Job] = [(changing, None)] + [(golden, None)] * NOT_BEGUN
    jobs.append((changing, golden))
    batch = _core.Batch(jobs, threads=1, access="read", single_sums=False)
    said = [result[:2] for result in next(batch)]
    with path.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\0\0\0\0")
    os.utime(path, ns=(1, 1))
    said += [result[:2] for part in batch for result in part]
    assert [status for status, _ in said[:-1]] == ["compared"] * (len(jobs) - 1)
    status, reason = said[-1]
    assert (status, "changed" in reason, str(path) in reason) == ("unreadable", True, True)


@pytest.mark.parametrize("threads", THREADS)
def test_after_stop_there_are_fewer_results_and_the_batch_ends(
    tmp_path: Path, threads: int
) -> None:
    jobs = [(pair_of(tmp_path, 3)[0], None)] * NOT_BEGUN
    batch = _core.Batch(jobs, threads=threads)
    n_first = len(next(batch))
    batch.stop()
    assert 0 < n_first + sum(map(len, batch)) < len(jobs)


def test_a_closed_batch_has_nothing_more(tmp_path: Path) -> None:
    batch = _core.Batch([pair_of(tmp_path, 2 * CHUNK)] * 4, threads=2)
    batch.close()
    assert list(batch) == []
    batch.close()


def test_a_batch_that_is_dropped_half_way_ends_its_threads(tmp_path: Path) -> None:
    jobs = [pair_of(tmp_path, n, k) for k, n in enumerate((2 * CHUNK, 3, 4))] * 200
    for _ in range(5):
        batch = _core.Batch(jobs, threads=7)
        next(batch)
        del batch


@pytest.mark.parametrize("access", ["auto", "map", "read"])
def test_every_access_gives_the_same_results(tmp_path: Path, access: str) -> None:
    rng = np.random.default_rng(1)
    jobs = [
        tuple(
            save(tmp_path / f"{side}{n}.npy", rng.standard_normal(n)) for side in ("my", "golden")
        )
        for n in (1, 8191, 8193, CHUNK + 3)
    ]
    assert repr(results_of(jobs, access=access)) == repr(results_of(jobs, access="map"))


def test_one_side_alone_has_its_statistics_or_its_header(tmp_path: Path) -> None:
    ref = save(tmp_path / "a.npy", np.array([[1.0, 3.0]], np.float32))
    read, header = results_of([(ref, None)]), results_of([(ref, None)], single_sums=False)
    assert read[0][2] == ("torch.float32", (1, 2), (2, 0, 0, 0, 3.0, 1.0, 2.0))
    assert header[0][2] == ("torch.float32", (1, 2), None)
    assert results_of([(None, ref)])[0][3] == read[0][2]


BAD_JOBS = [
    ([(None, None)], ValueError, "at least one side"),
    ([(("f", "output", 0, ()), None)], ValueError, 'found "output"'),
    ([(("f", "", 0, (("turn", (1,)),)), None)], ValueError, 'found "turn"'),
    ([["f", None]], TypeError, "tuple expected, found list"),
]


@pytest.mark.parametrize(("jobs", "error", "message"), BAD_JOBS)
def test_a_job_of_another_form_is_refused(
    jobs: list[Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        _core.Batch(jobs)
