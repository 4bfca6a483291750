"""Models of a worker, loaded while the worker checks itself, so that what is wrong with one is said before any batch."""

from __future__ import annotations

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

from insula.descriptors import WorkerContext
from insula.errors import UserError
from insula.model_names import SINGLE
from insula.spec import ModelSpec
from insula_neuron import archive, libraries
from insula_neuron.archive import Archive, ModelFault
from insula_neuron.devices import cores_per_chip
from insula_neuron.model import NeuronModel
from insula_neuron.settings import NeuronSettings, Section


def load_all(context: WorkerContext) -> tuple[dict[str, NeuronModel], list[str]]:
    """Load every model onto the worker's cores; return them by name, and the faults of the others."""
    section = context.api.compute.targets["inf"]
    settings = section.neuron if isinstance(section, Section) else NeuronSettings()
    cores = len(context.assignment.devices) or 1
    try:
        # Before torch.jit.load, which otherwise knows none of the operators in a compiled model.
        library = libraries.load(_cores_per_chip())
    except libraries.LibraryFault as fault:
        return {}, str(fault).splitlines()
    models: dict[str, NeuronModel] = {}
    faults = _unknown(context, settings)
    for spec in context.models:
        try:
            models[spec.name] = _load(Path(context.project, spec.path), spec, library, settings, cores)
        except ModelFault as fault:
            called = "the model" if spec.name == SINGLE else f"model {spec.name}"
            faults.append(f"{called} ({spec.path}): {fault}")
    return models, faults


def _cores_per_chip() -> int | None:
    try:
        return cores_per_chip()
    except UserError:
        return None  # only needed to choose between two libraries, where both are installed


def _unknown(context: WorkerContext, settings: NeuronSettings) -> list[str]:
    names = [spec.name for spec in context.models]
    return [
        f"compute.neuron.batch_sizes: there is no model {name}; the models are {', '.join(names)}"
        for name in settings.batch_sizes
        if name not in names
    ]


def _load(path: Path, spec: ModelSpec, library: ModuleType, settings: NeuronSettings, cores: int) -> NeuronModel:
    found = archive.inspect(archive.find(path))
    if not found.compiled:
        raise ModelFault(
            "it is TorchScript for the CPU: it calls no operator of Neuron; compile it (torch_neuron.trace, "
            "torch_neuronx.trace), or run the API without compute.inf and load it in your constructor"
        )
    if found.cores is not None and found.cores > cores:
        raise ModelFault(
            f"it was compiled for {found.cores} cores, and a worker has {cores}: raise compute.inf or neuron_cores"
        )
    loaded = open_model(spec.name, found)
    loaded.batch_size = _batch_size(spec.name, found, settings)
    return _wrapped(loaded, library, settings, cores)


def open_model(name: str, found: Archive) -> NeuronModel:
    """Load a TorchScript archive with torch, as it is; one for the CPU too.

    Raises:
        ModelFault: if torch, or Neuron's runtime below it, refuses.
    """
    import torch

    load: Any = torch.jit.load
    try:
        with warnings.catch_warnings():
            # Newer releases of torch would rather have another format, which AWS's compilers do not write.
            warnings.simplefilter("ignore", DeprecationWarning)
            module = load(found.path)
    except Exception as error:  # torch raises RuntimeError, ValueError and its own, by release
        raise ModelFault(_reason(error)) from error
    arguments = [argument.name for argument in module.forward.schema.arguments[1:]]
    return NeuronModel(name, module, arguments, found.batch_size)


def _batch_size(name: str, found: Archive, settings: NeuronSettings) -> int | None:
    if settings.dynamic_batch:
        return None
    return settings.batch_sizes.get(name, settings.batch_size or found.batch_size)


def _wrapped(model: NeuronModel, library: ModuleType, settings: NeuronSettings, cores: int) -> NeuronModel:
    """Return a model that takes any batch, or runs on every core, if the settings say so."""
    call, size = model.call, model.batch_size
    # torch_neuron decides this when a model is traced, torch_neuronx wraps what was traced.
    if settings.dynamic_batch and hasattr(library, "dynamic_batch"):
        call = library.dynamic_batch(call)
    if settings.data_parallel:
        call = library.DataParallel(call, device_ids=list(range(cores)))
        if size is not None:
            # The client makes whole batches for each core; the library need not find out how to cut them.
            call.disable_dynamic_batching()
            size *= cores
    return NeuronModel(model.name, call, model.arguments, size)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if "could not be initialized" in text or "cannot be initialized" in text:
        return (
            "Neuron's runtime could not be initialized: is the driver (aws-neuronx-dkms) installed, and are the worker's "
            f"cores there and free of processes that insula did not start (neuron-ls shows them)? It said: {_tail(text)}"
        )
    if "Unknown builtin op: neuron::" in text or "torch.classes.neuron" in text:
        return (
            "it was compiled for the other of AWS's libraries, or a newer release: models of torch_neuron run on Inferentia1, "
            f"those of torch_neuronx on Inferentia2 and Trainium. torch said: {_tail(text)}"
        )
    if "NERR_RESOURCE_NC" in text or "insufficent NCs" in text or "not available" in text:
        return (
            "its worker's cores are too few for it, or in use by a process that insula did not start (neuron-ls shows them); "
            f"the runtime said: {_tail(text)}"
        )
    return f"torch cannot load it: {_tail(text)}"


def _tail(text: str) -> str:
    return text if len(text) <= 300 else f"{text[:300]}…"
