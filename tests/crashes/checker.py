"""Checks what a finished job left behind, from files alone: this program shares no code with insula.

    python checker.py --input FILE… --batch-size N --output DIR --home DIR --done FILE --mark TEXT
                      [--dead INDEX…] [--pieces ORDINAL…]

Expects samples `{"i": …}` predicted by `predicted` below, and a predictor whose `on_job_complete` ends by appending the number
of lines of predictions.jsonl to the file `--done`. Prints every fault and exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import stat
import sys
import time
import uuid
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

RESULTS = {"predictions.jsonl", "dead_letters.jsonl", "summary.json"}
REMAINS = {
    "lock",
    "ledger.sqlite3",
    "events.jsonl",
    "status.json",
    "job.json",
    "logs",
    "spool",
    "parts",
    "cells",
    "results",
}


def predicted(sample: Any) -> Any:
    return {"double": sample["i"] * 2, "text": f"é{sample['i']}"}


def samples(files: list[Path]) -> Iterator[tuple[str, int, Any]]:
    """Yield file, line and value of each sample."""
    for file in files:
        for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
            if line.strip():
                yield str(file), number, json.loads(line)


def lines(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                raise ValueError(f"the last line of {path} has no end")
            yield json.loads(line)


def check_predictions(path: Path, expected: list[Any], dead: set[int], size: int, pieces: set[int]) -> Iterator[str]:
    next_index, ids = 0, []
    for number, found in enumerate(lines(path), 1):
        while next_index in dead:
            next_index += 1
        index = found["index"]
        if index != next_index:
            yield f"line {number} is of sample {index}, not of {next_index}"
            return
        if set(found) != {"index", "batch_id", "prediction"}:
            yield f"line {number} has the fields {sorted(found)}"
        if found["prediction"] != predicted(expected[index]):
            yield f"sample {index} has the prediction {found['prediction']!r}"
        ids.append((index // size, found["batch_id"]))
        next_index += 1
    while next_index in dead:
        next_index += 1
    if next_index != len(expected):
        yield f"predictions end before sample {next_index} of {len(expected)}"
    yield from check_ids(ids, pieces | {index // size for index in dead})


def check_ids(ids: list[tuple[int, str]], pieces: set[int]) -> Iterator[str]:
    """Check that a batch has one id, made of the job's prefix and its ordinal; pieces have others, each once."""
    prefix = next((text[:24] for ordinal, text in ids if ordinal not in pieces), "")
    runs = [key for key, _ in groupby(ids)]
    if len(set(runs)) != len(runs):
        yield "a batch_id comes back behind another"
    for ordinal, text in runs:
        if str(uuid.UUID(text)) != text or uuid.UUID(text).variant != uuid.RFC_4122:
            yield f"batch {ordinal} has the id {text}, which is no UUID"
        if ordinal not in pieces and text != f"{prefix}{ordinal:012x}":
            yield f"batch {ordinal} has the id {text}, not {prefix}{ordinal:012x}"


def check_dead_letters(path: Path, expected: list[tuple[str, int, Any]], dead: set[int]) -> Iterator[str]:
    found = list(lines(path))
    if [letter["index"] for letter in found] != sorted(dead):
        yield f"dead letters are of {[letter['index'] for letter in found][:20]}, not of {sorted(dead)[:20]}"
        return
    for letter in found:
        source, line, sample = expected[letter["index"]]
        if letter["input"] != sample or letter["source"] != source or letter["line"] not in (line, None):
            yield f"the dead letter of sample {letter['index']} names another one: {letter}"
        if letter["attempts"] < 1 or not letter["error"]["type"]:
            yield f"the dead letter of sample {letter['index']} has no reason: {letter}"


def check_summary(path: Path, count: int, dead: int, size: int) -> Iterator[str]:
    found = json.loads(path.read_bytes())
    wanted = {
        "status": "completed_with_failures" if dead else "succeeded",
        "samples": count,
        "predictions": count - dead,
        "lines": count - dead,
        "dead_letters": dead,
        "stored_by_predictor": 0,
        "batches": -(-count // size),
    }
    for key, value in wanted.items():
        if found.get(key) != value:
            yield f"the summary has {key} = {found.get(key)!r}, not {value!r}"
    if found["batches_succeeded"] + found["batches_failed"] != found["batches"]:
        yield "the summary's batches do not add up"


def check_completion(path: Path, count: int) -> Iterator[str]:
    completed = path.read_text().split() if path.exists() else []
    if completed != [str(count)]:
        yield f"on_job_complete ended {len(completed)} times, having seen {completed} lines, not once with {count}"


def check_folders(output: Path, home: Path) -> Iterator[str]:
    if found := {entry.name for entry in output.iterdir()} ^ RESULTS:
        yield f"too many or too few files in the output: {sorted(found)}"
    for job in (home / "jobs").iterdir():
        if left := {entry.name for entry in job.iterdir()} - REMAINS:
            yield f"left in the job's folder: {sorted(left)}"
        for folder in ("parts", "cells"):
            if left := {entry.name for entry in (job / folder).iterdir()}:
                yield f"left in {folder}: {sorted(left)}"
        if any(entry.suffix != ".jsonl" for entry in (job / "spool").iterdir()):
            yield "a partial file is left in the spool"
        if is_locked(job / "lock"):
            yield "the job is locked"
    for entry in (*home.rglob("*"), *output.rglob("*")):
        mode = entry.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            yield f"{entry} is left, which is no file"


def is_locked(path: Path) -> bool:
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def processes(mark: str) -> list[int]:
    """Return the processes that have the mark in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
            except OSError:
                continue  # it has ended, or is somebody else's
    return found


def check_processes(mark: str, patience: float) -> Iterator[str]:
    deadline = time.monotonic() + patience
    while found := processes(mark):
        if time.monotonic() > deadline:
            yield f"processes are left: {found}"
            return
        time.sleep(0.02)


def check(asked: argparse.Namespace) -> Iterator[str]:
    expected, dead, output = list(samples(asked.input)), set(asked.dead), asked.output
    values = [value for _, _, value in expected]
    yield from check_predictions(output / "predictions.jsonl", values, dead, asked.batch_size, set(asked.pieces))
    yield from check_dead_letters(output / "dead_letters.jsonl", expected, dead)
    yield from check_summary(output / "summary.json", len(expected), len(dead), asked.batch_size)
    yield from check_completion(asked.done, len(expected) - len(dead))
    yield from check_processes(asked.mark, asked.patience)
    yield from check_folders(output, asked.home)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=Path, nargs="+", required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--done", type=Path, required=True)
    parser.add_argument("--mark", required=True)
    parser.add_argument("--dead", type=int, nargs="*", default=[])
    parser.add_argument("--pieces", type=int, nargs="*", default=[], help="batches that were predicted in pieces")
    parser.add_argument("--patience", type=float, default=5.0, help="seconds that a process has to end")
    faults = list(check(parser.parse_args()))
    for fault in faults:
        print(fault)
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
