"""Runs every fuzz target of a build in turn: `run_targets.py BUILD KEPT SECONDS`.

Inputs that reach something new go to KEPT, merged and minimised after each run, and the next
session goes on from there; an input that breaks a promise goes there, too. Prints executions, edges
and memory of each target.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from make_corpus import write_seeds

TARGETS = ("ge_dump", "npy", "graph_text", "pairs", "file_names")
# Inputs of a few kilobytes; a minute is endless even on a machine that has much else to do.
MOST_BYTES, MOST_SECONDS, MOST_ALLOCATED_MB = 4096, 60, 64


def fuzz(build: Path, kept: Path, target: str, seconds: int) -> bool:
    """Run one target; whether nothing was found."""
    corpus, merged = kept / "corpus" / target, kept / "merged" / target
    corpus.mkdir(parents=True, exist_ok=True)
    command = [str(build / f"fuzz_{target}"), f"-max_len={MOST_BYTES}", f"-timeout={MOST_SECONDS}"]
    command += [f"-malloc_limit_mb={MOST_ALLOCATED_MB}", f"-artifact_prefix={kept}/{target}-"]
    dictionary = Path(__file__).with_name(f"{target}.dict")
    options = [f"-max_total_time={seconds}", "-print_final_stats=1", f"-dict={dictionary}"]
    folders = [str(corpus), str(kept / "seeds" / target)]
    done = subprocess.run([*command, *options, *folders], stderr=subprocess.PIPE, check=False)
    log = done.stderr.decode(errors="replace")
    if done.returncode:
        (kept / f"{target}.log").write_text(log)
        print(f"{target}: FOUND SOMETHING, see {kept}/{target}.log\n{log[-3000:]}", flush=True)
        return False
    shutil.rmtree(merged, ignore_errors=True)
    merged.mkdir(parents=True)
    subprocess.run(
        [*command, "-merge=1", str(merged), *folders], stderr=subprocess.PIPE, check=True
    )
    shutil.rmtree(corpus)
    merged.rename(corpus)
    sizes = [path.stat().st_size for path in corpus.iterdir()]
    (edges,) = re.findall(r"DONE +cov: (\d+)", log)
    stats = dict(re.findall(r"stat::(\w+): +(\d+)", log))
    print(
        f"{target:10} {stats['number_of_executed_units']} executions, "
        f"{stats['average_exec_per_sec']} a second, {edges} edges, "
        f"{len(sizes)} inputs of {sum(sizes) >> 10} kB kept, peak {stats['peak_rss_mb']} MB",
        flush=True,
    )
    return True


def main() -> int:
    build, kept = (Path(folder).resolve() for folder in sys.argv[1:3])
    write_seeds(kept / "seeds")
    found = [target for target in TARGETS if not fuzz(build, kept, target, int(sys.argv[3]))]
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
