"""Genuine graph texts of 24 programs of torch.ops.npu: each fused operator finds its reference.

torchair converted them; types that have no reference are refused by their type.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from ait_cmp import _core
from ait_cmp.pairing.graph.index import CONST_TYPES, DATA_TYPES, GraphIndex
from ait_cmp.replay.op_texts import OpTexts
from ait_cmp.replay.references import RefusedError

ARCHIVE = Path(__file__).parents[1] / "data" / "npu-ops.tar.xz"
NO_REFERENCE = "no reference for {type} (--reference adds one)"
#: program -> its op without a reference, and the sentence.
REFUSED = {
    "grouped_mm": ("GroupedMatmul", NO_REFERENCE),
    "moe_init": ("MoeInitRouting", NO_REFERENCE),
    "moe_final": ("MoeFinalizeRouting", NO_REFERENCE),
    "mm_all": ("MatmulAllReduce", "a collective: it needs the tensors of all ranks"),
}


def texts() -> dict[str, bytes]:
    with tarfile.open(ARCHIVE) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {Path(m.name).stem: read_member(archive, m) for m in files}


def read_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    opened = archive.extractfile(member)
    assert opened is not None
    return opened.read()


TEXTS = texts()


def read(path: Path, text: bytes) -> OpTexts:
    path.write_bytes(text)
    (graph,) = _core.read_graph(str(path))
    return OpTexts(str(path), graph, GraphIndex(graph))


def test_there_are_24_programs() -> None:
    assert len(TEXTS) == 24


@pytest.mark.parametrize("program", sorted(TEXTS))
def test_every_op_binds_or_is_refused_by_its_type(program: str, tmp_path: Path) -> None:
    ops = read(tmp_path / "graph.txt", TEXTS[program])
    refused = {}
    for number, op in enumerate(ops.graph.ops):
        if op.type in DATA_TYPES | CONST_TYPES | {"NetOutput"}:
            continue
        try:
            ops.bind(number)
        except RefusedError as error:
            refused[op.type] = str(error)
    expected = {}
    if program in REFUSED:
        type_, sentence = REFUSED[program]
        expected = {type_: sentence.format(type=type_)}
    assert refused == expected


def test_attributes_that_torchair_writes_reach_the_reference(tmp_path: Path) -> None:
    ops = read(tmp_path / "graph.txt", TEXTS["moe_gate_k"])
    (number,) = [i for i, op in enumerate(ops.graph.ops) if op.type == "MoeGatingTopK"]
    attributes = ops.bind(number).attributes
    assert attributes["k_group"] == 4
    assert attributes["routed_scaling_factor"] == 2.5
