from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from insula.errors import UserError
from insula_neuron import devices
from insula_neuron.devices import Devices, cores_per_chip, find

NOWHERE = {"PATH": "/nowhere"}


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no library tell how many cores a chip has, whatever is installed here."""
    monkeypatch.setattr(devices, "installed", lambda: ())


def machine(root: Path, chips: int, files: Mapping[str, str] | None = None) -> Path:
    for name, text in ({f"dev/neuron{number}": "" for number in range(chips)} | dict(files or {})).items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def tool(folder: Path, answer: str, code: int = 0) -> dict[str, str]:
    folder.mkdir()
    (folder / "neuron-ls").write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n")
    (folder / "neuron-ls").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}/bin"}


def test_chips_and_cores_may_be_stated(tmp_path: Path) -> None:
    stated = {"INSULA_NEURON_CHIPS": "2", "INSULA_NEURON_CORES_PER_CHIP": " 4 "}
    assert find(stated, tmp_path) == Devices(2, 4, tuple(range(8)))
    assert find(stated, machine(tmp_path, 5)).chips == 2


def test_the_driver_shows_devices_and_their_cores(tmp_path: Path) -> None:
    files = {f"sys/devices/virtual/neuron_device/neuron{number}/core_count": "2\n" for number in range(12)}
    root = machine(tmp_path, 12, {**files, "dev/neuron_extra": ""})
    assert find(NOWHERE, root) == Devices(12, 2, tuple(range(24)))


def test_an_older_driver_shows_a_folder_a_core(tmp_path: Path) -> None:
    files = {f"sys/devices/virtual/neuron_device/neuron0/neuron_core{core}/info": "" for core in range(4)}
    assert find(NOWHERE, machine(tmp_path, 1, files)) == Devices(1, 4, (0, 1, 2, 3))


def test_the_tool_says_how_many_cores(tmp_path: Path) -> None:
    answer = json.dumps([{"neuron_device": 0, "nc_count": 4}, {"neuron_device": 1, "nc_count": 4}])
    assert find(tool(tmp_path / "bin", answer), machine(tmp_path, 2)) == Devices(2, 4, tuple(range(8)))


@pytest.mark.parametrize("answer, code", [("no driver", 0), ("[]", 0), ("[{}]", 0), ('[{"nc_count": 4}]', 1)])
def test_a_tool_that_does_not_know_is_passed_over(tmp_path: Path, answer: str, code: int) -> None:
    environment = tool(tmp_path / "bin", answer, code)
    with pytest.raises(UserError, match="set INSULA_NEURON_CORES_PER_CHIP to 4 for Inferentia1"):
        cores_per_chip(environment, tmp_path)


@pytest.mark.parametrize("names, cores", [(("torch_neuron",), 4), (("torch_neuronx",), 2)])
def test_the_library_tells_the_chip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], cores: int
) -> None:
    monkeypatch.setattr(devices, "installed", lambda: names)
    assert cores_per_chip(NOWHERE, tmp_path) == cores


@pytest.mark.parametrize(
    "visible, cores, whole",
    [
        ("0-3", (0, 1, 2, 3), (0,)),
        ("5", (5,), ()),
        ("2-7", (2, 3, 4, 5, 6, 7), (1,)),
        ("0, 4-7,99", (0, 4, 5, 6, 7), (1,)),
        ("6-99999999999", (6, 7), ()),
        ("", tuple(range(8)), (0, 1)),
    ],
)
def test_only_cores_that_this_process_may_use(
    tmp_path: Path, visible: str, cores: tuple[int, ...], whole: tuple[int, ...]
) -> None:
    stated = {"INSULA_NEURON_CHIPS": "2", "INSULA_NEURON_CORES_PER_CHIP": "4", "NEURON_RT_VISIBLE_CORES": visible}
    found = find(stated, tmp_path)
    assert (found.cores, found.whole_chips) == (cores, whole)


@pytest.mark.parametrize(
    "variables, told",
    [
        ({"INSULA_NEURON_CHIPS": "two"}, "INSULA_NEURON_CHIPS must be a number, not 'two'"),
        ({"INSULA_NEURON_CHIPS": "-1"}, "INSULA_NEURON_CHIPS must be a number, not '-1'"),
        ({"INSULA_NEURON_CHIPS": "0"}, "INSULA_NEURON_CHIPS is 0"),
        (
            {"INSULA_NEURON_CHIPS": "1", "INSULA_NEURON_CORES_PER_CHIP": "4", "NEURON_RT_VISIBLE_CORES": "all"},
            "NEURON_RT_VISIBLE_CORES must name cores such as 0-3 or 2, not 'all'",
        ),
        (
            {"INSULA_NEURON_CHIPS": "1", "INSULA_NEURON_CORES_PER_CHIP": "4", "NEURON_RT_VISIBLE_CORES": "3-1"},
            "NEURON_RT_VISIBLE_CORES must name cores such as 0-3 or 2, not '3-1'",
        ),
    ],
)
def test_variables_that_cannot_be_meant(tmp_path: Path, variables: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        find(variables, tmp_path)


def test_a_machine_without_neuron(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no Neuron device .*run on an Inf1, Inf2 or Trn1"):
        find(NOWHERE, tmp_path)


def test_a_chip_without_its_driver(tmp_path: Path) -> None:
    other, chip = "sys/bus/pci/devices/0000:00:03.0", "sys/bus/pci/devices/0000:00:1f.0"
    files = {f"{other}/vendor": "0x1d0f\n", f"{other}/device": "0xec20\n"}
    with pytest.raises(UserError, match="there is no Neuron device"):
        find(NOWHERE, machine(tmp_path, 0, files))
    files = {f"{chip}/vendor": "0x1d0f\n", f"{chip}/device": "0x7264\n"}
    with pytest.raises(UserError, match="no driver for it .*install aws-neuronx-dkms"):
        find(NOWHERE, machine(tmp_path, 0, files))
