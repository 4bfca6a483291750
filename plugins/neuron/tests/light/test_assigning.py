from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from insula.descriptors import Assignment, ServicesContext
from insula.errors import PluginError, UserError
from insula.plugins import compose
from insula.spec import ApiSpec, ComputeSpec, PredictorSpec
from insula_neuron.assigning import Wanted, assign, runs, wanted
from insula_neuron.devices import Devices
from insula_neuron.plugin import NeuronPlugin
from insula_neuron.settings import NeuronSettings, Section

INF1 = Devices(2, 4, tuple(range(8)))
INF2 = Devices(6, 2, tuple(range(12)))


def nobody(devices: Iterable[str]) -> Mapping[str, str]:
    return {}


def ranges(key: str, each: int, workers: int | None, devices: Devices = INF1, cpu: float | None = None) -> list[str]:
    made = assign(ComputeSpec(cpu=cpu), Wanted(key, each), workers, devices, 8, nobody)
    return [str(one.environment["NEURON_RT_VISIBLE_CORES"]) for one in made]


@pytest.mark.parametrize(
    "key, each, workers, devices, expected",
    [
        ("inf", 1, 2, INF1, ["0-3", "4-7"]),
        ("inf", 2, 1, INF1, ["0-7"]),
        ("inf", 2, None, INF2, ["0-3", "4-7", "8-11"]),
        ("neuron_cores", 1, 4, INF1, ["0", "1", "2", "3"]),
        ("neuron_cores", 3, 2, INF1, ["0-2", "3-5"]),
        ("neuron_cores", 1, None, INF1, [str(core) for core in range(8)]),
        ("neuron_cores", 2, None, Devices(2, 4, (1, 2, 3, 5, 6)), ["1-2", "5-6"]),
        ("inf", 1, None, Devices(3, 2, (0, 1, 3, 4, 5)), ["0-1", "4-5"]),
    ],
)
def test_each_worker_has_a_contiguous_range_of_its_own(
    key: str, each: int, workers: int | None, devices: Devices, expected: list[str]
) -> None:
    assert ranges(key, each, workers, devices) == expected


def test_the_whole_assignment() -> None:
    (made,) = assign(ComputeSpec(), Wanted("neuron_cores", 2), 1, INF1, 8, nobody)
    removed = dict.fromkeys(("NEURON_RT_NUM_CORES", "NEURONCORE_GROUP_SIZES", "NEURON_RTD_ADDRESS"))
    assert made == Assignment(
        0, environment={"NEURON_RT_VISIBLE_CORES": "0-1", **removed}, devices=("neuron:0", "neuron:1"), cpu=8
    )


def test_no_more_workers_than_the_hosts_cores_carry() -> None:
    assert ranges("neuron_cores", 1, None, cpu=4.0) == ["0", "1"]


@pytest.mark.parametrize(
    "key, each, workers, told",
    [
        ("inf", 1, 3, "compute.inf: 3 workers of 1 chip each need 3, and there are 2 chips (4 cores each): 2 workers"),
        ("inf", 4, None, "1 worker of 4 chips each need 4, and there are 2 chips (4 cores each): 0 workers would fit"),
        ("neuron_cores", 3, 3, "3 workers of 3 cores each need 9, and there are 8 cores: 2 workers would fit"),
    ],
)
def test_more_than_there_are(key: str, each: int, workers: int | None, told: str) -> None:
    with pytest.raises(UserError) as error:
        ranges(key, each, workers)
    assert told in str(error.value)


def test_cores_of_other_jobs_are_left_to_them() -> None:
    used = {"neuron:1": "job j (process 7)"}

    def given(key: str, each: int, workers: int | None) -> list[str]:
        made = assign(ComputeSpec(), Wanted(key, each), workers, INF1, 8, lambda devices: used)
        return [str(one.environment["NEURON_RT_VISIBLE_CORES"]) for one in made]

    assert given("neuron_cores", 2, None) == ["2-3", "4-5", "6-7"]
    assert given("neuron_cores", 1, 2) == ["0", "2"]
    assert given("inf", 1, None) == ["4-7"]
    told = (
        r"compute.inf: 2 workers of 1 chip each need 2, and there are 2 chips \(4 cores each\), of which 1 is free: "
        r"1 worker would fit; device neuron:1 is in use by job j \(process 7\)"
    )
    with pytest.raises(UserError, match=told):
        given("inf", 1, 2)


def test_what_the_variable_of_the_command_leaves_is_told() -> None:
    told = "there are 0 chips (4 cores each): 0 workers would fit; NEURON_RT_VISIBLE_CORES leaves this process 2 of 4 cores"
    with pytest.raises(UserError) as error:
        ranges("inf", 1, None, Devices(1, 4, (0, 1)))
    assert str(error.value).endswith(told)


def test_runs_of_consecutive_numbers() -> None:
    assert list(runs([0, 1, 2, 4, 5, 6, 7, 9], 2)) == [[0, 1], [4, 5], [6, 7]]
    assert list(runs([], 1)) == []


def test_what_compute_asks_for() -> None:
    assert wanted(ComputeSpec()) is None
    assert wanted(ComputeSpec(targets={"inf": Section(inf=2)})) == Wanted("inf", 2)
    assert wanted(ComputeSpec(targets={"inf": Section(neuron_cores=3)})) == Wanted("neuron_cores", 3)
    with pytest.raises(UserError, match="give compute.inf or compute.neuron_cores too"):
        wanted(ComputeSpec(targets={"inf": Section(neuron=NeuronSettings(data_parallel=True))}))


# ------------------------------------------------------------------------------------------------ through the hooks


@pytest.fixture
def four_cores(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("INSULA_NEURON_CHIPS", "1")
    monkeypatch.setenv("INSULA_NEURON_CORES_PER_CHIP", "4")
    monkeypatch.setenv("INSULA_DEVICE_LOCKS", str(tmp_path))
    monkeypatch.delenv("NEURON_RT_VISIBLE_CORES", raising=False)


@pytest.mark.usefixtures("four_cores")
def test_the_hooks_answer_for_their_own_target_alone() -> None:
    hooks = compose([("inf", NeuronPlugin())])
    assert len(hooks.assign_devices(ComputeSpec(targets={"inf": Section(neuron_cores=2)}), None)) == 2
    assert hooks.resources(ComputeSpec(targets={"inf": Section(inf=2)})) == {"neuron_cores": 8, "CPU": 1.0}
    assert hooks.resources(ComputeSpec(2.0, targets={"inf": Section(neuron_cores=3)})) == {
        "neuron_cores": 3,
        "CPU": 2.0,
    }
    assert hooks.resources(ComputeSpec()) == {}
    with pytest.raises(PluginError, match="no plugin answered insula_assign_devices"):
        hooks.assign_devices(ComputeSpec(), 1)


@pytest.mark.usefixtures("four_cores")
def test_dead_variables_of_the_project_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / ".env").write_text("NEURON_RTD_ADDRESS=unix:/run/neuron.sock\nOTHER=1\n")
    predictor = PredictorSpec("python", "predictor.py", env={"NEURONCORE_GROUP_SIZES": "1"})
    api = ApiSpec("api", predictor, ComputeSpec(), raw={"predictor": {"type": "python"}})
    with caplog.at_level(logging.WARNING):
        compose([("inf", NeuronPlugin())]).services(ServicesContext(api, {}, tmp_path, workers=1, cores=1), [])
    assert [record.message.split()[3] for record in caplog.records] == [
        "NEURONCORE_GROUP_SIZES,",
        "NEURON_RTD_ADDRESS,",
    ]


@pytest.mark.usefixtures("four_cores")
def test_dead_variables_are_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("NEURONCORE_GROUP_SIZES", "1")
    compute = ComputeSpec(targets={"inf": Section(neuron_cores=1)})
    with caplog.at_level(logging.WARNING):
        (made,) = compose([("inf", NeuronPlugin())]).assign_devices(compute, 1)
    assert [record.message.split()[0] for record in caplog.records] == ["NEURONCORE_GROUP_SIZES"]
    assert made.environment["NEURONCORE_GROUP_SIZES"] is None
    assert os.environ["NEURONCORE_GROUP_SIZES"] == "1"
