"""CPU kernels of the `torch.ops.npu` operators that the programs use: plain float32 formulas."""

from __future__ import annotations

from typing import Any

import torch

_LIBRARIES: list[Any] = []


def dynamic_quant(x: torch.Tensor, **_: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes of int8 with one scale a row, and the scales in float32."""
    scale = x.float().abs().amax(-1) / 127
    codes = torch.round(x.float() / scale[..., None]).clamp(-128, 127)
    return codes.to(torch.int8), scale


def quant_matmul(
    x1: torch.Tensor,
    x2: torch.Tensor,
    scale: torch.Tensor,
    *,
    pertoken_scale: torch.Tensor | None = None,
    output_dtype: int | None = None,
    **_: Any,
) -> torch.Tensor:
    """Codes (rows, k) by codes (k, columns), exact, then scales and one rounding."""
    total = (x1.double() @ x2.double()).float() * scale.float()
    if pertoken_scale is not None:
        total = total * pertoken_scale[..., None]
    return total.to(_DTYPES[output_dtype])


def weight_quant_matmul(
    x: torch.Tensor, weight: torch.Tensor, antiquant_scale: torch.Tensor, *_: Any, **__: Any
) -> torch.Tensor:
    """Floats by codes, which are scaled in the dtype of the floats."""
    wide = (weight.to(x.dtype) * antiquant_scale.to(x.dtype)).float()
    return (x.float() @ wide).to(x.dtype)


_DTYPES = {5: torch.float16, 15: torch.bfloat16, None: torch.int8}


def rms_norm(
    x: torch.Tensor, gamma: torch.Tensor, epsilon: float = 1e-6
) -> tuple[torch.Tensor, torch.Tensor]:
    """Normalised and scaled in float32 with one rounding, and 1 / rms."""
    wide = x.float()
    rstd = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + epsilon)
    return (wide * rstd * gamma.float()).to(x.dtype), rstd


def add_rms_norm(
    x1: torch.Tensor, x2: torch.Tensor, gamma: torch.Tensor, epsilon: float = 1e-6
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The sum normalised, 1 / rms, and the sum."""
    total = x1.float() + x2.float()
    y, rstd = rms_norm(total.to(x1.dtype), gamma, epsilon)
    return y, rstd, total.to(x1.dtype)


def swiglu(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Silu of the first half by the second."""
    first, second = x.float().chunk(2, dim)
    return (torch.nn.functional.silu(first) * second).to(x.dtype)


def moe_gating_top_k_softmax(
    x: torch.Tensor, _finished: torch.Tensor | None = None, k: int = 1
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The k largest of the softmax, their experts, and their rows."""
    values, experts = torch.softmax(x.float(), -1).topk(k, -1)
    rows = torch.arange(x.shape[0] * k).reshape(k, x.shape[0]).T.contiguous()
    return values.to(x.dtype), experts.to(torch.int32), rows.to(torch.int32)


def fused_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    atten_mask: torch.Tensor | None = None,
    scale: float = 1.0,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attention of (batch, heads, tokens, width), True in the mask is left out; softmax rounded."""
    scores = query.float() @ key.float().mT * scale
    if atten_mask is not None:
        scores = scores.masked_fill(atten_mask, float("-inf"))
    weights = torch.softmax(scores, -1).to(query.dtype)
    return (weights.float() @ value.float()).to(query.dtype), torch.zeros(1)


KERNELS = {
    "npu_dynamic_quant": dynamic_quant,
    "npu_quant_matmul": quant_matmul,
    "npu_weight_quant_batchmatmul": weight_quant_matmul,
    "npu_rms_norm": rms_norm,
    "npu_add_rms_norm": add_rms_norm,
    "npu_swiglu": swiglu,
    "npu_moe_gating_top_k_softmax": moe_gating_top_k_softmax,
    "npu_fused_infer_attention_score": fused_attention,
}


def give_cpu_kernels() -> None:
    """Register the kernels once a process, and what asks the device for its name."""
    import torch_npu
    import torchair._ge_concrete_graph.compat_ir as compat_ir

    if _LIBRARIES:
        return
    library = torch.library.Library("npu", "IMPL", "CPU")
    for name, kernel in KERNELS.items():
        library.impl(name, kernel)
    _LIBRARIES.append(library)
    torch_npu.npu.get_device_name = lambda *_: "Ascend910B3"
    compat_ir.is_cann_compat = lambda *_args, **_named: ""
