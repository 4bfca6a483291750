"""`insula check`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from insula.cli.options import asked_options, json_option, project_argument

if TYPE_CHECKING:
    from insula.descriptors import Assignment, Service
    from insula.jobs.checking import Plan
    from insula.plugins import Reference

_SHOWN = 20


@click.command("check", short_help="Say what a project would run, without running it.")
@project_argument
@asked_options
@json_option("Print a JSON object.")
def command(project: Path, json: bool, **asked: Any) -> int:
    """Say what `insula run PROJECT` with the same options would run, and what is wrong with it.

    One worker is started: it imports the predictor and looks at the models. No batch is run and no job is made. The
    exit code is 0 if nothing is wrong, 2 if something is.
    """
    from insula.cli.codes import REFUSED, SUCCEEDED
    from insula.cli.options import make_request
    from insula.cli.output import complain, write, write_json
    from insula.cli.table import facts
    from insula.jobs.checking import faults_of
    from insula.jobs.store import home

    plan, faults = faults_of(make_request(project, asked), home())
    if json:
        write_json({**(_plain(plan) if plan else {}), "faults": list(faults)})
    elif plan is not None:
        write(facts(list(_lines(plan))))
    for fault in faults:
        complain(fault)
    return REFUSED if faults else SUCCEEDED


def _lines(plan: Plan) -> Iterator[tuple[str, str]]:
    from insula.cli.wording import count, size

    yield "project", str(plan.project)
    yield "api", plan.api_name
    if plan.class_name is not None:
        yield "predictor", f"{plan.class_name} in {plan.class_file}"
    yield from _listed("plugins", [_plugin(reference) for reference in plan.plugins])
    yield from _listed("models", [f"{one.name}: {one.path} ({size(one.size)})" for one in plan.models])
    yield "files", f"{count(len(plan.files), 'file')}, {size(plan.size)}"
    yield from _listed("", _shortened(plan.files))
    yield from _listed("ignored", plan.ignored)
    yield "workers", f"{len(plan.assignments):,}"
    yield from _listed("", _shortened([_assignment(one) for one in plan.assignments]))
    yield from _listed("services", _shortened([_service(one) for one in plan.services]))
    yield "input", plan.source or "none yet: give --input, or write a job.json"
    yield "results", plan.output or "in the job's folder"


def _listed(name: str, values: Sequence[str]) -> Iterator[tuple[str, str]]:
    for place, value in enumerate(values):
        yield "" if place else name, value


def _shortened(values: Sequence[str]) -> list[str]:
    more = len(values) - _SHOWN
    return [*values[:_SHOWN], *([f"… and {more:,} more"] if more > 0 else [])]


def _plugin(reference: Reference) -> str:
    from insula.plugins.reference import ROLES

    role = ROLES[reference.group].noun
    return f"{role} {reference.name} from {reference.distribution} {reference.version}"


def _assignment(one: Assignment) -> str:
    cores = f"{one.cpu:g} {'core' if one.cpu == 1 else 'cores'}"
    return f"worker {one.worker}: {', '.join((cores, *one.devices))}"


def _service(one: Service) -> str:
    return one.name if one.assignment is None else f"{one.name} for worker {one.assignment}"


def _plain(plan: Plan) -> dict[str, Any]:
    return {
        "project": str(plan.project),
        "api_name": plan.api_name,
        "class": plan.class_name,
        "path": plan.class_file,
        "plugins": [
            {"group": one.group, "name": one.name, "distribution": one.distribution, "version": one.version}
            for one in plan.plugins
        ],
        "files": list(plan.files),
        "bytes": plan.size,
        "ignored": list(plan.ignored),
        "models": [{"name": one.name, "path": one.path, "bytes": one.size} for one in plan.models],
        "workers": len(plan.assignments),
        "assignments": [
            {
                "worker": one.worker,
                "cpu": one.cpu,
                "devices": list(one.devices),
                "environment": dict(one.environment),
            }
            for one in plan.assignments
        ],
        "services": [{"name": one.name, "worker": one.assignment} for one in plan.services],
        "source": plan.source,
        "output": plan.output,
    }
