"""Small models with the operators in which graph readers and name matching go wrong."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class SelfAttention(nn.Module):
    """Heads split and merged by views, a causal mask, softmax in float32."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.to_qkv = nn.Linear(width, 3 * width)
        self.to_out = nn.Linear(width, width, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (batch, tokens, width) to the same shape."""
        batch, n_tokens, width = x.shape
        qkv = self.to_qkv(x).view(batch, n_tokens, 3, self.n_heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = torch.matmul(query, key.transpose(-1, -2)) * (width // self.n_heads) ** -0.5
        mask = torch.full((n_tokens, n_tokens), -65504.0, dtype=x.dtype).triu(1)
        weights = torch.softmax((scores + mask).float(), -1).to(x.dtype)
        mixed = torch.matmul(weights, value).transpose(1, 2).reshape(batch, n_tokens, width)
        return self.to_out(mixed)


class TinyTransformer(nn.Module):
    """Token ids (batch, tokens) -> probabilities (batch, tokens, words)."""

    def __init__(self, n_words: int = 32, width: int = 16, n_heads: int = 2) -> None:
        super().__init__()
        self.embed = nn.Embedding(n_words, width)
        self.norm = nn.LayerNorm(width)  # three outputs in FX
        self.attend = SelfAttention(width, n_heads)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)
        self.to_words = nn.Linear(width, n_words, bias=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Run the model."""
        x = self.embed(ids)
        x = x + self.attend(self.norm(x))
        x = x + self.narrow(functional.silu(self.widen(x)))
        return torch.softmax(self.to_words(x), -1)


class SplitAndJoin(nn.Module):
    """A second graph: several outputs of one node, a list as argument, a control-free chain."""

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map (rows, columns) with an even number of columns to two of that shape."""
        left, right = x.chunk(2, -1)
        values, _ = torch.topk(left, 2, -1)
        return torch.cat((-right, left), -1) * values.sum(-1, keepdim=True), left + 1
