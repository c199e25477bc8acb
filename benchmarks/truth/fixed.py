"""Makes tests/data/truth.tar.xz again: small dumps with known truth for the ordinary tests.

    python -m benchmarks.truth fixed tests/data/truth.tar.xz

Programs of random weights and few tokens, one clean dump each, and some bugs.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from benchmarks.truth import build, models, programs
from benchmarks.truth.bugs import single
from benchmarks.truth.capture import Program
from benchmarks.truth.evaluate import Run
from benchmarks.truth.find_ops import Graph
from benchmarks.truth.make import MakeProgram, make_program

WIDTH, HEAD_WIDTH, N_TOKENS, N_SLOTS = 48, 8, 8, 12
#: Program -> the bugs that are kept: kind and way of fusion.
BUGS = {
    "decode": (("stale_slot", "unfused"), ("gelu_for_silu", "unfused")),
    "prefill": (
        ("scores_scale", "chains"),
        ("mask_of_one_head", "unfused"),
        ("residual_dropped_in_token", "unfused"),
        ("no_file_scale_1.3", "unfused"),
    ),
    "w8a8": (("int8_channel_scale", "unfused"), ("scale_of_other_row", "unfused")),
    "moe": (("second_choice_wrong", "unfused"), ("one_nan", "unfused")),
    "attention": (("softmax_tail", "unfused"),),
}


def _layer(seed: int) -> models.LlamaLayer:
    draw = torch.Generator().manual_seed(seed)
    narrow = WIDTH // 3

    def weight(rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, generator=draw) / columns**0.5

    shapes = {
        "attn_q": (WIDTH, WIDTH), "attn_k": (narrow, WIDTH), "attn_v": (narrow, WIDTH),
        "attn_output": (WIDTH, WIDTH), "ffn_gate": (2 * WIDTH, WIDTH),
        "ffn_up": (2 * WIDTH, WIDTH), "ffn_down": (WIDTH, 2 * WIDTH),
    }  # fmt: skip
    weights = {name: weight(*shape) for name, shape in shapes.items()}
    for name in ("attn_norm", "ffn_norm"):
        weights[name] = torch.rand(WIDTH, generator=draw) + 0.5
    return models.LlamaLayer(weights, HEAD_WIDTH)


def _states(n_tokens: int) -> torch.Tensor:
    states = torch.randn(1, n_tokens, WIDTH, generator=torch.Generator().manual_seed(9))
    states[:, 0, 5] = 200.0  # a massive activation, as trained models have
    return states.to(torch.bfloat16)


def _prefill() -> Program:
    model = models.Decoder([_layer(1)], None, None).to(torch.bfloat16)
    cos, sin = models.angles(torch.arange(N_TOKENS), HEAD_WIDTH, torch.bfloat16)
    mask = torch.full((N_TOKENS, N_TOKENS), programs.MASKED[torch.bfloat16]).triu(1)
    return Program("prefill", model, (_states(N_TOKENS), cos, sin, mask.to(torch.bfloat16)))


def _decode() -> Program:
    model = models.CachedDecoder([_layer(3)], None, None).to(torch.bfloat16)
    return programs.cached_program("decode", model, _states(N_SLOTS), N_SLOTS, 5)


PROGRAMS: dict[str, MakeProgram] = {
    "prefill": _prefill,
    "decode": _decode,
    "w8a8": partial(programs.w8a8, torch.float16, n_layers=2, width=32, n_tokens=8),
    "moe": partial(programs.moe, torch.bfloat16, n_layers=1, width=32, n_tokens=8),
    "attention": partial(
        programs.attention, torch.float16, 15.0, fused=False, n_layers=1, n_tokens=12
    ),
}


def _plans(program: str, captured: build.Captured) -> Iterator[build.Plan]:
    run = Run(noise=0.25, seed=1)
    yield build.Plan(f"{program}.clean", run, "outputs")
    graph = Graph(captured.ops, build.values_of(captured))
    bugs = {bug.kinds[0]: bug for bug in single(program, graph)}
    for kind, way in BUGS[program]:
        bug = bugs[kind]
        yield build.Plan(
            f"{program}.{kind}", replace(run, way=way, changes=bug.changes), "outputs", bug
        )


def make_fixed(archive: Path) -> None:
    """Write the archive: programs/{program}/fx, cases/{case}/my and cases/{case}/truth.json."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for name, program in PROGRAMS.items():
            make_program(folder, name, program, _plans)
        with tarfile.open(archive, "w:xz", preset=9) as packed:
            for path in sorted(folder.rglob("*")):
                if path.suffix not in (".pt", ".json") and path.name != "graph.txt":
                    _add(packed, path, folder)
            for path in sorted(folder.rglob("truth.json")):
                _add(packed, path, folder)


def _add(packed: tarfile.TarFile, path: Path, folder: Path) -> None:
    """A file without owner and time: the same dumps give the same archive."""
    if path.is_dir():
        return
    entry = tarfile.TarInfo(os.fspath(path.relative_to(folder)))
    entry.size, entry.mode = path.stat().st_size, 0o644
    with path.open("rb") as file:
        packed.addfile(entry, file)
