"""Cores of the chips for each worker, as contiguous ascending ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from insula.descriptors import Assignment
from insula.errors import UserError
from insula.hardware.cores import carried_workers, share
from insula.hardware.locks import told
from insula.spec import ComputeSpec
from insula_neuron.devices import VISIBLE, Devices
from insula_neuron.settings import DEAD, Section

# It contradicts the range where the numbers differ, and says nothing where they agree.
_REPLACED = "NEURON_RT_NUM_CORES"

InUse = Callable[[Iterable[str]], Mapping[str, str]]


@attrs.frozen
class Wanted:
    """What each worker gets: so many chips or cores."""

    key: str
    each: int

    @property
    def noun(self) -> str:
        """What is counted."""
        return "chip" if self.key == "inf" else "core"


def wanted(compute: ComputeSpec) -> Wanted | None:
    """Return what `compute` asks for, None if that is nothing of Neuron.

    Raises:
        UserError: if it says how to run models, and not on what.
    """
    section = compute.targets.get("inf")
    if not isinstance(section, Section):
        return None
    if section.inf:
        return Wanted("inf", section.inf)
    if section.neuron_cores:
        return Wanted("neuron_cores", section.neuron_cores)
    raise UserError("compute.neuron says how models run, not where: give compute.inf or compute.neuron_cores too")


def device(core: int) -> str:
    """Return the name of a core as a device, whichever key asked for it."""
    return f"neuron:{core}"


def assign(
    compute: ComputeSpec, asked: Wanted, workers: int | None, devices: Devices, cores: float, in_use: InUse
) -> list[Assignment]:
    """Return one assignment a worker, of cores that nobody uses; as many as fit if `workers` is None.

    Args:
        cores: of the host, of which each worker gets a share.
        in_use: says which devices others use.

    Raises:
        UserError: if there are not enough, saying how many there are and how many workers would fit.
    """
    used = in_use(map(device, devices.cores))
    there = devices.whole_chips if asked.noun == "chip" else devices.cores
    free = [one for one in there if not any(device(core) in used for core in _cores(asked, one, devices))]
    ranges = list(runs(free, asked.each))
    carried = len(ranges) if compute.cpu is None else min(len(ranges), carried_workers(compute, cores))
    count = carried if workers is None else workers
    if not ranges or count > len(ranges):
        raise UserError(_too_few(asked, workers, len(there), len(free), len(ranges), devices) + _why(used))
    return [
        _assignment(worker, [core for one in run for core in _cores(asked, one, devices)], share(compute, count, cores))
        for worker, run in enumerate(ranges[:count])
    ]


def runs(numbers: Sequence[int], length: int) -> Iterable[list[int]]:
    """Yield runs of consecutive numbers, each so long, cut from ascending numbers; what is left over is left out."""
    run: list[int] = []
    for number in numbers:
        run = [*run, number] if run and number == run[-1] + 1 else [number]
        if len(run) == length:
            yield run
            run = []


def _cores(asked: Wanted, one: int, devices: Devices) -> Sequence[int]:
    return devices.chip(one) if asked.noun == "chip" else (one,)


def _assignment(worker: int, cores: Sequence[int], cpu: float) -> Assignment:
    visible = str(cores[0]) if len(cores) == 1 else f"{cores[0]}-{cores[-1]}"
    environment = {VISIBLE: visible, **dict.fromkeys((_REPLACED, *DEAD))}
    return Assignment(worker, environment=environment, devices=tuple(map(device, cores)), cpu=cpu)


def _too_few(asked: Wanted, workers: int | None, there: int, free: int, fit: int, devices: Devices) -> str:
    count = workers or 1
    needed = f"{_count(count, 'worker')} of {_count(asked.each, asked.noun)} each need {count * asked.each}"
    each = f" ({_count(devices.cores_per_chip, 'core')} each)" if asked.noun == "chip" else ""
    what = f"there {'is' if there == 1 else 'are'} {_count(there, asked.noun)}{each}"
    if free < there:
        what += f", of which {free} {'is' if free == 1 else 'are'} free"
    told = f"compute.{asked.key}: {needed}, and {what}: {_count(fit, 'worker')} would fit"
    if devices.restricted:
        told += (
            f"; {VISIBLE} leaves this process {len(devices.cores)} of {devices.chips * devices.cores_per_chip} cores"
        )
    return told


def _why(used: Mapping[str, str]) -> str:
    return f"; {told(used)}" if used else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
