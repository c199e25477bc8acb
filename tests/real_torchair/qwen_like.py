"""A small model with what Qwen-like models have: GQA, norms of q and k, MoE, a sliding window."""

from __future__ import annotations

import torch
from torch import nn

WORDS, WIDTH, HEADS, KV_HEADS, HEAD, EXPERTS, WINDOW = 48, 32, 4, 2, 8, 4, 4


class Norm(nn.Module):
    """Root mean square norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Norm of the last axis, in float32."""
        exact = x.float()
        scaled = exact * torch.rsqrt(exact.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * scaled.to(x.dtype)


class Attention(nn.Module):
    """Grouped queries, norms of q and k, rotary positions, a causal sliding window, a cache."""

    def __init__(self) -> None:
        super().__init__()
        self.to_q = nn.Linear(WIDTH, HEADS * HEAD, bias=False)
        self.to_kv = nn.Linear(WIDTH, 2 * KV_HEADS * HEAD, bias=False)
        self.to_out = nn.Linear(HEADS * HEAD, WIDTH, bias=False)
        self.q_norm, self.k_norm = Norm(HEAD), Norm(HEAD)

    def forward(
        self, x: torch.Tensor, positions: torch.Tensor, past: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Map (batch, tokens, width) to the same shape, and the cache to the longer one."""
        batch, n_tokens, _ = x.shape
        q = self.q_norm(self.to_q(x).view(batch, n_tokens, HEADS, HEAD)).transpose(1, 2)
        kv = self.to_kv(x).view(batch, n_tokens, 2, KV_HEADS, HEAD).permute(2, 0, 3, 1, 4)
        q, k = rotate(q, positions), rotate(self.k_norm(kv[0]), positions)
        cache = torch.cat((past, torch.stack((k, kv[1]))), -2)
        keys = cache[0].repeat_interleave(HEADS // KV_HEADS, 1)
        values = cache[1].repeat_interleave(HEADS // KV_HEADS, 1)
        n_keys = cache.shape[-2]
        distance = positions[:, None] - torch.arange(n_keys)[None, :]
        outside = (distance < 0) | (distance >= WINDOW)
        scores = (q @ keys.transpose(-1, -2)) * HEAD**-0.5
        weights = torch.softmax(scores.masked_fill(outside, -65504.0).float(), -1).to(x.dtype)
        mixed = (weights @ values).transpose(1, 2).reshape(batch, n_tokens, -1)
        return self.to_out(mixed), cache


def rotate(x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Rotary positions, by halves."""
    rates = 1e-2 ** (torch.arange(HEAD // 2) / (HEAD // 2))
    angle = positions[:, None].float() * rates[None, :]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    left, right = x.chunk(2, -1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), -1)


class Experts(nn.Module):
    """The two best of four experts for every token, weighted."""

    def __init__(self) -> None:
        super().__init__()
        self.router = nn.Linear(WIDTH, EXPERTS, bias=False)
        self.up = nn.Parameter(torch.randn(EXPERTS, WIDTH, 2 * WIDTH) * 0.2)
        self.down = nn.Parameter(torch.randn(EXPERTS, 2 * WIDTH, WIDTH) * 0.2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every expert runs; the router's weights choose."""
        shares = torch.softmax(self.router(x).float(), -1)
        best, which = torch.topk(shares, 2, -1)
        chosen = torch.zeros_like(shares).scatter(-1, which, best / best.sum(-1, keepdim=True))
        inner = torch.einsum("btw,ewh->ebth", x, self.up)
        made = torch.einsum("ebth,ehw->ebtw", torch.nn.functional.silu(inner), self.down)
        return torch.einsum("ebtw,bte->btw", made, chosen.to(x.dtype))


class QwenLike(nn.Module):
    """Ids (batch, tokens), positions (tokens), caches (layers) -> logits, longer caches."""

    def __init__(self, n_layers: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS, WIDTH)
        self.norms = nn.ModuleList(Norm(WIDTH) for _ in range(2 * n_layers + 1))
        self.attentions = nn.ModuleList(Attention() for _ in range(n_layers))
        self.experts = nn.ModuleList(Experts() for _ in range(n_layers))

    def forward(
        self, ids: torch.Tensor, positions: torch.Tensor, *pasts: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        """Run the model; the embedding makes the logits, too."""
        x = self.embed(ids)
        caches = []
        for layer, (attention, experts) in enumerate(zip(self.attentions, self.experts)):
            mixed, cache = attention(self.norms[2 * layer](x), positions, pasts[layer])
            x = x + mixed
            x = x + experts(self.norms[2 * layer + 1](x))
            caches.append(cache)
        return (self.norms[-1](x) @ self.embed.weight.T, *caches)


def empty_pasts(model: QwenLike, batch: int = 1) -> list[torch.Tensor]:
    """Caches before the first token."""
    dtype = model.embed.weight.dtype
    return [torch.zeros(2, batch, KV_HEADS, 0, HEAD, dtype=dtype) for _ in model.attentions]
