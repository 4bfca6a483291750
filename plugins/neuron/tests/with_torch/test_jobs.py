"""Jobs on the stand-in: which cores a worker has, and that nobody else has them."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Slow enough for every worker to be wanted.
CLIENT = """
import os, time

class PythonPredictor:
    def __init__(self, neuron_client):
        self.client = neuron_client

    def predict(self, payload):
        time.sleep(0.05)
        rows, sums = self.client.predict(payload)
        return [[row.tolist(), float(total), os.environ["NEURON_RT_VISIBLE_CORES"]] for row, total in zip(rows, sums)]
"""
ROWS = [[number, number + 0.5] for number in range(300)]
EXPECTED = [[[2 * left, 2 * right], left + right] for left, right in ROWS]


def entry(model: Path | None, **compute: Any) -> dict[str, Any]:
    predictor: dict[str, Any] = {"type": "python", "path": "predictor.py"}
    if model is not None:
        predictor["model_path"] = str(model)
    return {"predictor": predictor, "compute": compute}


def job(workers: int | None, rows: list[Any] = ROWS, size: int = 3, **more: Any) -> dict[str, Any]:
    return {"workers": workers, "item_list": {"items": rows, "batch_size": size}, **more}


def results(project: Any) -> list[Any]:
    return [prediction[:2] for prediction in project.predictions()]


@pytest.mark.parametrize(
    "chips, compute, workers, ranges",
    [
        (1, {"neuron_cores": 1}, 1, ["0"]),
        (1, {"neuron_cores": 1}, 2, ["0", "1"]),
        (1, {"neuron_cores": 1}, None, ["0", "1", "2", "3"]),
        (2, {"inf": 1}, 2, ["0-3", "4-7"]),
    ],
)
def test_each_worker_has_cores_of_its_own_before_it_starts(
    machine: Any, models: Path, chips: int, compute: dict[str, int], workers: int | None, ranges: list[str]
) -> None:
    made = machine(chips, NEURON_RT_NUM_CORES="1", NEURON_RTD_ADDRESS="unix:/run/neuron.sock")
    made.project.write(entry(models / "four.pt", **compute), job(workers), CLIENT)
    said = made.project.run()
    assert "NEURON_RTD_ADDRESS is set, which Neuron's runtime no longer reads" in said
    assert results(made.project) == EXPECTED
    assert sorted({prediction[2] for prediction in made.project.predictions()}) == ranges
    for kind in ("imported", "started"):
        seen = [event["environment"] for event in made.events(kind)]
        assert sorted(one.pop("NEURON_RT_VISIBLE_CORES") for one in seen) == ranges
        assert all(set(one.values()) == {None} for one in seen)
    order = [event["event"] for event in map(json.loads, (made.driver / "log.jsonl").read_text().splitlines())]
    assert order.index("imported") < order.index("loaded") < order.index("ran")
    assert len(made.events("loaded")) == len(ranges), "each worker loads the model once"
    assert made.events("refused") == []


def test_a_predictor_that_loads_its_model_itself(machine: Any, models: Path) -> None:
    made = machine()
    code = """
import torch
import torch_neuron

class PythonPredictor:
    def __init__(self, config, neuron_client):
        assert neuron_client is None
        self.model = torch.jit.load(config["model"])

    def predict(self, payload):
        return self.model(torch.tensor(payload))[0].tolist()
"""
    described = entry(None, neuron_cores=2)
    described["predictor"]["config"] = {"model": str(models / "two.pt")}
    made.project.write(described, job(1, [[1.0], [2.0], [3.0], [4.0]], 2), code)
    made.project.run()
    assert made.project.predictions() == [[3.0], [6.0], [9.0], [12.0]]
    assert [event["cores"] for event in made.events("started")] == [[0, 1]]


def test_several_models_by_name(machine: Any, models: Path) -> None:
    made = machine()
    described = entry(None, inf=1)
    paths = {"double": models / "four.pt", "triple": models / "two.pt"}
    described["predictor"]["models"] = [{"name": name, "path": str(path)} for name, path in paths.items()]
    code = """
class PythonPredictor:
    def __init__(self, neuron_client):
        self.client = neuron_client
        assert neuron_client.batch_sizes == {"double": 4, "triple": 2}

    def predict(self, payload):
        return [self.client.predict(payload, name)[0] for name in ("double", "triple")]
"""
    described["predictor"]["returns"] = "whole"
    made.project.write(described, job(1, [[1.0], [2.0], [3.0]], 3), code)
    made.project.run()
    assert made.project.predictions() == [[[[2.0], [4.0], [6.0]], [[3.0], [6.0], [9.0]]]]
    assert [event["cores"] for event in made.events("started")] == [[0, 1, 2, 3]]


@pytest.mark.parametrize(
    "model, settings, rows",
    [
        ("any.pt", {"dynamic_batch": True}, [5]),
        ("four.pt", {"data_parallel": True}, [4, 4]),
        ("silent.pt", {"batch_size": 4}, [4, 4]),
        ("silent.pt", {"batch_sizes": {"_cortex_default": 4}}, [4, 4]),
    ],
)
def test_settings(machine: Any, models: Path, model: str, settings: dict[str, Any], rows: list[int]) -> None:
    made = machine()
    made.project.write(entry(models / model, neuron_cores=2, neuron=settings), job(1, ROWS[:5], 5), CLIENT)
    made.project.run()
    assert results(made.project) == EXPECTED[:5]
    assert [event["rows"] for event in made.events("ran")] == rows
    assert [event["rows"] for event in made.events("spread")] == ([8] if "data_parallel" in settings else [])


# ------------------------------------------------------------------------------------------------ one owner

CRASHING = CLIENT.replace("import os, time", "import os, pathlib, signal, time").replace(
    "        time.sleep(0.05)\n",
    """        if payload[0][0] == 30 and not os.path.exists("crashed"):
            pathlib.Path("crashed").touch()
            if os.fork() == 0:
                os.setsid()
                pathlib.Path("child").write_text(str(os.getpid()))
                time.sleep(600)
                os._exit(0)
            while not os.path.exists("child"):
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
""",
)


def test_a_replacement_takes_the_core_of_the_crashed_worker_whose_child_lives_on(machine: Any, models: Path) -> None:
    made = machine()
    made.project.write(entry(models / "four.pt", neuron_cores=4), job(1, ROWS[:60]), CRASHING)
    made.project.run()
    child = int((made.project.folder / "child").read_text())
    os.kill(child, signal.SIGKILL)  # it was alive until now
    assert results(made.project) == EXPECTED[:60]
    first, second = made.events("started")
    assert first["cores"] == second["cores"] == [0, 1, 2, 3]
    assert first["pid"] != second["pid"]
    assert made.events("refused") == []


WAITING = """
import pathlib, time

class PythonPredictor:
    def predict(self, payload):
        pathlib.Path("running").touch()
        while not pathlib.Path("go").exists():
            time.sleep(0.01)
        return payload
"""


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_two_jobs_share_a_machine_and_never_a_core(machine: Any, models: Path) -> None:
    made = machine()
    project = made.project
    project.write(entry(models / "four.pt", neuron_cores=3), job(1, [1], 1), WAITING)
    with project.start("run", str(project.folder), "--output", str(project.root / "first")) as running:
        wait_for((project.folder / "running").exists)
        (listed,) = json.loads(project.run("jobs", "--json"))
        project.write(entry(models / "four.pt", inf=1), job(1, ROWS[:4]), CLIENT)
        said = project.run("run", str(project.folder), "--output", str(project.root / "out"), code=2)
        assert (
            "compute.inf: 1 worker of 1 chip each need 1, and there is 1 chip (4 cores each), of which 0 are free"
            in said
        )
        assert f"device neuron:0 is in use by job {listed['job_id']} (process {running.pid})" in said
        project.write(entry(models / "four.pt", neuron_cores=1), job(None, ROWS[:4]), CLIENT)
        project.run()
        assert {prediction[2] for prediction in project.predictions()} == {"3"}
        (project.folder / "go").touch()
        assert running.wait(120) in (0, 2)
    assert made.events("refused") == []


def test_a_resumed_job_takes_the_cores_of_its_killed_coordinator(machine: Any, models: Path) -> None:
    made = machine()
    project = made.project
    slow = CLIENT.replace("time.sleep(0.05)", "open('running', 'w').close(); time.sleep(0.2)")
    project.write(entry(models / "four.pt", neuron_cores=4), job(1, ROWS[:30]), slow)
    with project.start("run", str(project.folder), "--output", str(project.root / "out")) as running:
        wait_for((project.folder / "running").exists)
        running.kill()
    (project.folder / "running").unlink()
    (listed,) = json.loads(project.run("jobs", "--json"))
    project.run("resume", listed["job_id"])
    assert results(project) == EXPECTED[:30]
    assert [event["cores"] for event in made.events("started")] == [[0, 1, 2, 3]] * 2
    assert made.events("refused") == []


def test_the_next_job_has_all_cores_again(machine: Any, models: Path) -> None:
    made = machine()
    for _ in range(2):
        made.project.write(entry(models / "four.pt", inf=1), job(1, ROWS[:4]), CLIENT)
        made.project.run("run", str(made.project.folder))
    assert [event["cores"] for event in made.events("started")] == [[0, 1, 2, 3]] * 2


# ------------------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize(
    "model, compute, variables, told",
    [
        ("cpu.pt", {"inf": 1}, {}, "cpu.pt): it is TorchScript for the CPU: it calls no operator of Neuron"),
        ("weights.pt", {"inf": 1}, {}, "weights.pt): it was written by torch.save, not by torch.jit.save"),
        ("said.pt", {"neuron_cores": 1}, {}, "it was compiled for 2 cores, and a worker has 1"),
        ("wide.pt", {"neuron_cores": 1}, {}, "its worker's cores are too few for it, or in use by a process"),
        ("four.pt", {"inf": 1}, {"STAND_IN_DRIVER": ""}, "Neuron's runtime could not be initialized: is the driver"),
        ("other.pt", {"inf": 1}, {}, "it was compiled for the other of AWS's libraries"),
        ("four.pt", {"inf": 2}, {}, "1 worker of 2 chips each need 2, and there is 1 chip (4 cores each)"),
        ("four.pt", {"inf": 1}, {"INSULA_NEURON_CHIPS": "0"}, "there is no Neuron device to run on"),
        (
            "four.pt",
            {"inf": 1, "neuron": {"batch_sizes": {"other": 1}}},
            {},
            "compute.neuron.batch_sizes: there is no model other",
        ),
    ],
)
def test_what_is_wrong_is_told_before_the_first_batch(
    machine: Any, models: Path, model: str, compute: dict[str, Any], variables: dict[str, str], told: str
) -> None:
    made = machine()
    made.project.write(entry(models / model, **compute), job(1, ROWS[:4]), CLIENT)
    said = made.project.run(code=2, **variables)
    assert told in said
    assert "Traceback" not in said
    assert made.events("ran") == []
    assert list((made.project.root / "home" / "jobs").iterdir()) == []


def test_a_core_that_a_stranger_has(machine: Any, models: Path) -> None:
    made = machine()
    made.project.write(entry(models / "four.pt", neuron_cores=2), job(1, ROWS[:4]), CLIENT)
    with open(made.driver / "core1", "w") as core:
        fcntl.lockf(core, fcntl.LOCK_EX)
        assert "in use by a process that insula did not start" in made.project.run(code=2)


@pytest.mark.parametrize("missing", [True, False])
def test_the_library_is_not_there(machine: Any, models: Path, tmp_path: Path, missing: bool) -> None:
    made = machine()
    packages = tmp_path / "packages"
    packages.mkdir()
    if not missing:
        (packages / "torch_neuron.py").write_text('raise ImportError("WRONG PACKAGE. Please install …")\n')
    made.project.write(entry(models / "four.pt", inf=1), job(1, ROWS[:4]), CLIENT)
    said = made.project.run(code=2, PYTHONPATH=str(packages))
    expected = "neither torch_neuronx nor torch_neuron is installed" if missing else "torch-neuron is the placeholder"
    assert expected in said
    assert "https://pip.repos.neuron.amazonaws.com" in said


def test_a_batch_size_that_nobody_stated_is_told_with_the_first_batch(machine: Any, models: Path) -> None:
    made = machine()
    made.project.write(entry(models / "silent.pt", inf=1), job(1, ROWS[:3], retries=0, isolate_failures=False), CLIENT)
    said = made.project.run(code=1)
    letters = (made.project.root / "out" / "dead_letters.jsonl").read_text()
    told = "the model was compiled for batches of 4 and got 3 rows: set compute.neuron.batch_size to 4"
    assert told in letters + said
