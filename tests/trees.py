"""Builds trees of dump files as the versions of GE and torchair lay them out; files are empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ait_cmp.discover import DumpTree, StepKey

TIME = "20261122113000"
GE_NAMES = (
    "Data.arg0_1.1.6.1706596911888001",
    "MatMulV2.MatMulV2.2.6.1706596911888002",
    "Add.Add.3.6.1706596911888003",
)
FX_TIME = 20261122112547986840


def write(folder: Path, names: Iterable[str], data: bytes = b"") -> Path:
    """Write files of one content into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(data)
    return folder


@contextmanager
def restored(path: Path) -> Iterator[Path]:
    """A file that may be changed, or replaced, and is afterwards what it was.

    So that a dump is written once for all tests that damage a file of it.
    """
    content = path.read_bytes()
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(content)


def rank_name(rank: int, world: int = 2) -> str:
    return f"worldsize{world}_global_rank{rank}"


def ge_step(
    root: Path,
    *,
    rank: str = "",
    time: str = TIME,
    device: int = 0,
    graph: str = "graph_1",
    model_id: int = 1,
    step: int | None = 0,
    names: Iterable[str] = GE_NAMES,
) -> Path:
    """One step folder of a GE dump; `step=None` leaves the step level out."""
    folder = root / rank / time / str(device) / graph / str(model_id)
    return write(folder if step is None else folder / str(step), names)


def fx_names(
    node: str = "add", target: str = "aten.add.Tensor", *, inputs: int = 2, time: int = FX_TIME
) -> list[str]:
    """Names of the files of one FX node with one result."""
    arguments = [f"{node}-{target}.INPUT.{i}.{time}.npy" for i in range(inputs)]
    return [*arguments, f"{node}-{target}.OUTPUT.0.{time}.npy"]


def fx_step(
    root: Path,
    *,
    layout: str = "new",
    rank: str = "",
    graph: str = "graph_1",
    step: int = 0,
    names: Iterable[str] | None = None,
) -> Path:
    """One step folder of an FX dump; layouts: new, old (step/gm) and prototype (gm/step)."""
    folders = {
        "new": root / rank / graph / str(step),
        "old": root / str(step) / graph,
        "prototype": root / graph / str(step),
    }
    return write(folders[layout], fx_names() if names is None else names)


def gm_name(time: int) -> str:
    """Folder of a graph in the old FX layouts; `time` tells when it was compiled."""
    return f"gm_{time}_dump"


def graph_name(
    number: int = 1, *, rank: int = 0, pid: int = 100, time: int = FX_TIME, stage: str = "original"
) -> str:
    return f"dynamo_{stage}_graph_{number}_rank_{rank}_pid_{pid}_ts_{time}.txt"


def graph_text(number: int) -> bytes:
    """The start of a graph that says its number."""
    return f'name: "graph_{number}"\nop {{\n  name: "arg0_1"\n  type: "Data"\n}}\n'.encode()


def only_note(tree: DumpTree) -> str:
    assert len(tree.notes) == 1, tree.notes
    return tree.notes[0]


def names_of(tree: DumpTree, key: StepKey) -> list[str]:
    files = tree.ge[key] if tree.kind == "ge" else tree.fx[key]
    return [Path(file.path).name for file in files]
