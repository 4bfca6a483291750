"""The models of a job, brought to this machine before anything starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from insula.errors import ProjectError, StorageError
from insula.loading.models import SINGLE
from insula.spec import ApiSpec, ModelSpec
from insula.spec.api import ModelsSpec
from insula.storage.urls import is_url, local_path


def localise(api: ApiSpec, project: Path, cache: Path) -> ApiSpec:
    """Return the API with every model by name and local path.

    Args:
        project: what relative paths start from.
        cache: the folder in which models are kept that come from a storage.

    Raises:
        ProjectError: naming each model that is missing or cannot be fetched, and its path.
    """
    models = api.predictor.models
    if not models:
        return api
    faults: list[str] = []
    listed: list[ModelSpec] = []
    for model in models.listed:
        try:
            listed.append(attrs.evolve(model, path=str(_bring(model.path, project, cache))))
        except (ProjectError, StorageError) as error:
            faults.append(f"{_name(model)}: {error}")
        except OSError as error:
            faults.append(f"{_name(model)}: it cannot be kept in {cache}: {error.strerror}")
    if models.directory is not None:
        try:
            listed += _in_directory(models, _bring(models.directory, project, cache))
        except (ProjectError, StorageError) as error:
            faults.append(f"models in {models.directory}: {error}")
        except OSError as error:
            faults.append(f"models in {models.directory}: they cannot be kept in {cache}: {error.strerror}")
    if faults:
        raise ProjectError("\n".join(faults))
    found = attrs.evolve(models, listed=tuple(listed), directory=None)
    return attrs.evolve(api, predictor=attrs.evolve(api.predictor, models=found))


def _name(model: ModelSpec) -> str:
    return "predictor: the model's path" if model.name == SINGLE else f"model {model.name}"


def _bring(path: str, project: Path, cache: Path) -> Path:
    if is_url(path):
        from insula.storage.models import fetch

        return fetch(path, cache)
    here = (project / local_path(path)).absolute()
    if not here.exists():
        raise ProjectError(f"{here}: there is no such file or folder")
    return here


def _in_directory(models: ModelsSpec, folder: Path) -> Iterator[ModelSpec]:
    """Yield each entry of a folder that is not hidden as a model: a file by its name without the extension."""
    if not folder.is_dir():
        raise ProjectError(f"{folder} is no folder")
    names: dict[str, Path] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        name = entry.name if entry.is_dir() else entry.stem
        if name in names:
            raise ProjectError(f"{names[name].name} and {entry.name} are both a model named {name}")
        names[name] = entry
        yield ModelSpec(name, str(entry), models.signature_key)
    if not names:
        raise ProjectError(f"{folder} holds no model")
