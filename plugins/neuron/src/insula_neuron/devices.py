"""Which Neuron chips this machine has, and which of their cores this process may use."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import attrs

from insula.errors import UserError
from insula_neuron.libraries import installed

CHIPS = "INSULA_NEURON_CHIPS"
CORES_PER_CHIP = "INSULA_NEURON_CORES_PER_CHIP"
VISIBLE = "NEURON_RT_VISIBLE_CORES"
_SECONDS = 30
_SYSFS = "sys/devices/virtual/neuron_device"
_AMAZON = "0x1d0f"
# Inferentia1 (four ids), Trainium1, Inferentia2, Trainium2 on the PCI bus.
_PCI = ("0x7064", "0x7065", "0x7066", "0x7067", "0x7164", "0x7264", "0x7364")


@attrs.frozen
class Devices:
    """What there is.

    Args:
        chips: their number.
        cores_per_chip: 4 on Inferentia1, 2 on Inferentia2 and Trainium1.
        cores: the numbers of those cores that this process may use, ascending.
    """

    chips: int
    cores_per_chip: int
    cores: tuple[int, ...]

    def chip(self, number: int) -> range:
        """Return the cores of a chip."""
        return range(number * self.cores_per_chip, (number + 1) * self.cores_per_chip)

    @property
    def restricted(self) -> bool:
        """Whether this process may use some of the cores only."""
        return len(self.cores) < self.chips * self.cores_per_chip

    @property
    def whole_chips(self) -> tuple[int, ...]:
        """The chips of which this process may use every core."""
        return tuple(number for number in range(self.chips) if set(self.chip(number)) <= set(self.cores))


def find(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> Devices:
    """Return the chips and cores that this process may use.

    Args:
        environment: `INSULA_NEURON_CHIPS` and `INSULA_NEURON_CORES_PER_CHIP` decide where they are set.
        root: where `dev` and `sys` are.

    Raises:
        UserError: if there is none, saying whether the driver or the device is missing.
    """
    stated = _stated(environment, CHIPS)
    chips = len(_nodes(root)) if stated is None else stated
    if not chips:
        raise UserError(_nothing(root, stated is not None))
    each = cores_per_chip(environment, root)
    cores = range(chips * each)
    return Devices(chips, each, tuple(sorted(_visible(environment, cores))))


def cores_per_chip(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> int:
    """Return how many cores a chip has: as stated, as the driver, `neuron-ls` or the installed library has it.

    Raises:
        UserError: if nothing says so.
    """
    found = (
        _stated(environment, CORES_PER_CHIP)
        or _from_driver(root)
        or _from_tool(environment)
        or _from_library(installed())
    )
    if not found:
        raise UserError(
            "nothing here says how many cores a Neuron chip has (the driver's core_count, neuron-ls, torch_neuron or "
            f"torch_neuronx): set {CORES_PER_CHIP} to 4 for Inferentia1, to 2 for Inferentia2 or Trainium1"
        )
    return found


def _stated(environment: Mapping[str, str], variable: str) -> int | None:
    text = environment.get(variable, "").strip()
    if not text:
        return None
    if not text.isdecimal():
        raise UserError(f"{variable} must be a number, not {text!r}")
    return int(text)


def _nodes(root: Path) -> list[Path]:
    return [node for node in (root / "dev").glob("neuron[0-9]*") if node.name[len("neuron") :].isdecimal()]


def _nothing(root: Path, stated: bool) -> str:
    if stated:
        return f"{CHIPS} is 0: there is no Neuron device to run on"
    if any(map(_is_chip, (root / "sys/bus/pci/devices").glob("*"))):
        return (
            "there is a Neuron chip on the PCI bus, but no driver for it (no /dev/neuron0): install aws-neuronx-dkms; "
            "in a container, pass the devices in (docker run --device=/dev/neuron0)"
        )
    return (
        "there is no Neuron device (/dev/neuron0): run on an Inf1, Inf2 or Trn1 instance, in a container with "
        f"--device=/dev/neuron0; where devices cannot be seen, {CHIPS} states how many there are"
    )


def _is_chip(device: Path) -> bool:
    return _read(device / "vendor") == _AMAZON and _read(device / "device") in _PCI


def _from_driver(root: Path) -> int:
    for device in sorted((root / _SYSFS).glob("neuron[0-9]*")):
        text = _read(device / "core_count")
        return int(text) if text.isdecimal() else len(list(device.glob("neuron_core[0-9]*")))
    return 0


def _from_tool(environment: Mapping[str, str]) -> int:
    path = os.pathsep.join([environment.get("PATH", ""), "/opt/aws/neuron/bin"])
    tool = shutil.which("neuron-ls", path=path)
    if tool is None:
        return 0
    try:
        answer = subprocess.run([tool, "--json-output"], capture_output=True, timeout=_SECONDS, check=True)
        return int(json.loads(answer.stdout)[0]["nc_count"])
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        # A tool of another release, or one without its driver, says nothing; the next one is asked.
        return 0


def _from_library(names: tuple[str, ...]) -> int:
    # With both installed, either may be the one in use.
    if len(names) != 1:
        return 0
    return 4 if names == ("torch_neuron",) else 2


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""


# ------------------------------------------------------------------------------------------------ visible cores


def _visible(environment: Mapping[str, str], cores: range) -> set[int]:
    text = environment.get(VISIBLE, "").strip()
    return {core for core in cores if any(core in run for run in _runs(text))} if text else set(cores)


def _runs(text: str) -> list[range]:
    """Return the cores that `NEURON_RT_VISIBLE_CORES` names: `0-3`, `2`, `0,1,4-5`."""
    found: list[range] = []
    for part in text.split(","):
        first, _, last = (one.strip() for one in part.partition("-"))
        if not first.isdecimal() or not (last or first).isdecimal() or int(last or first) < int(first):
            raise UserError(f"{VISIBLE} must name cores such as 0-3 or 2, not {text!r}")
        found.append(range(int(first), int(last or first) + 1))
    return found
