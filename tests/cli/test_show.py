"""`ait-cmp show` and open_dump: one file or tensor, as text and for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ait_cmp
import storage_layouts as write
from ait_cmp.cli.main import main
from dump_proto import MESSAGES
from make_dump import good_dump
from storage_layouts import assert_same_array


def shape_of(dims: tuple[int, ...]) -> Any:
    return MESSAGES["Shape"](dim=[dim & 2**64 - 1 for dim in dims])


def proto_file(path: Path, *outputs: tuple[dict[str, Any], bytes]) -> Path:
    """A dump whose header google.protobuf writes; every output with its bytes."""
    message = MESSAGES["DumpData"](version="2.0", dump_time=1706596912161941, op_name="a/MatMul.1")
    for fields, data in outputs:
        settings: dict[str, Any] = {"size": len(data), **fields}
        for name in ("shape", "original_shape"):
            if settings.get(name) is not None:
                settings[name] = shape_of(settings[name])
        message.output.append(MESSAGES["OpOutput"](**settings))
    header = message.SerializeToString()
    body = b"".join(data for _, data in outputs)
    path.write_bytes(len(header).to_bytes(8, "little") + header + body)
    return path


def nz_output(logical: Any, **changes: Any) -> tuple[dict[str, Any], bytes]:
    storage = write.fractal_nz(logical, 16, 16, float("nan"))
    fields = {"data_type": 2, "format": 29, "shape": storage.shape, "original_shape": logical.shape}
    return {**fields, **changes}, storage.tobytes()


def test_open_dump_gives_tensors_in_logical_order(tmp_path: Path) -> None:
    logical = np.random.default_rng(1).standard_normal((2, 37, 53)).astype(np.float16)
    path = proto_file(tmp_path / "MatMul.a.1.2.1706596912161941", nz_output(logical))
    dump = ait_cmp.open_dump(path)
    assert (dump.op_name, dump.dump_time, dump.inputs) == ("a/MatMul.1", 1706596912161941, ())
    (tensor,) = dump.outputs
    assert (tensor.dtype, tensor.format) == ("torch.float16", "FRACTAL_NZ")
    assert tensor.shape == tensor.original_shape == (2, 37, 53)
    assert tensor.storage_shape == (2, 4, 3, 16, 16)
    assert tensor.note == ""
    assert_same_array(tensor.numpy(), logical)


def test_a_file_that_is_read_on_demand_gives_the_same_values(tmp_path: Path) -> None:
    logical = np.random.default_rng(2).standard_normal((300, 500)).astype(np.float16)
    path = proto_file(tmp_path / "a.b.1.2.1706596912161941", nz_output(logical))
    for access in ("map", "read"):
        (tensor,) = ait_cmp._core.read_ge(path, access).outputs
        np.testing.assert_array_equal(tensor.numpy(), logical)
        np.testing.assert_array_equal(tensor.numpy((("transpose", (1, 0)),)), logical.T)
    rows = np.asfortranarray(logical.astype(np.float32))
    np.save(tmp_path / "rows.npy", rows)
    for access in ("map", "read"):
        tensor = ait_cmp._core.read_npy(tmp_path / "rows.npy", access)
        np.testing.assert_array_equal(tensor.numpy(), rows)


def test_open_dump_of_an_npy_file_has_one_output(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.int64).reshape(2, 3)
    np.save(tmp_path / "add-aten.add.npy", values)
    dump = ait_cmp.open_dump(str(tmp_path / "add-aten.add.npy"))
    assert (dump.op_name, dump.dump_time, dump.inputs) == ("add-aten.add", None, ())
    assert_same_array(dump.outputs[0].numpy(), values)


@pytest.mark.parametrize(
    ("changes", "state", "note", "shape"),
    [
        (
            {"original_shape": (60, 53)},
            "ok",
            "original shape (60, 53) does not fit",
            (4, 3, 16, 16),
        ),
        ({"original_shape": None}, "ok", "FRACTAL_NZ without an original shape", (4, 3, 16, 16)),
        ({"original_shape": (-1, 53)}, "ok", "without an original shape", (4, 3, 16, 16)),
        ({"format": 99}, "ok", "unknown format 99: read as ND", (4, 3, 16, 16)),
        ({"data_type": 77}, "unsupported", "unknown dtype number 77", (37, 53)),
        ({"data_type": 1}, "short", "short tensor: 12288 bytes expected", (37, 53)),
        ({"shape": (-1, 3, 16, 16)}, "ok", "negative (unknown) dimension", (3072,)),
        ({"shape": (2**40, 2**40)}, "short", "overflows 64 bits", (3072,)),
    ],
)
def test_a_damaged_header_is_a_note_of_its_tensor_not_an_error_of_the_file(
    tmp_path: Path, changes: dict[str, Any], state: str, note: str, shape: tuple[int, ...]
) -> None:
    logical = np.ones((37, 53), np.float16)
    path = proto_file(
        tmp_path / "a.b.1.2.1706596912161941", nz_output(logical, **changes), nz_output(logical)
    )
    damaged, good = ait_cmp.open_dump(path).outputs
    assert damaged.state == state
    assert note in damaged.note
    assert damaged.shape == shape
    np.testing.assert_array_equal(good.numpy(), logical)
    if state == "short":
        with pytest.raises(ait_cmp.FormatError, match=r"1706596912161941: .*bytes"):
            damaged.numpy()
    else:
        assert damaged.numpy().size in (3072, 6144)
    assert main(["show", str(path)]) == 0


def test_show_prints_every_tensor_of_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Cast.Cast_9.1.2.1706596912161941"
    path.write_bytes(good_dump().file_bytes())
    assert main(["show", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"file      {path}",
        "op        Cast_9",
        "time      2024-01-30 06:41:52.161941 UTC",
        "",
        "inputs,0  torch.float32 ND, shape [2], 8 bytes",
        "    min -2.0  max 1.5  mean -0.25",
        "",
        "outputs,0  torch.float16 ND, shape [2], 4 bytes",
        "    min -2.0  max 1.5  mean -0.25",
    ]


def test_show_of_one_tensor_has_values_and_a_histogram(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = np.array([0, 0, 0, 16, np.nan, np.inf, -np.inf], np.float32)
    np.save(tmp_path / "x.npy", values)
    assert main(["show", str(tmp_path / "x.npy")]) == 0
    out = capsys.readouterr().out
    assert "    min 0.0  max 16.0  mean 4.0\n    1 NaN, 2 inf\n" in out
    assert "first values  0.0 0.0 0.0 16.0 nan inf -inf" in out
    rows = [line.split() for line in out.splitlines() if " .. " in line]
    assert len(rows) == 16
    assert rows[0] == ["0", "..", "1", "3", "#" * 40]
    assert rows[-1] == ["15", "..", "16", "1", "#" * 13]


def test_show_for_machines_is_one_json_object(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logical = np.arange(37 * 53, dtype=np.float16).reshape(37, 53)
    path = proto_file(
        tmp_path / "a.b.1.2.1706596912161941", nz_output(logical), nz_output(-logical)
    )
    assert main(["show", f"{path},outputs,1", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (tensor,) = report["outputs"]
    assert tensor["index"] == 1
    assert tensor["shape"] == [37, 53]
    assert tensor["storage_shape"] == [4, 3, 16, 16]
    assert tensor["max"] == 0
    assert tensor["first_values"][:3] == [0, -1, -2]
    assert sum(count for _, _, count in tensor["histogram"]) == 37 * 53


def test_show_of_a_tensor_that_the_file_lacks_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "Cast.Cast_9.1.2.1706596912161941"
    path.write_bytes(good_dump().file_bytes())
    assert main(["show", f"{path},inputs,3"]) == 2
    assert "no inputs 3, the file has 1 inputs" in capsys.readouterr().err


def test_a_tensor_of_a_file_with_the_longest_name_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ".1.2.1706596912161941"
    path = tmp_path / ("Cast." + "x" * (255 - len("Cast.") - len(place)) + place)
    path.write_bytes(good_dump().file_bytes())
    assert main(["show", f"{path},outputs,0", "--json"]) == 0
    (tensor,) = json.loads(capsys.readouterr().out)["outputs"]
    assert tensor["shape"] == [2]


def test_show_of_extreme_values_does_not_overflow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "x.npy", np.array([-1.7e308, 1.7e308, 0.0]))
    assert main(["show", str(tmp_path / "x.npy"), "--json"]) == 0
    (tensor,) = json.loads(capsys.readouterr().out)["outputs"]
    assert sum(count for _, _, count in tensor["histogram"]) == 3
