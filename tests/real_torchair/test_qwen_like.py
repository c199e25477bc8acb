"""Whole flows on a Qwen-like model through the genuine torchair: a prefill, steps of decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ge_device
import pytest
import qwen_like
from cpu_device import compile_on_cpu, torch, torchair
from qwen_like import QwenLike, empty_pasts

from ait_cmp import Comparison, compare_dirs
from ait_cmp.dump import torchair_dump

Compile = Callable[[torch.nn.Module, Any], Callable[..., Any]]


def compare_runs(
    model: torch.nn.Module,
    run: Callable[[Callable[..., Any]], None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    dynamic: bool,
) -> Comparison:
    """Dump the FX run and the GE run of one model, and compare them."""
    fx = torchair_dump.get_fx_dump_config("fx")
    run(compile_on_cpu(model, fx, dynamic=dynamic))
    torch._dynamo.reset()
    ge = torchair_dump.get_ge_dump_config("ge")
    ge_device.write_dumps_of_graphs(monkeypatch.setattr)
    backend = torchair.get_npu_backend(compiler_config=ge)
    run(torch.compile(model, backend=backend, dynamic=dynamic))
    return compare_dirs(ge.dump_config.dump_path.value, fx.debug.data_dump.path)


def assert_clean(found: Comparison, n_steps: int) -> None:
    """Most tensors are compared, all are equal but for summation, and no operator is accused."""
    counts = found.counts
    assert counts["shape_mismatch"] == counts["unreadable"] == 0
    assert counts["compared"] > 0.7 * counts.total
    assert {row.token_id for row in found.rows if row.status == "compared"} == set(range(n_steps))
    assert found.first_divergence == []
    assert not found.has_differences


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_static_prefill_is_clean(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    model = QwenLike().eval().to(dtype)
    ids, positions = torch.arange(7)[None], torch.arange(7)
    found = compare_runs(
        model,
        lambda compiled: compiled(ids, positions, *empty_pasts(model)),
        monkeypatch,
        dynamic=False,
    )
    assert_clean(found, 1)
    told = [row for row in found.rows if row.io == "outputs" and row.fx_node]
    assert len(told) > 100
    # What stands in forward of the model itself has no module.
    assert sum(bool(row.module) for row in told) > 0.95 * len(told)
    assert {"embed", "attentions.0.to_q", "experts.1.router"} <= {row.module for row in told}
    assert all(row.source.startswith(f"{qwen_like.__file__}:") for row in told)


def test_six_dynamic_steps_of_decoding_are_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    model = QwenLike().eval()

    def decode(compiled: Callable[..., Any]) -> None:
        _, *pasts = model(torch.arange(3)[None], torch.arange(3), *empty_pasts(model))
        word = torch.tensor([[5]])
        for position in range(3, 9):
            for past in pasts:
                torch._dynamo.mark_dynamic(past, 3)
            logits, *pasts = compiled(word, torch.tensor([position]), *pasts)
            word = logits[:, -1:].argmax(-1)

    found = compare_runs(model, decode, monkeypatch, dynamic=True)
    assert_clean(found, 6)
