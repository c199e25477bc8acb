"""Steps, names and fusion switch files: what is taken, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from torchair_stand_in import CompilerConfig, ge_folder

from ait_cmp.dump import torchair_dump
from ait_cmp.errors import ConfigError

ALL_OFF = {"Switch": {"GraphFusion": {"ALL": "off"}, "UBFusion": {"ALL": "off"}}}


@pytest.mark.parametrize(
    ("dump_token", "expected"),
    [
        (0, "0"),
        ([0, 1], "0|1"),
        ((3,), "3"),
        ("12", "12"),
        ("0|2-5", "0|2-5"),
        ("0 | 2-5", "0|2-5"),
        ("4-4", "4"),
        (range(3), "0-2"),
        (range(5, 2, -1), "3-5"),
        (range(2, 3), "2"),
        (range(0, 6, 2), "0|2|4"),
        (["0", "2-5", 7, range(9, 12)], "0|2-5|7|9-11"),
        ([1, 1, 1], "1"),
        ({4}, "4"),
        (iter([1, 2]), "1|2"),
        (list(range(150)), "0-149"),
        ([], ""),
        (range(0), ""),
        ("", ""),
    ],
)
def test_dump_token_becomes_dump_step(dump_token: object, expected: str) -> None:
    config = torchair_dump.get_ge_dump_config(
        dump_token=dump_token, compiler_config=CompilerConfig("7.2")
    )
    assert config.dump_config.dump_step.value == expected


@pytest.mark.parametrize(
    ("dump_token", "error", "message"),
    [
        (-1, ConfigError, "expected steps from 0"),
        (2**31, ConfigError, "expected steps from 0"),
        ("5-2", ConfigError, "range upwards"),
        ("1,2", ConfigError, "separated by '\\|'"),
        ("1||2", ConfigError, "separated by '\\|'"),
        ("1" * 50_000 + "x", ConfigError, "separated by '\\|'"),
        ("-3", ConfigError, "separated by '\\|'"),
        ("\u0663", ConfigError, "separated by '\\|'"),
        (1.0, TypeError, "found float"),
        (True, TypeError, "found bool"),
        (b"1", TypeError, "found bytes"),
        ([[1]], TypeError, "found list"),
        ([None], TypeError, "found NoneType"),
        (range(0, 500, 2), ConfigError, "GE allows 100"),
        (list(range(0, 500, 2)), ConfigError, "at most 100"),
    ],
)
def test_wrong_dump_token_is_refused(
    dump_token: object, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message) as caught:
        torchair_dump.get_ge_dump_config(
            dump_token=dump_token, compiler_config=CompilerConfig("7.2")
        )
    assert isinstance(caught.value, ConfigError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("dump_layer", "expected"),
    [
        ("Add", "Add"),
        ("Add  MatMulV2_1", "Add MatMulV2_1"),
        (["Add", "MatMulV2_1"], "Add MatMulV2_1"),
        (("Add Mul", "layer/q.proj"), "Add Mul layer/q.proj"),
        ([], ""),
        ("", ""),
    ],
)
def test_dump_layer_becomes_names_separated_by_blanks(dump_layer: object, expected: str) -> None:
    config = torchair_dump.get_ge_dump_config(
        dump_layer=dump_layer, compiler_config=CompilerConfig("7.2")
    )
    assert config.dump_config.dump_layer.value == expected


@pytest.mark.parametrize(
    ("dump_layer", "error", "message"),
    [
        ("add-aten.add.Tensor.OUTPUT.0", ConfigError, "names of FX nodes do not work"),
        ("Add,Mul", ConfigError, "separated by blanks"),
        (["Add", " "], ConfigError, "empty text"),
        (["Add\n;rm"], ConfigError, "separated by blanks"),
        (3, TypeError, "must be a list of strings"),
        ([3], TypeError, "must be a list of strings"),
        (b"Add", TypeError, "must be a list of strings"),
    ],
)
def test_wrong_dump_layer_is_refused(
    dump_layer: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        torchair_dump.get_ge_dump_config(
            dump_layer=dump_layer, compiler_config=CompilerConfig("7.2")
        )
    assert isinstance(caught.value, ConfigError)


def test_fusion_off_writes_the_switch_file_into_the_dump_folder(version: str) -> None:
    config = torchair_dump.get_ge_dump_config(
        fusion_switch_file="off", compiler_config=CompilerConfig(version)
    )
    file = Path(config.fusion_config.fusion_switch_file.value)
    assert file.parent == ge_folder(config)
    assert json.loads(file.read_text()) == ALL_OFF


def test_fusion_switch_file_of_the_user_is_taken_with_single_passes(tmp_path: Path) -> None:
    file = tmp_path / "switch.json"
    file.write_text('{"Switch": {"GraphFusion": {"ALL": "off", "SoftmaxFusionPass": "on"}}}')
    config = torchair_dump.get_ge_dump_config(
        fusion_switch_file="switch.json", compiler_config=CompilerConfig("7.2")
    )
    assert config.fusion_config.fusion_switch_file.value == str(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON like"),
        ("{'Switch': 1}", "expected JSON like"),
        ("[]", "a list at the top"),
        ("{}", 'no object "Switch"'),
        ('{"Switch": []}', 'no object "Switch"'),
        ('{"Switch": {"GraphFuson": {"ALL": "off"}}}', "unknown section 'GraphFuson'"),
        ('{"Switch": {"UBFusion": "off"}}', "no object in section 'UBFusion'"),
        ('{"Switch": {"UBFusion": {"ALL": "Off"}}}', "'Off' for 'ALL'"),
        ('{"Switch": {"UBFusion": {"ALL": []}}}', r"\[\] for 'ALL'"),
        ("[" * 100_000, "expected JSON like"),
    ],
)
def test_wrong_fusion_switch_file_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "switch.json").write_text(text)
    with pytest.raises(ConfigError, match=message) as caught:
        torchair_dump.get_ge_dump_config(
            fusion_switch_file="switch.json", compiler_config=CompilerConfig("7.2")
        )
    assert str(caught.value).startswith(str(tmp_path / "switch.json"))
    assert [path.name for path in tmp_path.iterdir()] == ["switch.json"]


def test_fusion_switch_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "switch.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="expected JSON like"):
        torchair_dump.get_ge_dump_config(
            fusion_switch_file="switch.json", compiler_config=CompilerConfig("7.2")
        )


@pytest.mark.parametrize("path", ["missing.json", "", "."])
def test_missing_fusion_switch_file_is_a_file_not_found_error(path: str) -> None:
    with pytest.raises(FileNotFoundError, match="fusion_switch_file: .*not found") as caught:
        torchair_dump.get_ge_dump_config(
            fusion_switch_file=path, compiler_config=CompilerConfig("7.2")
        )
    assert isinstance(caught.value, ConfigError)


def test_fusion_switch_file_of_a_wrong_type_is_refused() -> None:
    with pytest.raises(TypeError, match="fusion_switch_file: expected a path or 'off'"):
        torchair_dump.get_ge_dump_config(
            fusion_switch_file=False, compiler_config=CompilerConfig("7.2")
        )


@pytest.mark.parametrize(
    ("op_list", "error", "message"),
    [
        (3, TypeError, "op_list must be a list of strings"),
        ([3], TypeError, "op_list must be a list of strings"),
        ({"add": 1}, TypeError, "op_list must be a list of strings"),
        (["aten.add"], ConfigError, "found 'aten.add'"),
        ([""], ConfigError, "found ''"),
    ],
)
def test_wrong_op_list_is_refused(op_list: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        torchair_dump.get_fx_dump_config(op_list=op_list, compiler_config=CompilerConfig("7.2"))
    assert isinstance(caught.value, ConfigError)
