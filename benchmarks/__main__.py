"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.options import Options
from benchmarks.table import Figure, render, write

CASES = ("rows", "slow_model", "onnx", "import_time", "scale", "resume")
OPTIONAL = ("engines", "tensorflow", "tensorflow_serving")
NAMES = CASES + OPTIONAL
CACHE = Path(__file__).resolve().parents[1] / ".cache" / "benchmarks"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="insula against the alternatives.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; default: all but {', '.join(OPTIONAL)}"
    )
    parser.add_argument("--rows", type=int, help="samples, where a case has one size")
    parser.add_argument("--rounds", type=int, help="interleaved rounds")
    parser.add_argument("--small", action="store_true", help="little data: shows that everything runs, not how fast")
    parser.add_argument("--report-only", action="store_true", help="exit with 0 though a target was missed")
    parser.add_argument("--data", type=Path, default=CACHE, help="folder of inputs and runs (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures (default: figures.json in the data folder)")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(NAMES))
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return chosen


def measure(chosen: argparse.Namespace) -> Iterator[Figure]:
    for name in chosen.names or CASES:
        print(name, file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="work-", dir=chosen.data) as work:
            options = Options(chosen.data, Path(work), chosen.rows, chosen.rounds, chosen.small)
            yield from importlib.import_module(f"benchmarks.cases.{name}").run(options)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and answer with the exit code: 1 if a target was missed."""
    chosen = parse(arguments)
    chosen.data.mkdir(parents=True, exist_ok=True)
    figures = list(measure(chosen))
    print(render(figures))
    write(figures, chosen.json or chosen.data / "figures.json")
    return 0 if chosen.report_only or all(figure.held for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
