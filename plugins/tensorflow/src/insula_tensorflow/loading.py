"""Models of a worker, brought up while the worker checks itself, so that what is wrong with one is said before any batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from insula.descriptors import WorkerContext
from insula.errors import UserError
from insula.spec import ModelSpec
from insula_tensorflow import directories
from insula_tensorflow.backend import Backend
from insula_tensorflow.directories import ModelFault
from insula_tensorflow.model import TensorFlowModel
from insula_tensorflow.modes import misfits
from insula_tensorflow.naming import SERVICE, called
from insula_tensorflow.settings import RemoteModel, Section, ServingSettings
from insula_tensorflow.signature import choose

# Seconds to wait for a server's models without a startup_timeout: one elsewhere should run already, and its address may
# be wrong; one of the job has to load them first.
_WAIT_ELSEWHERE, _WAIT_OWN = 120.0, 600.0
# So that the worker can still say what it waited for.
_BEFORE_TIMEOUT = 0.9


def load_all(context: WorkerContext) -> tuple[list[TensorFlowModel], list[str]]:
    """Bring up every model; return them, and the faults of the others."""
    section: Section = context.api.predictor.settings
    faults = misfits(section, context.models, context.api.compute)
    if faults:
        return [], faults
    serving = section.serving
    if serving is None:
        return _collect(_in_process(context, section))
    if serving.hosts:
        address = serving.hosts[context.assignment.worker % len(serving.hosts)]
        return _collect(_on_server(context, serving, address, serving.remote_models))
    address = context.services.get(SERVICE, "")
    if not address:  # nothing is started where a project is only checked
        return _collect(_looked_at(context))
    models = tuple(RemoteModel(model.name, model.signature_key) for model in context.models)
    return _collect(_on_server(context, serving, address, models))


Found = TensorFlowModel | str | None


def _collect(found: Iterator[Found]) -> tuple[list[TensorFlowModel], list[str]]:
    every = list(found)
    return [one for one in every if isinstance(one, TensorFlowModel)], [one for one in every if isinstance(one, str)]


def _in_process(context: WorkerContext, section: Section) -> Iterator[Found]:
    try:
        from insula_tensorflow.embedded import import_operations, load
    except ImportError as error:
        yield _not_installed(error)
        return
    settings = section.tensorflow
    intra = settings.intra_op_threads or max(1, int(context.assignment.cpu))
    inter = settings.inter_op_threads or intra
    try:
        import_operations(settings.imports)
    except ModelFault as fault:
        yield str(fault)
        return
    for spec in context.models:
        try:
            path = directories.find(Path(context.project, spec.path)).path
            gpu = "gpu" in context.api.compute.targets
            backend = load(path, intra_op_threads=intra, inter_op_threads=inter, gpu=gpu)
            yield _model(spec.name, backend, spec.signature_key)
        except UserError as fault:
            yield _told(spec, fault)


def _on_server(
    context: WorkerContext, serving: ServingSettings, address: str, models: tuple[RemoteModel, ...]
) -> Iterator[Found]:
    from insula_tensorflow.remote import connect

    limit = context.job_spec.get("startup_timeout")
    longest = _WAIT_ELSEWHERE if serving.hosts else _WAIT_OWN
    deadline = time.monotonic() + (longest if limit is None else limit * _BEFORE_TIMEOUT)
    for model in models:
        try:
            backend = connect(address, model, serving, deadline, project=context.project)
            yield _model(model.name, backend, model.signature_key, f" at {address}")
        except UserError as fault:
            yield str(fault)


def _looked_at(context: WorkerContext) -> Iterator[Found]:
    for spec in context.models:
        try:
            directories.find(Path(context.project, spec.path))
        except ModelFault as fault:
            yield _told(spec, fault)


def _model(name: str, backend: Backend, key: str | None, at: str = "") -> TensorFlowModel:
    of = f"{called(name)}{at}" if at else ""
    signature = choose(backend.signatures, key, of)
    if signature.unholdable:
        named = ", ".join(signature.unholdable)
        raise ModelFault(
            f"{of}{': ' if of else ''}numpy cannot hold {named} of its signature {signature.key}: sparse and ragged tensors, "
            "resources and quantised numbers must be converted inside the model"
        )
    return TensorFlowModel(name, backend, signature)


def _told(spec: ModelSpec, fault: UserError) -> str:
    return f"{called(spec.name)} ({spec.path}): {fault}"


def _not_installed(error: ImportError) -> str:
    install = 'pip install "insula-tensorflow[embedded]"'
    if isinstance(error, ModuleNotFoundError) and error.name == "tensorflow":
        return f"TensorFlow is not installed: {install}, or name a server with tensorflow_serving"
    return f"TensorFlow cannot be imported ({error}); {install}"
