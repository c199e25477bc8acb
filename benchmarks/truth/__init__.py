"""The measuring stick: does the tool name the operator that is wrong, and nobody else?

    python -m benchmarks.truth build DIR [--quick] [--only PROGRAM ...]
    python -m benchmarks.truth run DIR [--filter GLOB ...]

`build` captures programs through the genuine torchair on the CPU (`programs.py`, `capture.py`),
evaluates their GE graphs as a device would (`evaluate.py`, `ge_ops.py`, `fusion.py`), plants bugs
(`bugs.py`, `changes.py`) and writes dumps; it needs torch, torch_npu and packages with weights.
`run` compares all of them in two processes and prints one table (`judge.py`, `report.py`); it
needs ait_cmp alone. `nox -s truth` does both.

In DIR:

    programs/{program}/fx/                    golden side of all cases of a program
    programs/{program}/graph.txt, feeds.pt    what was captured
    cases/{case}/my/                          my side: GE files and the graph text
    cases/{case}/truth.json                   what is wrong
    answers.json, details.txt                 of the last run

A case is called `{program}.clean.{way}.n{noise}.{mode}` or
`{program}.{kind}@{op}[+{kind}@{op}].{way}.n{noise}.{mode}`: way is `unfused`, `chains`, `short` or
`wide` (`fusion.py`), noise is in units of the unit roundoff, mode is `outputs` or `all` (inputs in
the files, too).

truth.json holds program, golden (relative to the case), clean, way, noise, mode, n_steps and
`bugs`, for each: kind, op (of the graph), dumped_as (its name in the dump: longer where it was
fused), step, error (RED and largest block error that the bug makes in its output), own_rounding (of
the same tensor without the bug), given (the largest among all that it depends on), `ratio` and
`given_ratio` (the bug's error by these; from 4 on it is above the rounding).
"""
