"""The checker finds what it is there for: each fault below is made by hand in the results of a job that went well."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def _edit(name: str, change: Callable[[list[str]], object]) -> Callable[[Path], None]:
    def edit(root: Path) -> None:
        path = root / "out" / name
        found = path.read_text().splitlines(keepends=True)
        change(found)
        path.write_text("".join(found))

    return edit


def _swap(lines: list[str]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


def _field(line: int, key: str, value: object) -> Callable[[list[str]], None]:
    def change(lines: list[str]) -> None:
        lines[line] = json.dumps({**json.loads(lines[line]), key: value}) + "\n"

    return change


def _leave(path: str) -> Callable[[Path], None]:
    def leave(root: Path) -> None:
        (job,) = (root / "home/jobs").iterdir()
        Path(path.replace("JOB", str(job)).replace("OUT", str(root / "out"))).touch()

    return leave


def _leave_socket(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(root / "out")  # a socket's path may have only some 100 characters
        made.bind("s")
        os.chdir(here)


PREDICTIONS, LETTERS, SUMMARY = "predictions.jsonl", "dead_letters.jsonl", "summary.json"
FAULTS = {
    "a line is missing": (_edit(PREDICTIONS, lambda it: it.pop(5)), "of sample 6, not of 5"),
    "the last line is missing": (_edit(PREDICTIONS, lambda it: it.pop()), "end before sample 39"),
    "a line comes twice": (_edit(PREDICTIONS, lambda it: it.insert(5, it[5])), "of sample 5, not of 6"),
    "two lines are swapped": (_edit(PREDICTIONS, _swap), "of sample 4, not of 3"),
    "a prediction is wrong": (_edit(PREDICTIONS, _field(7, "prediction", 1)), "sample 7 has the prediction 1"),
    "a line is cut": (_edit(PREDICTIONS, lambda it: it.append("{")), "has no end"),
    "an id is no UUID": (_edit(PREDICTIONS, _field(9, "batch_id", "x")), "badly formed"),
    "an id is another batch's": (
        _edit(PREDICTIONS, lambda it: _field(9, "batch_id", json.loads(it[0])["batch_id"])(it)), "batch 1 has the id",
    ),
    "a dead letter too many": (
        _edit(LETTERS, lambda it: it.append('{"index":3}\n')), "dead letters are of [3], not of []",
    ),
    "a wrong count": (_edit(SUMMARY, lambda it: it.__setitem__(-1, ',"samples":39}')), "the summary has samples"),
    "completed twice": (lambda root: (root / "done").write_text("40\n40\n"), "on_job_complete ended 2 times"),
    "completed too early": (lambda root: (root / "done").write_text("39\n"), "having seen ['39'] lines"),
    "not completed": (lambda root: (root / "done").unlink(), "on_job_complete ended 0 times"),
    "a claim": (_leave("OUT/.insula-job.json"), "too many or too few files"),
    "a partial result": (_leave("OUT/predictions.jsonl.partial"), "too many or too few files"),
    "a part": (_leave("JOB/parts/1-0-1-1.part"), "left in parts"),
    "a cell": (_leave("JOB/cells/1-0-1.cell"), "left in cells"),
    "a temporary file": (_leave("JOB/.status.json.new"), "left in the job's folder"),
    "a log of the ledger": (_leave("JOB/ledger.sqlite3-wal"), "left in the job's folder"),
    "a half spool": (_leave("JOB/spool/item_list.jsonl.partial"), "left in the spool"),
    "a socket": (_leave_socket, "which is no file"),
}  # fmt: skip


@pytest.fixture
def finished(trial):
    trial.write_rows(40)
    trial.finish(trial.run())
    trial.check()
    return trial


def test_it_finds_every_fault(finished) -> None:
    kept = finished.folder / "kept"
    kept.mkdir()
    names = ("out", "home", "done")
    for name in names:
        _copy(finished.folder / name, kept / name)
    for fault, (make, message) in FAULTS.items():
        make(finished.folder)
        found = finished.checked()
        assert found.returncode == 1, fault
        assert message in (found.stdout + found.stderr).decode(), fault
        for name in ("out", "home"):
            shutil.rmtree(finished.folder / name)
        for name in names:
            _copy(kept / name, finished.folder / name)
    finished.check()


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)


HOLDER = """
import fcntl, sys, time
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)
"""


def test_it_finds_a_process_and_its_lock(finished) -> None:
    command = [sys.executable, "-c", HOLDER, finished.job / "lock"]
    with subprocess.Popen(command, env=finished.environment(), stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"locked\n"
            found = finished.checked(patience=0.0).stdout.decode()
        finally:
            process.kill()
    assert f"processes are left: [{process.pid}]" in found
    assert "the job is locked" in found
