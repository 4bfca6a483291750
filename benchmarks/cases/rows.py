"""A million small rows, batch 32, two workers, and a predict that does next to nothing: what insula itself costs."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from benchmarks import data, job
from benchmarks.compare import race
from benchmarks.measure import Contestant, Run
from benchmarks.measure import run as start
from benchmarks.options import Options
from benchmarks.table import Figure

BASELINES = Path(__file__).resolve().parents[1] / "baselines"
# hand_profiled trusts its input and keeps nothing safe: it is reported beside the others, with a target of its own.
TARGETS = {"hand_multi": 1.0, "hand_profiled": 0.6, "pool_imap": 1.0}


def run_baseline(name: str, rows: Path, folder: Path) -> Run:
    """Run one of the given baselines at batch 32, with its `noop` for a model."""
    return start([sys.executable, str(BASELINES / f"{name}.py"), str(rows), str(folder), "32", "noop"])


def against(
    case: str, targets: dict[str, float], rows: Path, options: Options, rounds: int, *, ordered: bool = True
) -> list[Figure]:
    """Race insula against these baselines; each target is the least that their time over insula's may be."""
    project = job.make_project(options.work / "project", job.NOOP)
    contestants: dict[str, Contestant] = {"insula": partial(job.run_job, project, rows)}
    contestants |= {name: partial(run_baseline, name, rows) for name in targets}
    runs = race(contestants, rounds, options.work, ordered=ordered)
    ours = runs.pop("insula")
    return [
        Figure(
            case=case,
            what=f"{name} over insula",
            value=theirs.seconds / ours.seconds,
            at_least=targets[name],
            note=f"{theirs} over {ours}",
        )
        for name, theirs in runs.items()
    ]


def run(options: Options) -> list[Figure]:
    rows = data.iris(options.data, options.size(1_000_000, 20_000))
    return against("rows", TARGETS, rows, options, options.repeat(5))
