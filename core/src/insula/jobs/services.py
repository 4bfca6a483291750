"""The services of a job: named by the predictor type, adapted by the hardware target, checked by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from insula.descriptors import Assignment, Service, ServicesContext
from insula.errors import PluginError
from insula.hooks import Hooks

# It is part of the names of files, where the number of a worker follows it behind a dot.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


def name_services(hooks: Hooks, context: ServicesContext, assignments: Sequence[Assignment]) -> tuple[Service, ...]:
    """Ask the plugins which services the job has; nothing is started.

    Raises:
        UserError: if a plugin knows that one cannot be started here.
        PluginError: if what a plugin names cannot be a service.
    """
    named = hooks.services(context, assignments)
    services = tuple(one for service in named for one in _adapted(hooks, service, assignments))
    for service in services:
        if (fault := _fault(service, services)) is not None:
            raise PluginError(f"{hooks.asked('insula_services')} named a service {service.name!r}, {fault}")
    return services


def _adapted(hooks: Hooks, service: Service, assignments: Sequence[Assignment]) -> Iterator[Service]:
    _check_assignment(hooks, service, assignments)
    if service.assignment is None:
        service = hooks.adapt_service(service, None)
        if service.assignment is None:
            yield service
        else:
            for number, assignment in enumerate(assignments):
                yield _kept(hooks, attrs.evolve(service, assignment=number), assignment)
    else:
        yield _kept(hooks, service, assignments[service.assignment])


def _kept(hooks: Hooks, service: Service, assignment: Assignment) -> Service:
    """Return the service of one worker as it is adapted; whose it is stays as it was."""
    return attrs.evolve(hooks.adapt_service(service, assignment), assignment=service.assignment)


def _check_assignment(hooks: Hooks, service: Service, assignments: Sequence[Assignment]) -> None:
    if service.assignment is not None and service.assignment not in range(len(assignments)):
        raise PluginError(
            f"{hooks.asked('insula_services')} named a service {service.name!r} for worker {service.assignment}, "
            f"and there are {len(assignments)}"
        )


def _fault(service: Service, services: Sequence[Service]) -> str | None:
    if not _NAME.fullmatch(service.name):
        return "which may hold only letters, digits, _ and -"
    if not service.argv:
        return "which has no command"
    if any("/" in name or name in ("", ".", "..") for name in service.files):
        return f"whose files are {', '.join(service.files)}: names, without folders"
    same = [one for one in services if one.name == service.name]
    if len({one.assignment for one in same}) < len(same) or (
        len(same) > 1 and None in {one.assignment for one in same}
    ):
        return "and another of that name for the same worker"
    return None
