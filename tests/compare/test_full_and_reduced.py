"""Full, sketched and min_max tensors of every dtype and state get the same statuses and sentences.

The core compares full tensors, `compare/reduced_pair.py` reduced ones; each is the oracle of the
other.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from ait_cmp import _core
from ait_cmp.compare.reduced_pair import compare_or_unreadable
from ait_cmp.convert import convert_dir
from ait_cmp.file_kinds import FileKind, reduced_path
from ait_cmp.info.results import ReducedResult, Result, result_of
from ait_cmp.info.source import Sources
from ait_cmp.sentences import Sentence
from ait_cmp.tensor_ref import TensorRef
from make_dump import Dump, DumpTensor
from trees import ge_step

Row = tuple[int, str, str, str, int, int, int]
DTYPES: dict[str, Row] = {row[1]: row for row in _core.dtypes()}
COUNT = 16
# What a hash does not tell: which byte differs first, or how many there are.
OF_BYTES = {"bytes_differ_at": "bytes_differ", "byte_counts_differ": "bytes_differ"}


@dataclass(frozen=True)
class Case:
    """A tensor: its dtype, what its bytes are made from, and what is wrong with it."""

    dtype: str
    seed: int = 0
    state: str = "ok"
    count: int = COUNT

    @property
    def name(self) -> str:
        return f"{self.dtype}_{self.seed}_{self.state}_{self.count}"

    def tensor(self) -> DumpTensor:
        number, *_, bits, _, _ = DTYPES[self.dtype]
        size = (self.count * max(bits, 1) + 7) // 8
        data = np.random.default_rng(self.seed).integers(0, 64, size, np.uint8).tobytes()
        made = DumpTensor(number, (self.count,), data, None, (self.count,))
        if self.state == "no_data":
            return replace(made, data=b"", size=0)
        if self.state == "short":
            return replace(made, data=data[: size // 2])
        if self.state == "truncated":
            return replace(made, data=data[: size // 2], size=size)
        return made


def of_dtypes() -> Iterator[tuple[Case, Case]]:
    for name in DTYPES:
        yield Case(name), Case(name)
        yield Case(name), Case(name, seed=1)
        for other in ("DT_FLOAT", "DT_UINT8", "DT_STRING", "DT_COMPLEX64", "DT_INT64"):
            yield Case(name), Case(other)
            yield Case(other), Case(name)
        yield Case(name), Case(name, count=COUNT // 2)


def of_states() -> Iterator[tuple[Case, Case]]:
    states = ("ok", "no_data", "short", "truncated")
    for name in DTYPES:
        for state in states[1:]:
            yield Case(name, state=state), Case(name)
            yield Case(name), Case(name, state=state)
    for mine in states:
        for theirs in states:
            yield Case("DT_FLOAT", state=mine), Case("DT_BF16", state=theirs)


PAIRS = sorted(set(of_dtypes()) | set(of_states()), key=repr)


class Files:
    """Every tensor as a file, full and reduced."""

    def __init__(self, root: Path) -> None:
        cases = sorted({case for pair in PAIRS for case in pair}, key=repr)
        full = ge_step(root / "dump", names=[])
        names = {
            case: f"Add.{case.name}.1.6.{1706596911888000 + number}"
            for number, case in enumerate(cases)
        }
        for case, name in names.items():
            dump = Dump(outputs=(case.tensor(),), op_name=case.name)
            (full / name).write_bytes(dump.file_bytes())
        self._refs = {("dump", case): ref_of(full / name) for case, name in names.items()}
        for kind in ("sketch", "min_max"):
            # A name more for the same file costs less than a file; a converter removes names.
            shutil.copytree(root / "dump", root / kind, copy_function=os.link)
            convert_dir(root / kind, info=kind, settle=0, threads=2, force=True)
            reduced = root / kind / full.relative_to(root / "dump")
            for case, name in names.items():
                path = Path(reduced_path(str(reduced / name), "ge", kind))
                if path.exists():
                    self._refs[kind, case] = ref_of(path, kind)

    def ref(self, case: Case, kind: FileKind) -> TensorRef | None:
        """Its address, None if it cannot be reduced."""
        return self._refs.get((kind, case))


def ref_of(path: Path, kind: FileKind = "dump") -> TensorRef:
    return TensorRef(str(path), "outputs", 0, kind=kind)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("dtypes"))


@pytest.fixture(scope="module")
def expected(files: Files) -> dict[tuple[Case, Case], Result]:
    """What the core says of full tensors."""
    jobs = [(files.ref(my, "dump"), files.ref(golden, "dump")) for my, golden in PAIRS]
    found = [result_of(plain) for many in _core.Batch(jobs, threads=2) for plain in many]
    return dict(zip(PAIRS, found))


@lru_cache(maxsize=1)
def sources() -> Sources:
    return Sources(1)


def reduced_pairs(
    files: Files, kinds: tuple[FileKind, FileKind]
) -> Iterator[tuple[tuple[Case, Case], ReducedResult]]:
    for my, golden in PAIRS:
        refs = files.ref(my, kinds[0]), files.ref(golden, kinds[1])
        if None not in refs:
            yield (my, golden), compare_or_unreadable(*refs, sources=sources())


def said(sentences: list[Sentence]) -> list[Sentence]:
    return [
        Sentence(OF_BYTES[sentence.id]) if sentence.id in OF_BYTES else sentence
        for sentence in sentences
    ]


@pytest.mark.parametrize(
    "kinds", [("dump", "dump"), ("sketch", "dump"), ("dump", "sketch"), ("sketch", "sketch")]
)
def test_a_sketch_says_what_the_full_tensor_says(
    files: Files,
    expected: dict[tuple[Case, Case], Result],
    kinds: tuple[FileKind, FileKind],
) -> None:
    differ = []
    for pair, found in reduced_pairs(files, kinds):
        full = expected[pair]
        metrics = {} if full.metrics is None else full.metrics
        same = (found.status, found.sentences) == (full.status, said(full.sentences))
        same = same and (found.my, found.golden) == (full.my, full.golden)
        same = same and (found.metrics or {}).keys() <= metrics.keys()
        if not same:
            differ.append(f"{pair}:\n  {found}\n  {full}")
    assert not differ, "\n".join(differ[:5])


@pytest.mark.parametrize(
    "kinds", [("min_max", "dump"), ("dump", "min_max"), ("min_max", "min_max")]
)
def test_extrema_have_the_status_of_the_full_tensor_where_they_can(
    files: Files, expected: dict[tuple[Case, Case], Result], kinds: tuple[FileKind, FileKind]
) -> None:
    differ = []
    for pair, found in reduced_pairs(files, kinds):
        status = expected[pair].status
        # Extrema have no count; bytes without a coding have no extrema.
        allowed = {"shape_mismatch": {"compared"}, "compared": {"compared"}}.get(status, {status})
        if any("uncoded" in str(sentence) for sentence in expected[pair].sentences):
            allowed = allowed | {"unsupported"}
        if expected[pair].sentences and expected[pair].sentences[-1].id == "bytes_equal":
            allowed = {"unsupported"}
        if found.status not in allowed:
            differ.append(f"{pair}: {found.status}, full {expected[pair]}")
    assert not differ, "\n".join(differ[:5])


def test_integers_that_float64_rounds_are_noted_in_sketches_too(tmp_path: Path) -> None:
    values = np.array([2**53, 5, -7], np.int64)
    tensor = DumpTensor(DTYPES["DT_INT64"][0], (3,), values.tobytes(), None, (3,))
    folder = ge_step(tmp_path, names=[])
    path = folder / "Add.Add.1.6.1706596911888001"
    path.write_bytes(Dump(outputs=(tensor,)).file_bytes())
    convert_dir(tmp_path, force=True)
    ref = TensorRef(reduced_path(str(path), "ge", "sketch"), "outputs", 0, kind="sketch")
    found = compare_or_unreadable(ref, ref, sources=Sources(1))
    assert found.sentences == [Sentence("rounded_integers")]


def test_any_error_of_a_reduced_pair_is_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        message = "something that nobody thought of"
        raise ZeroDivisionError(message)

    monkeypatch.setattr(Sources, "tensor", fail)
    ref = TensorRef("/none", "outputs", 0, kind="sketch")
    found = compare_or_unreadable(ref, ref, sources=Sources(1))
    assert found.status == "unreadable"
    assert found.sentences[0].text() == "ZeroDivisionError: something that nobody thought of."
