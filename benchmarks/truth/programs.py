"""The programs of the stick: models with real weights, and chains that stress one rule each."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.truth import models, weights
from benchmarks.truth.capture import Program

N_TOKENS = 16
N_WORDS = 2048
MASKED = {torch.float16: -65504.0, torch.bfloat16: -3.3895e38, torch.float32: -3.4028e38}
PARTS = (
    "attn_norm", "ffn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up",
    "ffn_down",
)  # fmt: skip


def _layers(source: weights.SmolLM2, numbers: range) -> list[models.LlamaLayer]:
    return [
        models.LlamaLayer(
            {part: source.tensor(f"blk.{i}.{part}.weight") for part in PARTS}, weights.HEAD_WIDTH
        )
        for i in numbers
    ]


def _causal(n_tokens: int, dtype: torch.dtype) -> torch.Tensor:
    return torch.full((n_tokens, n_tokens), MASKED[dtype], dtype=dtype).triu(1)


def _states(source: weights.SmolLM2, n_layers: int, n_tokens: int) -> torch.Tensor:
    """Real hidden states (1, tokens, width) after the first layers, float32."""
    ids = torch.tensor([source.token_ids(weights.SENTENCE)[:n_tokens]])
    model = models.Decoder(
        _layers(source, range(n_layers)), source.tensor("token_embd.weight"), None
    )
    cos, sin = models.angles(torch.arange(n_tokens), weights.HEAD_WIDTH, torch.float32)
    with torch.no_grad():
        return model(ids, cos, sin, _causal(n_tokens, torch.float32))


def first_layers(dtype: torch.dtype) -> Program:
    """Token ids through the first two layers to the logits of the first words."""
    source = weights.SmolLM2()
    embedding = source.tensor("token_embd.weight")[:N_WORDS]
    norm = source.tensor("output_norm.weight")
    model = models.Decoder(_layers(source, range(2)), embedding, norm).to(dtype)
    ids = [i for i in source.token_ids(weights.SENTENCE) if i < N_WORDS][:N_TOKENS]
    cos, sin = models.angles(torch.arange(len(ids)), weights.HEAD_WIDTH, dtype)
    inputs = (torch.tensor([ids]), cos, sin, _causal(len(ids), dtype))
    return Program(f"first-{_short(dtype)}", model, inputs)


def middle_layers(dtype: torch.dtype) -> Program:
    """Layers 10 to 12 on real hidden states: the one where massive activations are."""
    source = weights.SmolLM2()
    states = _states(source, 10, N_TOKENS).to(dtype)
    model = models.Decoder(_layers(source, range(10, 13)), None, None).to(dtype)
    cos, sin = models.angles(torch.arange(states.shape[1]), weights.HEAD_WIDTH, dtype)
    inputs = (states, cos, sin, _causal(states.shape[1], dtype))
    return Program(f"middle-{_short(dtype)}", model, inputs)


def decode(dtype: torch.dtype, n_layers: int = 2, n_slots: int = 24, n_before: int = 12) -> Program:
    """Steps of one token each whose KV caches come in and go out."""
    source = weights.SmolLM2()
    start = 10
    states = _states(source, start, n_before + 4)
    layers = _layers(source, range(start, start + n_layers))
    model = models.CachedDecoder(layers, None, None).to(dtype)
    return cached_program(f"decode-{_short(dtype)}", model, states.to(dtype), n_slots, n_before)


def cached_program(
    name: str, model: models.CachedDecoder, states: torch.Tensor, n_slots: int, n_before: int
) -> Program:
    """A program whose first tokens have filled the caches, eagerly, and of one token a step."""
    dtype, width = states.dtype, model.layers[0].head_width
    n_heads = model.layers[0].k.weight.shape[0] // width
    empty = [
        torch.zeros(1, n_heads, n_slots, width, dtype=dtype) for _ in range(2 * len(model.layers))
    ]

    def step_inputs(first: int, end: int, caches: list[torch.Tensor]) -> list[torch.Tensor]:
        places = torch.arange(first, end)
        cos, sin = models.angles(places, width, dtype)
        seen = torch.arange(n_slots)[None] <= places[:, None]
        mask = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, MASKED[dtype])
        slots = places.reshape(1, 1, -1, 1)
        return [states[:, first:end], cos, sin, mask, slots, *caches]

    with torch.no_grad():
        _, *caches = model(*step_inputs(0, n_before, empty))
    first = step_inputs(n_before, n_before + 1, list(caches))
    return Program(
        name,
        model,
        first,
        n_steps=3,
        next_inputs=lambda step, outputs: step_inputs(
            n_before + step, n_before + step + 1, [*outputs[1:]]
        ),
        carried=tuple((5 + i, 1 + i) for i in range(len(caches))),
    )


def minilm(dtype: torch.dtype) -> Program:
    """Two layers of MiniLM on sentences of different lengths, padded."""
    source = weights.minilm()
    texts = ("the cat sat on the mat", weights.SENTENCE, "rain .", "nobody wanted to go outside")
    ids, kept = weights.minilm_ids(texts, 16)
    ids, words = _only_used(ids, source["embeddings.word_embeddings.weight"])
    source["embeddings.word_embeddings.weight"] = words
    model = models.Encoder(source, n_layers=2, n_heads=12).to(dtype)
    mask = ((1 - kept) * MASKED[dtype]).to(dtype)[:, None, None]
    inputs = (ids, torch.arange(16)[None].expand(4, 16).contiguous(), mask, kept.to(dtype))
    return Program(f"minilm-{_short(dtype)}", model, inputs)


def _only_used(ids: torch.Tensor, table: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and rows of an embedding of which only the used rows are kept."""
    used, places = torch.unique(ids, return_inverse=True)
    return places, table[used].clone()


def _short(dtype: torch.dtype) -> str:
    return {torch.float16: "fp16", torch.bfloat16: "bf16", torch.float32: "fp32"}[dtype]


class QuantisedLayers(nn.Module):
    """w8a8: norm, dynamic quantisation, integer matmuls and SwiGLU, with residuals."""

    def __init__(self, n_layers: int, width: int, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype_number = {torch.float16: 5, torch.bfloat16: 15}[dtype]
        draw = torch.Generator().manual_seed(7)
        self.n_layers = n_layers
        for i in range(n_layers):
            self.register_buffer(f"gamma{i}", (torch.rand(width, generator=draw) + 0.5).to(dtype))
            for name, shape in (("up", (width, 4 * width)), ("down", (2 * width, width))):
                w = torch.randn(shape, generator=draw) / shape[0] ** 0.5
                scale = w.abs().amax(0) / 127
                self.register_buffer(f"{name}{i}", torch.round(w / scale).to(torch.int8))
                self.register_buffer(f"{name}_scale{i}", scale)

    def product(self, x: torch.Tensor, name: str) -> torch.Tensor:
        """Quantise (tokens, k) and multiply with int8 weights."""
        weight, scale = getattr(self, name), getattr(self, name[:-1] + "_scale" + name[-1])
        codes, row_scale = torch.ops.npu.npu_dynamic_quant(x)
        return torch.ops.npu.npu_quant_matmul(
            codes, weight, scale, pertoken_scale=row_scale, output_dtype=self.dtype_number
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (tokens, width)."""
        for i in range(self.n_layers):
            y, _ = torch.ops.npu.npu_rms_norm(x, getattr(self, f"gamma{i}"), 1e-6)
            y = torch.ops.npu.npu_swiglu(self.product(y, f"up{i}"), -1)
            x = x + self.product(y, f"down{i}")
        return x


def w8a8(dtype: torch.dtype, *, n_layers: int = 3, width: int = 128, n_tokens: int = 16) -> Program:
    """Quantised layers."""
    x = torch.randn(n_tokens, width, generator=torch.Generator().manual_seed(3)).to(dtype)
    return Program(f"w8a8-{_short(dtype)}", QuantisedLayers(n_layers, width, dtype), (x,))


class QuantisedWeights(nn.Module):
    """w8a16: norm, products of floats and int8 weights, SwiGLU, with residuals."""

    def __init__(self, n_layers: int, width: int, dtype: torch.dtype) -> None:
        super().__init__()
        codes = QuantisedLayers(n_layers, width, torch.float16)
        self.n_layers = n_layers
        for name, tensor in codes.named_buffers():
            kept = tensor if tensor.dtype == torch.int8 else tensor.to(dtype)
            self.register_buffer(name, kept)

    def product(self, x: torch.Tensor, layer: int, name: str) -> torch.Tensor:
        """Multiply (tokens, k) with int8 weights."""
        weight, scale = getattr(self, f"{name}{layer}"), getattr(self, f"{name}_scale{layer}")
        return torch.ops.npu.npu_weight_quant_batchmatmul(x, weight, scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (tokens, width)."""
        for i in range(self.n_layers):
            y, _ = torch.ops.npu.npu_rms_norm(x, getattr(self, f"gamma{i}"), 1e-6)
            x = x + self.product(torch.ops.npu.npu_swiglu(self.product(y, i, "up"), -1), i, "down")
        return x


def w8a16(dtype: torch.dtype) -> Program:
    """Three layers with int8 weights."""
    x = torch.randn(16, 128, generator=torch.Generator().manual_seed(8)).to(dtype)
    return Program(f"w8a16-{_short(dtype)}", QuantisedWeights(3, 128, dtype), (x,))


class Experts(nn.Module):
    """A router with softmax and top-k, experts as one batched product, weights scattered."""

    def __init__(self, n_layers: int, width: int, n_experts: int, k: int) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(5)
        self.k, self.n_experts = k, n_experts

        def parameters(*shape: int) -> nn.ParameterList:
            return nn.ParameterList(
                nn.Parameter(torch.randn(shape, generator=draw) / shape[-2] ** 0.5)
                for _ in range(n_layers)
            )

        self.router = parameters(width, n_experts)
        self.up = parameters(n_experts, width, 2 * width)
        self.down = parameters(n_experts, 2 * width, width)
        self.norms = nn.ModuleList(
            models.RmsNorm(torch.rand(width, generator=draw) + 0.5) for _ in range(n_layers)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (tokens, width)."""
        for norm, router, up, down in zip(self.norms, self.router, self.up, self.down):
            y = norm(x)
            probabilities = torch.softmax((y @ router).float(), -1)
            values, experts = probabilities.topk(self.k, -1)
            values = (values / values.sum(-1, keepdim=True)).to(x.dtype)
            gates = torch.zeros(x.shape[0], self.n_experts, dtype=x.dtype).scatter(
                1, experts, values
            )
            wide = nn.functional.silu(torch.matmul(y[None], up))
            x = x + (torch.matmul(wide, down) * gates.T[..., None]).sum(0)
        return x


def moe(dtype: torch.dtype, *, n_layers: int = 3, width: int = 64, n_tokens: int = 24) -> Program:
    """Layers of eight experts, two a token."""
    x = torch.randn(n_tokens, width, generator=torch.Generator().manual_seed(4)).to(dtype)
    return Program(f"moe-{_short(dtype)}", Experts(n_layers, width, 8, 2).to(dtype), (x,))


class AttentionChain(nn.Module):
    """Attention after attention; the scale makes logits as large as trained models have."""

    def __init__(self, n_layers: int, width: int, n_heads: int, std: float, *, fused: bool) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(11)
        self.n_heads, self.std, self.fused = n_heads, std, fused
        self.products = nn.ParameterList(
            nn.Parameter(torch.randn(width, width, generator=draw) / width**0.5)
            for _ in range(4 * n_layers)
        )
        self.norms = nn.ModuleList(
            models.RmsNorm(torch.rand(width, generator=draw) + 0.5) for _ in range(n_layers)
        )

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Map (1, tokens, width)."""
        for i, norm in enumerate(self.norms):
            y = norm(x)
            query, key, value = (
                (y @ self.products[4 * i + j]).view(1, x.shape[1], self.n_heads, -1).transpose(1, 2)
                for j in range(3)
            )
            scale = self.std * query.shape[-1] ** -0.5
            if self.fused:
                mixed, _ = torch.ops.npu.npu_fused_infer_attention_score(
                    query.contiguous(), key.contiguous(), value.contiguous(), atten_mask=mask,
                    num_heads=self.n_heads, scale=scale, input_layout="BNSD",
                )  # fmt: skip
            else:
                scores = torch.matmul(query, key.transpose(-1, -2)) * scale + mask
                mixed = torch.matmul(torch.softmax(scores.float(), -1).to(x.dtype), value)
            x = x + mixed.transpose(1, 2).reshape(x.shape) @ self.products[4 * i + 3]
        return x


def attention(
    dtype: torch.dtype, std: float, *, fused: bool, n_layers: int = 3, n_tokens: int = 24
) -> Program:
    """Attentions whose logits have this standard deviation."""
    x = torch.randn(1, n_tokens, 64, generator=torch.Generator().manual_seed(int(std) + 1)).to(
        dtype
    )
    mask = torch.ones(n_tokens, n_tokens).triu(1).bool() if fused else _causal(n_tokens, dtype)
    name = f"attention-{'fused' if fused else 'decomposed'}-{std:g}-{_short(dtype)}"
    return Program(name, AttentionChain(n_layers, 64, 4, std, fused=fused).to(dtype), (x, mask))
