"""The server that a job starts for its workers: insula's own, or TensorFlow Serving."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import attrs

from insula.descriptors import Service, ServicesContext
from insula.errors import UserError
from insula_tensorflow import directories
from insula_tensorflow.directories import ModelFault, ServedModel
from insula_tensorflow.modes import misfits
from insula_tensorflow.naming import SERVICE, called
from insula_tensorflow.settings import Section


def services(context: ServicesContext) -> list[Service]:
    """Return the server of a job; none if its models are in the workers or on a server elsewhere.

    Raises:
        UserError: if a model is not there, or what the user wrote does not go together.
    """
    section: Section = context.api.predictor.settings
    serving = section.serving
    if serving is None or serving.hosts:
        return []
    faults = misfits(section, context.models, context.api.compute)
    models, missing = _models(context)
    if faults or missing:
        raise UserError("\n".join([*faults, *missing]))
    if serving.server is None:
        return [_embedded(context, section, models)]
    from insula_tensorflow.model_server import service

    return [service(context, models)]


def _models(context: ServicesContext) -> tuple[list[ServedModel], list[str]]:
    models, faults = [], []
    for spec in context.models:
        try:
            found = directories.find(Path(context.project, spec.path))
            models.append(ServedModel(spec.name, found.path, found.version))
        except ModelFault as fault:
            faults.append(f"{called(spec.name)} ({spec.path}): {fault}")
    return models, faults


def _embedded(context: ServicesContext, section: Section, models: list[ServedModel]) -> Service:
    settings, batching = section.tensorflow, section.server_side_batching
    file: dict[str, Any] = {
        "models": [{"name": model.name, "path": str(model.path)} for model in models],
        "batching": None if batching is None else attrs.asdict(batching),
        "intra_op_threads": settings.intra_op_threads or context.cores,
        "inter_op_threads": settings.inter_op_threads or context.cores,
        "gpu": "gpu" in context.api.compute.targets,
        "imports": list(settings.imports),
        "python_path": _python_path(context),
    }
    command = (sys.executable, "-m", "insula_tensorflow.server", "--port", "{port}")
    return Service(
        SERVICE,
        (*command, "--models-file", "{folder}/models.json"),
        files={"models.json": json.dumps(file, indent=2)},
    )


def _python_path(context: ServicesContext) -> list[str]:
    """Return where a worker looks for modules of the project, so that the server finds them too."""
    own = context.api.predictor.python_path
    return [*([str(Path(context.project, own))] if own else []), str(context.project)]
