"""The hardware target `gpu`: whole GPUs for each worker, shown to it by `CUDA_VISIBLE_DEVICES`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from insula.descriptors import Assignment, HardwareTarget
from insula.errors import UserError
from insula.hardware.cores import available_cores, carried_workers, share
from insula.hardware.devices import VARIABLE, visible_gpus
from insula.hardware.locks import in_use, told
from insula.hookspecs import hookimpl
from insula.records import frozen
from insula.spec import ComputeSpec


def _not_negative(_: object, __: object, value: int) -> None:
    if value < 0:
        raise ValueError(f"must be 0 or more GPUs a worker, not {value}")


@frozen
class GpuSettings:
    """The keys of the target: `gpu` is the number of GPUs a worker."""

    gpu: int = attrs.field(default=0, validator=_not_negative)


@frozen(eq=False)
class GpuTarget:
    """Workers on the GPUs of this machine, each with GPUs of its own."""

    gpus: Callable[[], Sequence[str]] = visible_gpus
    cores: Callable[[], float] = available_cores
    in_use: Callable[[Iterable[str]], Mapping[str, str]] = in_use

    @hookimpl
    def insula_hardware_target(self) -> HardwareTarget:
        """Describe the target."""
        return HardwareTarget("gpu", keys=("gpu",), settings=GpuSettings)

    @hookimpl
    def insula_assign_devices(self, compute: ComputeSpec, workers: int | None) -> Sequence[Assignment] | None:
        """Give each worker its GPUs; as many workers as the GPUs carry (and the cores, if `compute.cpu` is set)."""
        each = _each(compute)
        if not each:
            return None
        gpus, cores = self._free(each, workers), self.cores()
        fit = len(gpus) // each
        carried = fit if compute.cpu is None else min(fit, carried_workers(compute, cores))
        count = carried if workers is None else workers
        return [
            _assignment(worker, gpus[worker * each : (worker + 1) * each], share(compute, count, cores))
            for worker in range(count)
        ]

    def _free(self, each: int, workers: int | None) -> Sequence[str]:
        """Return the GPUs that no other job has."""
        gpus = self.gpus()
        _check(each, workers, len(gpus), len(gpus) // each)
        used = self.in_use(map(_device, gpus))
        free = [gpu for gpu in gpus if _device(gpu) not in used]
        _check_free(each, workers, len(free), len(free) // each, used)
        return free

    @hookimpl
    def insula_resources(self, compute: ComputeSpec) -> Mapping[str, float] | None:
        """Ask for the GPUs of a worker and its cores, one if `compute.cpu` is unset."""
        each = _each(compute)
        return {"GPU": each, "CPU": compute.cpu or 1.0} if each else None


def _each(compute: ComputeSpec) -> int:
    settings = compute.targets.get("gpu")
    return settings.gpu if isinstance(settings, GpuSettings) else 0


def _check(each: int, workers: int | None, there: int, fit: int) -> None:
    if there == 0:
        raise UserError(f"compute.gpu: {each} a worker, but this process sees no GPU ({VARIABLE}, nvidia-smi, /dev)")
    needed = each * (workers or 1)
    if needed > there:
        asked = f"{_count(workers or 1, 'worker')} of {_count(each, 'GPU')} each need {needed}"
        raise UserError(f"compute.gpu: {asked}, and this process sees {there}: {_count(fit, 'worker')} would fit")


def _check_free(each: int, workers: int | None, free: int, fit: int, used: Mapping[str, str]) -> None:
    needed = each * (workers or 1)
    if needed > free:
        asked = f"{_count(workers or 1, 'worker')} of {_count(each, 'GPU')} each need {needed}"
        raise UserError(
            f"compute.gpu: {asked}, and {free} of those this process sees {'is' if free == 1 else 'are'} free: "
            f"{_count(fit, 'worker')} would fit; {told(used)}"
        )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _assignment(worker: int, gpus: Sequence[str], cpu: float) -> Assignment:
    return Assignment(worker, environment={VARIABLE: ",".join(gpus)}, devices=tuple(map(_device, gpus)), cpu=cpu)


def _device(gpu: str) -> str:
    return f"cuda:{gpu}"


plugin = GpuTarget()
