"""GPUs, none of which is there: what workers see of them is in their environment."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "CUDA_VISIBLE_DEVICES"


@pytest.mark.parametrize(
    "visible, each, workers, seen",
    [
        ("0,1,2,3", 1, 2, ["0", "1"]),
        ("3,1", 1, None, ["1", "3"]),
        ("2,GPU-8932f937,MIG-5b1c,5", 2, 2, ["2,GPU-8932f937", "MIG-5b1c,5"]),
    ],
)
def test_each_worker_sees_its_own(bench: Any, visible: str, each: int, workers: int | None, seen: list[str]) -> None:
    bench.write({"gpu": each}, VARIABLE, workers=workers)
    bench.run(**{VARIABLE: visible})
    assert sorted({found[VARIABLE] for found in bench.predictions()}) == seen
    assert len(bench.predictions()) == 120


def test_more_than_there_are_is_told_before_anything_starts(bench: Any) -> None:
    bench.write({"gpu": 2}, VARIABLE, workers=2)
    told = "compute.gpu: 2 workers of 2 GPUs each need 4, and this process sees 3: 1 worker would fit"
    assert told in bench.run(code=2, **{VARIABLE: "0,1,2"})
    assert list((bench.root / "home" / "jobs").iterdir()) == []


WAITING = """
import pathlib, time

class PythonPredictor:
    def predict(self, payload):
        pathlib.Path("running").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
        return payload
"""


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + 120
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_of_two_jobs_each_has_its_own(bench: Any) -> None:
    bench.write({"gpu": 1}, code=WAITING, workers=1, item_list={"items": [1]})
    with bench.start("run", str(bench.project), **{VARIABLE: "0,1"}) as first:
        _wait_for(bench.project / "running")
        (listed,) = json.loads(bench.run("jobs", "--json"))
        bench.write({"gpu": 1}, VARIABLE, workers=2)
        said = bench.run(code=2, **{VARIABLE: "0,1"})
        assert f"device cuda:0 is in use by job {listed['job_id']} (process {first.pid})" in said
        bench.write({"gpu": 1}, VARIABLE, workers=None)
        bench.run(**{VARIABLE: "0,1"})
        assert {found[VARIABLE] for found in bench.predictions()} == {"1"}
        (bench.project / "go").touch()
        assert first.wait(120) in (0, 2)


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_job_gives_its_devices_back(bench: Any, executor: str) -> None:
    bench.write({"gpu": 1}, VARIABLE, workers=1, item_list={"items": [1]})
    for _ in range(2):
        bench.run("run", str(bench.project), "--executor", executor, **{VARIABLE: "0"})
