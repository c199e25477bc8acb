"""Plain PyTorch models: decoder layers with and without KV caches, an encoder layer."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


class RmsNorm(nn.Module):
    """Normalises in float32, as Llama models do."""

    def __init__(self, weight: torch.Tensor, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (..., width) to the same shape."""
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


def linear(weight: torch.Tensor, bias: torch.Tensor | None = None) -> nn.Linear:
    """A linear layer with these weights, (outputs, inputs)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    layer.weight.data = weight
    if bias is not None:
        layer.bias.data = bias
    return layer


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Rotary embedding by halves of (batch, heads, tokens, head width)."""
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


def angles(
    places: torch.Tensor, head_width: int, dtype: torch.dtype
) -> tuple[torch.Tensor, torch.Tensor]:
    """cos and sin, (tokens, head width), of SmolLM2's rotary embedding."""
    half = torch.arange(0, head_width, 2) / head_width
    turned = places[:, None] * (1 / 100_000**half)
    turned = torch.cat((turned, turned), -1)
    return turned.cos().to(dtype), turned.sin().to(dtype)


def repeat_heads(x: torch.Tensor, times: int) -> torch.Tensor:
    """(batch, heads, tokens, width) -> (batch, heads * times, tokens, width)."""
    batch, heads, tokens, width = x.shape
    return (
        x[:, :, None]
        .expand(batch, heads, times, tokens, width)
        .reshape(batch, heads * times, tokens, width)
    )


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Decomposed attention, softmax in float32; (batch, heads, tokens, width) each."""
    scores = torch.matmul(query, key.transpose(-1, -2)) * query.shape[-1] ** -0.5 + mask
    return torch.matmul(torch.softmax(scores.float(), -1).to(query.dtype), value)


class LlamaLayer(nn.Module):
    """A decoder layer with grouped heads; weights by their GGUF names."""

    def __init__(self, weights: dict[str, torch.Tensor], head_width: int) -> None:
        super().__init__()
        self.head_width = head_width
        self.attn_norm = RmsNorm(weights["attn_norm"])
        self.ffn_norm = RmsNorm(weights["ffn_norm"])
        self.q, self.k, self.v, self.o = (
            linear(weights[f"attn_{name}"]) for name in ("q", "k", "v", "output")
        )
        self.gate, self.up, self.down = (
            linear(weights[f"ffn_{name}"]) for name in ("gate", "up", "down")
        )

    def heads(self, x: torch.Tensor) -> torch.Tensor:
        """(batch, tokens, width) -> (batch, heads, tokens, head width)."""
        return x.view(*x.shape[:2], -1, self.head_width).transpose(1, 2)

    def forward(
        self,
        x: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        mask: torch.Tensor,
        cache: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Map (batch, tokens, width); the cache is (keys, values, slots of the new tokens).

        Returns:
            The new states, keys and values (before heads are repeated).
        """
        y = self.attn_norm(x)
        query, key, value = (self.heads(layer(y)) for layer in (self.q, self.k, self.v))
        query, key = rotate(query, cos, sin), rotate(key, cos, sin)
        if cache is not None:
            keys, values, slots = cache
            slots = slots.expand(key.shape)
            key, value = keys.scatter(2, slots, key), values.scatter(2, slots, value)
        times = query.shape[1] // key.shape[1]
        mixed = attend(query, repeat_heads(key, times), repeat_heads(value, times), mask)
        x = x + self.o(mixed.transpose(1, 2).reshape(x.shape[0], x.shape[1], -1))
        y = self.ffn_norm(x)
        return x + self.down(functional.silu(self.gate(y)) * self.up(y)), key, value


class Decoder(nn.Module):
    """Decoder layers; ids or hidden states in, hidden states or logits of words out."""

    def __init__(
        self,
        layers: Sequence[LlamaLayer],
        embedding: torch.Tensor | None,
        norm: torch.Tensor | None,
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.embed = None if embedding is None else nn.Embedding.from_pretrained(embedding)
        self.norm = None if norm is None else RmsNorm(norm)
        self.to_words = None if norm is None or embedding is None else linear(embedding)

    def forward(
        self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        """Map ids (batch, tokens), or states (batch, tokens, width)."""
        if self.embed is not None:
            x = self.embed(x)
        for layer in self.layers:
            x, _, _ = layer(x, cos, sin, mask)
        if self.norm is not None:
            x = self.norm(x)
        return x if self.to_words is None else self.to_words(x)


class CachedDecoder(Decoder):
    """The decoder with KV caches that come as inputs and leave as outputs."""

    def forward(  # type: ignore[override]
        self,
        x: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        mask: torch.Tensor,
        slots: torch.Tensor,
        *caches: torch.Tensor,
    ) -> tuple[torch.Tensor, ...]:
        """Map new tokens; caches are keys and values of each layer in turn."""
        if self.embed is not None:
            x = self.embed(x)
        new = []
        for i, layer in enumerate(self.layers):
            x, key, value = layer(x, cos, sin, mask, (*caches[2 * i : 2 * i + 2], slots))
            new += [key, value]
        return (x, *new)


class BertLayer(nn.Module):
    """An encoder layer; weights by their names in the checkpoint."""

    def __init__(self, weights: dict[str, torch.Tensor], n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads

        def dense(name: str) -> nn.Linear:
            return linear(weights[f"{name}.weight"], weights[f"{name}.bias"])

        def norm(name: str) -> nn.LayerNorm:
            layer = nn.LayerNorm(len(weights[f"{name}.weight"]), eps=1e-12)
            layer.weight.data, layer.bias.data = weights[f"{name}.weight"], weights[f"{name}.bias"]
            return layer

        self.q, self.k, self.v = (
            dense(f"attention.self.{name}") for name in ("query", "key", "value")
        )
        self.o, self.attn_norm = dense("attention.output.dense"), norm("attention.output.LayerNorm")
        self.widen, self.narrow = dense("intermediate.dense"), dense("output.dense")
        self.norm = norm("output.LayerNorm")

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Map (batch, tokens, width); the mask is added to the scores."""
        batch, tokens, width = x.shape
        query, key, value = (
            layer(x).view(batch, tokens, self.n_heads, -1).transpose(1, 2)
            for layer in (self.q, self.k, self.v)
        )
        mixed = attend(query, key, value, mask).transpose(1, 2).reshape(batch, tokens, width)
        x = self.attn_norm(x + self.o(mixed))
        return self.norm(x + self.narrow(functional.gelu(self.widen(x))))


class Encoder(nn.Module):
    """Embeddings, encoder layers, and the mean over tokens that are no padding."""

    def __init__(self, weights: dict[str, torch.Tensor], n_layers: int, n_heads: int) -> None:
        super().__init__()
        self.words = nn.Embedding.from_pretrained(weights["embeddings.word_embeddings.weight"])
        self.places = nn.Embedding.from_pretrained(weights["embeddings.position_embeddings.weight"])
        kinds = weights["embeddings.token_type_embeddings.weight"]
        self.kind = nn.Parameter(kinds[0])
        self.norm = nn.LayerNorm(kinds.shape[1], eps=1e-12)
        self.norm.weight.data = weights["embeddings.LayerNorm.weight"]
        self.norm.bias.data = weights["embeddings.LayerNorm.bias"]
        self.layers = nn.ModuleList(
            BertLayer(_under(weights, f"encoder.layer.{i}."), n_heads) for i in range(n_layers)
        )

    def forward(
        self, ids: torch.Tensor, places: torch.Tensor, mask: torch.Tensor, kept: torch.Tensor
    ) -> torch.Tensor:
        """Map ids (batch, tokens) to sentence vectors; `kept` is 1 where no padding stands."""
        x = self.norm(self.words(ids) + self.places(places) + self.kind)
        for layer in self.layers:
            x = layer(x, mask)
        total = (x * kept[..., None]).sum(1) / kept.sum(1, keepdim=True)
        return functional.normalize(total, dim=-1)


def _under(weights: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name[len(prefix) :]: t for name, t in weights.items() if name.startswith(prefix)}
