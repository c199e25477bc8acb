"""Builds the dumps of the stick: programs are captured, cases evaluated and written."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.truth import bugs as planted
from benchmarks.truth import capture, fusion
from benchmarks.truth.error import Error, ancestors_largest, error_of
from benchmarks.truth.evaluate import Device, Executed, Run
from benchmarks.truth.find_ops import Graph
from benchmarks.truth.ge_graph import Op, read_ops
from benchmarks.truth.write import GRAPH_TEXT, Store, write_step

NOISES = (0.0, 0.25, 0.5)
N_DRAWS = 3
#: Bugs that change less than this part of the rounding of a tensor are none.
NEGLIGIBLE = 0.1
#: From here on a dump with inputs is so large that only some cases have them.
MANY_PARAMETERS = 1_000_000


@dataclass(frozen=True)
class Plan:
    """A case to be written.

    Args:
        name: Of its folder.
        run: How the device computes.
        mode: `outputs` or `all`.
        bug: What is wrong; None where nothing is.
    """

    name: str
    run: Run
    mode: str
    bug: planted.Bug | None = None


@dataclass
class Captured:
    """A captured program.

    Args:
        folder: With graph.txt, feeds.pt and fx.
        ops: Of the graph text.
        feeds: Value of each Data op in each step.
        given: Data op of each input of the program.
        carried: Data op -> number of the output of the step before whose value it has.
    """

    folder: Path
    ops: list[Op]
    feeds: list[dict[str, torch.Tensor]]
    given: list[str]
    carried: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Captured:
        """What `capture` wrote."""
        saved = torch.load(folder / capture.FEEDS)
        given = saved["given"]
        return cls(
            folder,
            read_ops(folder / capture.GRAPH_TEXT),
            saved["feeds"],
            given,
            {given[i]: k for i, k in saved["carried"]},
        )

    def run(self, run: Run) -> list[list[Executed]]:
        """Every step; state is the device's own."""
        device = Device(self.ops, run)
        outputs: list[torch.Tensor] = []
        steps = []
        for number, feed in enumerate(self.feeds):
            own = {name: outputs[k] for name, k in self.carried.items()} if number else {}
            executed, outputs = device.step({**feed, **own}, number)
            steps.append(executed)
        return steps

    @property
    def n_parameters(self) -> int:
        """Elements of all Data ops that are no input of the program."""
        return sum(t.numel() for name, t in self.feeds[0].items() if name not in self.given)

    def silent_data(self) -> frozenset[str]:
        """Data ops of parameters, which write no file."""
        return frozenset(
            op.name for op in self.ops if op.type == "Data" and op.name not in self.given
        )


def plans(program: str, captured: Captured, *, quick: bool, with_bugs: bool) -> Iterator[Plan]:
    """The cases of a program: clean ones, then bugs."""
    n_kept = 1 if captured.n_parameters < MANY_PARAMETERS else 8
    for way in fusion.WAYS:
        for noise in NOISES:
            for mode in ("outputs", "all"):
                if quick and (noise == 0.5 or way == "short" or mode == "all"):
                    continue
                if mode == "all" and n_kept > 1 and noise != 0.25:
                    continue
                name = f"{program}.clean.{way}.n{noise:g}.{mode}"
                yield Plan(name, Run(noise, way, _seed(program, 0)), mode)
    if not with_bugs:
        return
    graph = Graph(captured.ops, values_of(captured))
    single = planted.single(program, graph)
    for number, bug in enumerate([*single, *planted.double(single)]):
        if quick and number % 4:
            continue
        modes = ["outputs"] if quick or number % n_kept else ["outputs", "all"]
        yield from _bug_plans(program, number, bug, modes)


def _bug_plans(program: str, number: int, bug: planted.Bug, modes: Sequence[str]) -> Iterator[Plan]:
    noise = (0.25, 0.0, 0.25, 0.5)[number % 4]
    ways = ["unfused"] if number % 3 else ["unfused", tuple(fusion.WAYS)[1 + number % 9 // 3]]
    for way in ways:
        for mode in modes:
            name = f"{program}.{bug.name}.{way}.n{noise:g}.{mode}"
            run = Run(noise, way, _seed(program, number % N_DRAWS), bug.changes)
            yield Plan(name, run, mode, bug)


def _seed(program: str, draw: int) -> int:
    """Draws are few, so that files before the bug are those of another case, and one on disk."""
    return zlib.crc32(f"{program} {draw}".encode())


def values_of(captured: Captured) -> dict[str, torch.Tensor]:
    """Every tensor of the first step, exactly computed."""
    (first, *_) = captured.run(Run())
    return {edge: value for done in first for edge, value in (*done.inputs, *done.outputs)}


class Writer:
    """Writes the cases of one program."""

    def __init__(self, captured: Captured, cases: Path, golden: Path, store: Store) -> None:
        self._captured, self._cases, self._golden, self._store = captured, cases, golden, store
        self._exact: list[dict[str, torch.Tensor]] = [
            {edge: value for done in step for edge, value in done.outputs}
            for step in captured.run(Run())
        ]
        self._clean: dict[tuple[float, str, int], list[list[Executed]]] = {}
        self._given: dict[tuple[float, str, int], list[dict[str, Error]]] = {}
        self._text = (captured.folder / capture.GRAPH_TEXT).read_bytes()

    def write(self, plan: Plan) -> bool:
        """Write my side and truth.json of a case; False where the bugs change next to nothing."""
        folder = self._cases / plan.name
        steps = self._captured.run(plan.run) if plan.bug else self._clean_run(plan.run)
        document = self._truth(plan, steps)
        if plan.bug and all(bug["ratio"] < NEGLIGIBLE for bug in document["bugs"]):
            return False
        folder.mkdir(parents=True)
        silent = self._captured.silent_data() | (plan.bug.hidden if plan.bug else frozenset())
        (folder / "my").mkdir()
        self._store.write(folder / "my" / GRAPH_TEXT, self._text)
        for number, executed in enumerate(steps):
            write_step(self._store, folder / "my", number, executed, mode=plan.mode, silent=silent)
        (folder / "truth.json").write_text(json.dumps(document, indent=1) + "\n")
        return True

    def _truth(self, plan: Plan, steps: list[list[Executed]]) -> dict[str, Any]:
        document: dict[str, Any] = {
            "program": self._captured.folder.name,
            "golden": os.path.relpath(self._golden, self._cases / plan.name),
            "clean": plan.bug is None,
            "way": plan.run.way,
            "noise": plan.run.noise,
            "mode": plan.mode,
            "n_steps": len(steps),
            "bugs": [],
        }
        if plan.bug is not None:
            for kind, op in zip(plan.bug.kinds, plan.bug.ops):
                document["bugs"].append({"kind": kind, "op": op, **self._size(op, plan, steps)})
        return document

    def _clean_run(self, run: Run) -> list[list[Executed]]:
        key = (run.noise, run.way, run.seed)
        if key not in self._clean:
            self._clean[key] = self._captured.run(replace(run, changes={}))
        return self._clean[key]

    def _clean_given(self, run: Run) -> list[dict[str, Error]]:
        key = (run.noise, run.way, run.seed)
        if key not in self._given:
            clean = self._clean_run(run)
            self._given[key] = [ancestors_largest(*pair) for pair in zip(clean, self._exact)]
        return self._given[key]

    def _size(self, op: str, plan: Plan, steps: list[list[Executed]]) -> dict[str, Any]:
        """The name in the dump, and the error beside the inherited one."""
        best: dict[str, Any] = {"ratio": 0.0}
        for number, step in enumerate(steps):
            if len(plan.run.changes) > 1:  # what the other bug makes is given, too
                given = ancestors_largest(step, self._exact[number])
            else:
                given = self._clean_given(plan.run)[number]
            for done in step:
                if op not in {member.name for member in done.group}:
                    continue
                for (edge, value), correct in zip(done.outputs, done.right or []):
                    bug = error_of(value, correct)
                    own = error_of(correct, self._exact[number].get(edge, correct))
                    found = {
                        "dumped_as": fusion.name(done.group)[1],
                        "step": number,
                        "error": asdict(bug),
                        "own_rounding": asdict(own),
                        "given": asdict(given[edge]),
                        "ratio": bug.growth_over(own),
                        "given_ratio": bug.growth_over(given[edge]),
                    }
                    if found["ratio"] > best["ratio"] or "dumped_as" not in best:
                        best = found
        return best
