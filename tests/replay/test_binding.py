"""What the graph text says of an op becomes arguments of its reference, or a sentence."""

from __future__ import annotations

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from ait_cmp.replay.references import REFERENCES, Given, RefusedError, bind, refusal_of_type
from ait_cmp.replay.references.dtypes import RUN_TIME_DTYPES, round_to

Fed = list[tuple[str, Any]]


def attributes_of(type_: str, fed: Fed, attributes: dict[str, Any] | None = None) -> Any:
    return bind(REFERENCES[type_], fed, attributes or {}).attributes


def test_inputs_are_found_by_name_not_by_position() -> None:
    turned = bind(REFERENCES["Sub"], [("x2", (1,)), ("x1", (1,))], {})
    values = {0: np.array([1.0]), 1: np.array([5.0])}
    assert turned.evaluate(values, Given()) == [4.0]


def test_an_input_that_is_a_keyword_of_python_is_bound() -> None:
    fed: Fed = [("condition", (2,)), ("then", (2,)), ("else", (2,))]
    binding = bind(REFERENCES["SelectV2"], fed, {})
    values = {0: np.array([True, False]), 1: np.array([1.0, 2.0]), 2: np.array([3.0, 4.0])}
    assert binding.evaluate(values, Given()).tolist() == [1.0, 4.0]


def test_dynamic_inputs_are_numbered() -> None:
    fed: Fed = [("x0", (1,)), ("x1", (1,)), ("x2", (1,)), ("concat_dim", ())]
    binding = bind(REFERENCES["ConcatV2"], fed, {"N": 3})
    values = {place: np.array([float(place)]) for place in range(3)}
    values[3] = np.array(0)
    assert binding.evaluate(values, Given()).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("name", ["bias", "offset", "pertoken_scale"])
def test_an_empty_filler_counts_as_absent(name: str) -> None:
    fed: Fed = [("x1", (2, 3)), ("x2", (3, 4)), ("scale", (4,)), (name, (0,))]
    assert set(bind(REFERENCES["QuantBatchMatmulV3"], fed, {"dtype": 27}).positions) == {
        "x1",
        "x2",
        "scale",
    }


def test_an_empty_filler_that_the_reference_does_not_name_is_absent_too() -> None:
    fed: Fed = [("query", (1, 1, 4)), ("key0", (1, 1, 4)), ("value0", (1, 1, 4))]
    bind(REFERENCES["FusedInferAttentionScore"], [*fed, ("block_table", (0,))], {"num_heads": 1})


def test_an_attribute_that_torchair_dropped_has_the_default_of_the_ir() -> None:
    x = np.linspace(-3.0, 3.0, 12).reshape(3, 4)
    for type_, name, default in (
        ("SoftmaxV2", "axes", [-1]),
        ("Swish", "scale", 1.0),
        ("SwiGlu", "dim", -1),
    ):
        every: list[dict[str, Any]] = [{}, {name: default}]
        results = [
            bind(REFERENCES[type_], [("x", x.shape)], options).evaluate({0: x}, Given())
            for options in every
        ]
        first, second = (getattr(result, "value", result) for result in results)
        np.testing.assert_array_equal(first, second)


def test_attribute_floats_are_float32() -> None:
    value = attributes_of("Muls", [("x", (1,))], {"value": 0.1})["value"]
    assert value == float(np.float32(0.1)) != 0.1


def test_attributes_number_types_as_ge_does_at_run_time() -> None:
    wanted = {0: "torch.float32", 1: "torch.float16", 3: "torch.int32", 9: "torch.int64"}
    assert {number: RUN_TIME_DTYPES[number] for number in wanted} == wanted
    assert RUN_TIME_DTYPES[27] == "torch.bfloat16"


def test_attributes_of_the_framework_are_passed_over() -> None:
    assert attributes_of("Abs", [("x", (1,))], {"_meta": "Tensor("}) == {}


@pytest.mark.parametrize(
    ("type_", "fed", "attributes", "sentence"),
    [
        ("Abs", [("y", (1,))], {}, "input y is unknown to our Abs"),
        ("Exp", [("x0", (1,))], {}, "input x0 is unknown to our Exp"),
        ("Abs", [("x", (1,))], {"mode": 1}, "attribute mode is unknown to our Abs"),
        ("Add", [("x1", (1,))], {}, "its input x2 is missing"),
        ("Muls", [("x", (1,))], {}, "its attribute value is missing"),
        (
            "MatMulV3",
            [("x1", (1, 1)), ("x2", (1, 1))],
            {"enable_hf32": True},
            "attribute enable_hf32 is unknown to our MatMulV3",
        ),
        (
            "FusedInferAttentionScore",
            [("query", (1, 1, 4)), ("key0", (2, 8)), ("value0", (2, 8)), ("block_table", (1, 2))],
            {"num_heads": 1},
            "input block_table is unknown to our FusedInferAttentionScore",
        ),
    ],
)
def test_what_a_reference_does_not_name_refuses_the_op(
    type_: str, fed: Fed, attributes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RefusedError, match=f"^{sentence}$"):
        bind(REFERENCES[type_], fed, attributes)


@pytest.mark.parametrize(
    ("type_", "sentence"),
    [
        ("MatmulAllReduce", "a collective: it needs the tensors of all ranks"),
        ("HcomAllGather", "a collective: it needs the tensors of all ranks"),
        ("MoeDistributeDispatchV2", "a collective: it needs the tensors of all ranks"),
        ("PartitionedCall", "it runs other graphs"),
        ("StatelessRandomUniformV2", "random: what it draws is not in the dump"),
        ("StatelessDropOutGenMask", "random: what it draws is not in the dump"),
        ("Empty", "what it holds is not defined"),
        ("MoeReRouting", "no reference for MoeReRouting (--reference adds one)"),
        ("NeverHeardOf", "no reference for NeverHeardOf (--reference adds one)"),
    ],
)
def test_a_type_without_a_reference_is_refused_with_its_reason(type_: str, sentence: str) -> None:
    assert type_ not in REFERENCES
    assert refusal_of_type(type_) == sentence


@pytest.mark.parametrize(
    ("dtype", "numpy_type"),
    [("torch.float16", "float16"), ("torch.float32", "float32"), ("torch.bfloat16", "bfloat16")],
)
def test_rounding_is_that_of_ml_dtypes(dtype: str, numpy_type: str) -> None:
    rng = np.random.default_rng(0)
    # From subnormal numbers to beyond the largest; float32 first, so that nothing rounds twice.
    x = rng.normal(size=4000) * 2.0 ** rng.integers(-150, 128, 4000)
    x = np.concatenate([x, [0.0, -0.0, np.inf, -np.inf, 65504, 65519, 65520, 2.0**-25]])
    kind = getattr(ml_dtypes, numpy_type, None) or np.dtype(numpy_type)
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
        expected = x.astype(kind).astype(np.float64)
    np.testing.assert_array_equal(round_to(dtype, x.astype(np.float64)), expected)
