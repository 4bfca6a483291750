"""The hardware target `cpu`: where workers run when `compute` selects no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from insula.descriptors import Assignment, HardwareTarget
from insula.hardware.cores import available_cores, carried_workers, share
from insula.hookspecs import hookimpl
from insula.records import frozen
from insula.spec import ComputeSpec


@frozen
class CpuSettings:
    """The target's key, for its descriptor alone: the core reads `compute.cpu` itself, as `ComputeSpec.cpu`."""

    cpu: float | None = None


@frozen(eq=False)
class CpuTarget:
    """Workers on the cores of this machine."""

    cores: Callable[[], float] = available_cores

    @hookimpl
    def insula_hardware_target(self) -> HardwareTarget:
        """Describe the target."""
        return HardwareTarget("cpu", keys=("cpu",), settings=CpuSettings, predictors=("*",))

    @hookimpl
    def insula_assign_devices(self, compute: ComputeSpec, workers: int | None) -> Sequence[Assignment]:
        """Give each worker its share of the cores; as many workers as the cores carry, if none are asked for."""
        cores = self.cores()
        count = carried_workers(compute, cores) if workers is None else workers
        return [Assignment(worker, cpu=share(compute, count, cores)) for worker in range(count)]

    @hookimpl
    def insula_resources(self, compute: ComputeSpec) -> Mapping[str, float]:
        """Ask for `compute.cpu` cores a worker, one if it is unset."""
        return {"CPU": compute.cpu or 1.0}


plugin = CpuTarget()
