from __future__ import annotations

from pathlib import Path

import pytest

from insula.descriptors import Assignment
from insula.worker.environment import THREADS, worker_environment


def test_thread_counts_follow_the_share_of_the_cores_unless_they_are_set() -> None:
    found = worker_environment({"OMP_NUM_THREADS": "7"}, Assignment(0, cpu=2.5))
    assert found == {**dict.fromkeys(THREADS, "2"), "OMP_NUM_THREADS": "7"}
    assert worker_environment({}, Assignment(0, cpu=0.5)) == dict.fromkeys(THREADS, "1")


def test_an_assignment_sets_and_removes() -> None:
    given = {"CUDA_VISIBLE_DEVICES": "0,1", "NEURON_RTD_ADDRESS": "x", "OTHER": "y"}
    assignment = Assignment(0, environment={"CUDA_VISIBLE_DEVICES": "1", "NEURON_RTD_ADDRESS": None, "ABSENT": None})
    found = worker_environment(given, assignment)
    assert {name: value for name, value in found.items() if name not in THREADS} == {
        "CUDA_VISIBLE_DEVICES": "1",
        "OTHER": "y",
    }


@pytest.mark.parametrize("name", ["INSULA_HOME", "INSULA_DEVICE_LOCKS", "PYTHONPATH"])
def test_relative_folders_are_those_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert worker_environment({name: "one"}, Assignment(0))[name] == str(tmp_path / "one")
    assert worker_environment({name: "/else/where"}, Assignment(0))[name] == "/else/where"


def test_folders_of_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/users/her")
    assert worker_environment({"INSULA_HOME": "~/jobs"}, Assignment(0))["INSULA_HOME"] == "/users/her/jobs"
    assert worker_environment({"INSULA_HOME": ""}, Assignment(0))["INSULA_HOME"] == ""
