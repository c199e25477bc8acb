from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import make_dump
from ait_cmp import _core, compare_dirs
from ait_cmp.cli import main as cli
from ait_cmp.convert.converter import DiskFullError
from ait_cmp.convert.result import Conversion
from ait_cmp.discover import discover
from ait_cmp.errors import ConfigError, FormatError
from ait_cmp.info.info_file import read_info
from ait_cmp.info.members import load_members
from ait_cmp.info.reduce import min_max_bytes, open_dump_file, reduce_dump
from forked import Forked
from reduced_dump import bf16, convert_all, ge_bytes, ge_folder, random_values, write_fx, write_ge
from trees import restored


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_every_dump_file_gives_way_to_an_info_file(tmp_path: Path) -> None:
    folder = ge_folder(tmp_path)
    file = write_ge(folder, "Add_1", (random_values(0, 64, 64),), (random_values(1, 8),))
    result = convert_all(tmp_path)
    assert names(tmp_path) == [f"{file.name}_info.npz"]
    assert (result.converted, result.left) == (1, {})
    assert result.source_bytes > result.info_bytes > 0
    (found,) = discover(tmp_path).ge.values()
    assert [(at.op_name, at.kind) for at in found] == [("Add_1", "sketch")]


def test_an_info_file_keeps_what_pairing_needs(tmp_path: Path) -> None:
    values = random_values(2, 4, 5)
    output = make_dump.tensor_of(values, original_op=("model/add", 3), format=0)
    file = write_ge(ge_folder(tmp_path), "model/Add.1", (), (output,))
    convert_all(tmp_path)
    info = read_info(f"{file}_info.npz")
    (place,) = info.tensors
    assert (info.op_name, info.dump_time) == ("model/Add.1", 1706596912161941)
    assert (place.io, place.original_op, place.original_index) == ("outputs", "model/add", 3)
    assert (place.storage_format, place.tensor.dtype) == (0, "torch.float32")


def test_a_sketched_bfloat16_layer_is_below_1_percent_of_its_dump(tmp_path: Path) -> None:
    layer = random_values(3, 256, 4096)
    write_ge(ge_folder(tmp_path), "Add_1", (), (bf16(layer),))
    result = convert_all(tmp_path)
    assert result.info_bytes < 0.01 * result.source_bytes


def test_fx_files_are_converted_and_literals_stay(tmp_path: Path) -> None:
    write_fx(tmp_path, "add", "INPUT", 0, random_values(4, 50, 50))
    write_fx(tmp_path, "add", "INPUT", 1, None)
    write_fx(tmp_path, "add", "INPUT", 2, "text")
    result = convert_all(tmp_path)
    assert (result.converted, result.literals, result.left) == (1, 2, {})
    kept = [name for name in names(tmp_path) if name.endswith(".npy")]
    assert [name.split(".INPUT.")[1][0] for name in kept] == ["1", "2"]


def test_min_max_is_what_a_script_with_numpy_writes(tmp_path: Path) -> None:
    inputs = (random_values(5, 30, 30), random_values(6, 7))
    ge = write_ge(ge_folder(tmp_path / "ge"), "Add_1", inputs, (inputs[0] + 1,))
    arrays = {
        "float": random_values(7, 2000),
        "half": random_values(8, 20).astype(np.float16),
        "long": np.array([2**62 + 1, -5, 2**62 + 3]),
        "flags": np.array([True, False]),
        "bad": np.array([1.0, np.nan]),
    }
    paths = {
        name: write_fx(tmp_path / "fx", name, "OUTPUT", 0, array) for name, array in arrays.items()
    }
    convert_all(tmp_path / "ge", info="min_max")
    convert_all(tmp_path / "fx", info="min_max")
    with np.load(f"{ge}_min_max.npz", allow_pickle=False) as written:
        assert np.array_equal(written["inputs"], [[x.min(), x.max()] for x in inputs])
        assert np.array_equal(written["outputs"], [[(inputs[0] + 1).min(), (inputs[0] + 1).max()]])
    for name, array in arrays.items():
        pair = np.load(str(paths[name]).replace(".npy", "_min_max.npy"), allow_pickle=False)
        expected = np.array([array.min(), array.max()])
        assert pair.dtype == expected.dtype
        assert np.array_equal(pair, expected, equal_nan=array.dtype.kind == "f")


def test_files_that_are_no_dumps_are_not_touched(tmp_path: Path) -> None:
    folder = ge_folder(tmp_path)
    write_ge(folder, "Add_1", (), (random_values(9, 3),))
    others = ["notes.txt", "weights.npy", "mapping.csv", "Add.Add_2.1.6.1706596911888000.csv"]
    for name in others:
        (folder / name).write_text("not a dump\n")
    convert_all(tmp_path)
    assert all((folder / name).read_text() == "not a dump\n" for name in others)


def cut(content: bytes) -> bytes:
    return content[:-1]


def garbage(content: bytes) -> bytes:
    return b"\xff" * len(content)


def nothing(content: bytes) -> bytes:
    return content[:0]


@pytest.mark.parametrize("change", [cut, garbage, nothing])
def test_unreadable_files_are_left_and_named_and_the_status_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Callable[[bytes], bytes]
) -> None:
    folder = ge_folder(tmp_path)
    good = write_ge(folder, "Add_1", (), (random_values(10, 30),), number=1)
    bad = write_ge(folder, "Add_2", (), (random_values(11, 30),), number=2)
    npy = write_fx(tmp_path / "fx", "add", "OUTPUT", 0, random_values(12, 30))
    for path in (bad, npy):
        path.write_bytes(change(path.read_bytes()))
    before = bad.read_bytes(), npy.read_bytes()
    status = cli.main(["convert", str(tmp_path), "--force", "--settle", "0", "--no-progress"])
    assert status == 1
    assert (bad.read_bytes(), npy.read_bytes()) == before
    assert not good.exists()
    printed = capsys.readouterr().err
    assert str(bad) in printed
    assert str(npy) in printed


def test_many_files_of_one_reason_are_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ge_folder(tmp_path)
    for number in range(1, 21):
        write_ge(folder, f"Add_{number}", (), (random_values(10, 30),), number=number)
    for file in folder.iterdir():
        Path(f"{file}_info.npz").mkdir()  # nothing can take its place
    assert cli.main(["convert", str(tmp_path), "--force", "--settle", "0", "--no-progress"]) == 1
    head, line = capsys.readouterr().err.splitlines()
    assert head == "ait-cmp: 20 files were left as they are:"
    assert line.startswith(f"  {folder}: its info file cannot be written: Is a directory (20 files")
    assert line.endswith("and 17 more; --json: all)")


@pytest.mark.parametrize("keep", [[], ["--keep"]])
def test_a_second_run_says_that_all_is_converted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], keep: list[str]
) -> None:
    write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(10, 30),))
    write_fx(tmp_path / "fx", "add", "OUTPUT", 0, random_values(12, 30))
    command = ["convert", str(tmp_path), "--force", "--settle", "0", "--no-progress", *keep]
    assert cli.main(command) == 0
    capsys.readouterr()
    assert cli.main(command) == 0
    printed = capsys.readouterr().out
    assert printed == f"{tmp_path}: nothing to do: all 2 files have been converted before\n"


def test_a_folder_without_dumps_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["convert", str(tmp_path), "--force", "--no-progress"]) == 0
    assert capsys.readouterr().out == f"{tmp_path}: no dump files found\n"


@pytest.mark.parametrize("change", [cut, nothing])
def test_a_file_cut_short_before_its_dtype_is_read_is_no_crash(
    tmp_path: Path, change: Callable[[bytes], bytes]
) -> None:
    file = write_fx(tmp_path, "add", "OUTPUT", 0, random_values(12, 30))
    dump = open_dump_file(str(file), "fx", file_bytes=file.stat().st_size)
    info = reduce_dump(dump, 1)
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(FormatError, match="changed while it was read"):
        min_max_bytes(dump, info)


def test_a_file_without_a_sure_sign_of_its_end_has_to_settle(tmp_path: Path) -> None:
    file = write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(13, 30),))
    with file.open("ab") as more:
        more.write(b"what follows the last tensor")
    stop = threading.Event()
    seen: list[int] = []

    def end_after_the_first_pass(state: Conversion) -> None:
        seen.append(state.converted)
        stop.set()

    result = convert_all(tmp_path, settle=3600, stop=stop, progress=end_after_the_first_pass)
    assert (result.converted, list(result.left)) == (0, [str(file)])
    os.utime(file, (1, 1))
    assert convert_all(tmp_path, settle=3600).converted == 1


def test_with_keep_originals_stay_and_are_not_read_twice(tmp_path: Path) -> None:
    file = write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(14, 30),))
    assert convert_all(tmp_path, keep=True).converted == 1
    assert file.exists()
    assert convert_all(tmp_path, keep=True).converted == 0
    assert convert_all(tmp_path).converted == 1
    assert not file.exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_with_a_message_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    folder = ge_folder(tmp_path)
    for at in range(5):
        write_ge(folder, f"Add_{at}", (), (random_values(at, 30),), number=at)
    before = names(tmp_path)

    def no_space(files: list[tuple[str, int, bytes]]) -> list[tuple[int, int]]:
        # The file is there, but not all of it.
        return [(number, os.open(path, os.O_CREAT | os.O_WRONLY)) for path, _, _ in files]

    monkeypatch.setattr(_core, "create_files", no_space)
    with pytest.raises(DiskFullError, match="disk is full.*Nothing was lost"):
        convert_all(tmp_path, threads=2)
    assert names(tmp_path) == before


def test_two_converters_on_one_folder_convert_every_file_once(tmp_path: Path) -> None:
    folder = ge_folder(tmp_path)
    for at in range(60):
        write_ge(folder, f"Add_{at}", (), (random_values(at, 300),), number=at)
    results = []
    converters = [
        threading.Thread(target=lambda: results.append(convert_all(tmp_path, threads=2)))
        for _ in range(2)
    ]
    for converter in converters:
        converter.start()
    for converter in converters:
        converter.join()
    assert len(names(tmp_path)) == 60
    assert all(name.endswith("_info.npz") for name in names(tmp_path))
    assert sum(result.converted for result in results) == 60
    assert not any(result.left for result in results)


def test_many_threads_need_no_more_files_open_than_they_may(tmp_path: Path, forked: Forked) -> None:
    folder = ge_folder(tmp_path)
    content = ge_bytes("Add", (), (random_values(0, 30),))
    for at in range(160):
        (folder / f"Add.Add_{at}.{at}.6.1706596911888000").write_bytes(content)
    script = """
import resource, sys
from ait_cmp.convert import convert_dir

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
result = convert_dir(sys.argv[1], threads=16, force=True)
print(result.converted, result.left)
"""
    ran = forked.run(script, tmp_path)
    assert (ran.status, ran.out) == (0, "160 {}\n"), ran.err


def test_converting_again_gives_the_same_bytes(tmp_path: Path) -> None:
    content = ge_bytes("Add_1", (random_values(15, 3000),), (random_values(16, 3),))
    made = set()
    for threads in (1, 3):
        folder = ge_folder(tmp_path / str(threads))
        (folder / "Add.Add_1.1.6.1706596911888000").write_bytes(content)
        convert_all(folder, threads=threads)
        (info,) = folder.iterdir()
        made.add(info.read_bytes())
    assert len(made) == 1


def test_what_a_killed_converter_left_over_is_removed(tmp_path: Path) -> None:
    folder = ge_folder(tmp_path)
    write_ge(folder, "Add_1", (), (random_values(17, 3),))
    old, young = folder / ".ait-cmp-1-0.tmp", folder / ".ait-cmp-2-0.tmp"
    old.write_bytes(b"half an info file")
    young.write_bytes(b"half an info file")
    os.utime(old, (1, 1))
    convert_all(tmp_path)
    assert not old.exists()
    assert young.exists()


def test_the_result_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(18, 3000),))
    assert cli.main(["convert", str(tmp_path), "--force", "--json", "--no-progress"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["converted"] == 1
    assert printed["source_bytes"] > 12_000
    assert printed["left"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"info": "mean"}, "sketch, min_max expected"),
        ({"threads": -1}, "threads"),
        ({"settle": -1.0}, "settle"),
        ({"max_rate": 0.0}, "max_rate"),
    ],
)
def test_wrong_arguments_are_refused(
    tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        convert_all(tmp_path, **arguments)


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    assert cli.main(["convert", str(tmp_path / "missing")]) == 2


def test_an_info_file_that_is_damaged_is_refused_with_its_path(tmp_path: Path) -> None:
    file = write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(19, 3000),))
    convert_all(tmp_path)
    info = Path(f"{file}_info.npz")
    whole = info.read_bytes()
    for damaged in (whole[:100], whole[:-1], b"", b"PK\x03\x04"):
        info.write_bytes(damaged)
        with pytest.raises(FormatError, match="Add_1.*_info.npz"):
            read_info(str(info))
    np.savez(info, header=np.frombuffer(b'{"format": "another"}', np.uint8))
    with pytest.raises(FormatError, match="not a readable info file"):
        read_info(str(info))


@pytest.fixture(scope="module")
def half_converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files on either side, those of `my` converted; what a test changes it restores."""
    root = tmp_path_factory.mktemp("half")
    for side in ("my", "golden"):
        for number in range(2):
            values = (random_values(number, 3000),)
            write_ge(ge_folder(root / side), f"Add_{number}", (), values, number=number + 1)
    convert_all(root / "my")
    return root


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("count", -1),
        ("nan", 2**63),
        ("positive_inf", 10**30),
        ("shape", [10**30]),
        ("original_index", 2**70),
        ("note", "\ud800"),
        ("dtype", "\ud800"),
    ],
)
def test_an_info_file_that_says_nonsense_is_one_unreadable_row(
    tmp_path: Path, half_converted: Path, key: str, value: object
) -> None:
    (path,) = (half_converted / "my").rglob("*Add_1*_info.npz")
    with restored(path) as info:
        members = load_members(str(info), ("header", "sketches"))
        header = json.loads(members["header"].tobytes())
        header["tensors"][0][key] = value
        members["header"] = np.frombuffer(json.dumps(header).encode(), np.uint8)
        np.savez(info, **members)
        found = compare_dirs(half_converted / "my", half_converted / "golden", output=tmp_path)
    assert [row.status for row in found.rows] == ["compared", "unreadable"]
    assert "not a readable info file" in found.rows[1].cmp_fail_reason


def test_no_note_is_lost_on_a_folder_with_colons(tmp_path: Path) -> None:
    folder = tmp_path / "2026-11-27T10:05:00"
    paths = [folder / f"pipe{number}" for number in (1, 2)]
    folder.mkdir()
    for path in paths:
        os.mkfifo(path)
    left = convert_all(folder).left
    assert sorted(left) == [str(path) for path in paths]
    assert all("neither a file nor a folder" in note for note in left.values())


def test_a_file_that_changes_while_it_settles_is_not_taken_for_quiet(tmp_path: Path) -> None:
    """Its writer may add what no size tells; the clock of its change may be wrong."""
    file = write_ge(ge_folder(tmp_path), "Add_1", (), (random_values(13, 30),))
    with file.open("ab") as more:
        more.write(b"what follows the last tensor")

    class Writer(threading.Event):
        """Writes on while the converter waits."""

        def wait(self, timeout: float | None = None) -> bool:
            del timeout
            with file.open("ab") as more:
                more.write(b", and more")
            return False

    result = convert_all(tmp_path, settle=3600, stop=Writer())
    assert (result.converted, list(result.left)) == (0, [str(file)])
    assert file.read_bytes().endswith(b", and more")
