"""The hardware target `abacus`: beads on rows for each worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from insula import hookimpl
from insula.descriptors import Assignment, HardwareTarget, Service
from insula.errors import UserError
from insula.spec import ComputeSpec

BEADS = 12


@attrs.frozen
class Settings:
    """The keys of `compute`: beads for each worker, and in how many rows they are."""

    beads: int = 0
    rows: int = 1


class Abacus:
    """Counts on beads."""

    @hookimpl
    def insula_hardware_target(self) -> HardwareTarget:
        """Describe the target."""
        return HardwareTarget("abacus", keys=("beads", "rows"), settings=Settings)

    @hookimpl
    def insula_assign_devices(self, compute: ComputeSpec, workers: int | None) -> Sequence[Assignment]:
        """Give each worker beads of its own."""
        wanted = compute.targets["abacus"]
        fit = BEADS // wanted.beads
        if (workers or 1) > fit:
            raise UserError(f"compute.beads: {workers} workers of {wanted.beads} beads, and {fit} would fit")
        return [_assignment(worker, wanted) for worker in range(workers or fit)]

    @hookimpl
    def insula_adapt_service(self, service: Service, assignment: Assignment | None) -> Service:
        """Have one for each worker: beads are not shared."""
        if assignment is None:
            return attrs.evolve(service, assignment=0)
        return attrs.evolve(service, environment={"SAYS": f"the one on {assignment.devices[0]}"})

    @hookimpl
    def insula_resources(self, compute: ComputeSpec) -> Mapping[str, float]:
        """Ask an engine for beads."""
        return {"BEADS": compute.targets["abacus"].beads}


def _assignment(worker: int, wanted: Settings) -> Assignment:
    environment = {"ABACUS_BEADS": str(wanted.beads), "ABACUS_ROWS": str(wanted.rows)}
    options = {"multiply": {"on": f"{wanted.beads} beads in {wanted.rows} rows"}}
    return Assignment(worker, environment, devices=(f"abacus:{worker}",), options=options)


plugin = Abacus()
