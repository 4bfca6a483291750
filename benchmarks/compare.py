"""Whether all contestants predicted the same, and their runs when they did."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import orjson

from benchmarks.measure import Contestant, Run, Runs, interleave


class OutputDiffers(Exception):
    """Two contestants predicted different labels for the same rows."""


def race(contestants: Mapping[str, Contestant], rounds: int, work: Path, *, ordered: bool = True) -> dict[str, Runs]:
    """Interleave the contestants and compare what each run wrote.

    Args:
        contestants: each takes a folder that does not exist yet, and writes there.
        rounds: how often.
        work: where these folders are made; they are removed as soon as they were compared.
        ordered: whether all keep the order of the rows.

    Raises:
        OutputDiffers: naming the first contestant that predicted something else than the first one did.
    """
    seen: dict[str, str] = {}

    def timed(name: str) -> Run:
        folder = work / name
        run = contestants[name](folder)
        seen[name] = _digest(folder, ordered)
        shutil.rmtree(folder)
        first = next(iter(seen))
        if seen[name] != seen[first]:
            raise OutputDiffers(f"{name} wrote {seen[name]}, {first} wrote {seen[first]}")
        return run

    return interleave({name: partial(timed, name) for name in contestants}, rounds)


def _digest(folder: Path, ordered: bool) -> str:
    labels = bytes(_labels(folder))
    digest = hashlib.sha256(labels if ordered else bytes(sorted(labels))).hexdigest()
    return f"{len(labels)} labels ({digest[:12]})"


def _labels(folder: Path) -> Iterator[int]:
    """The label of each line: `prediction` in insula's results, `output` in those of the others."""
    results = folder / "results" / "predictions.jsonl"
    files = [results] if results.exists() else sorted(path for path in folder.rglob("*") if path.is_file())
    for file in files:
        with file.open("rb") as lines:
            for number, line in enumerate(lines):
                record = orjson.loads(line)
                if record.get("index", number) != number:
                    raise OutputDiffers(f"line {number} of {file} has the index {record['index']}")
                yield record["prediction"] if "prediction" in record else record["output"]
