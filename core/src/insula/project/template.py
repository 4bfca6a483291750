"""A new project, copied from the template of a predictor type."""

from __future__ import annotations

import shutil
from pathlib import Path

from insula import plugins
from insula.errors import PluginError, ProjectError


def copy_template(name: str, folder: Path) -> list[Path]:
    """Copy the template of a predictor type into a folder; return the files that were made, relative to it.

    Raises:
        PluginError: if the type is not installed or has no template.
        ProjectError: if a file of the template is there already, or cannot be written.
    """
    files = _files(_template(name))
    taken = sorted(str(path) for path in files if (folder / path).exists())
    if taken:
        raise ProjectError(f"{folder}: {', '.join(taken)} is there already; choose an empty folder")
    try:
        for path, origin in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, folder / path)
    except OSError as error:
        raise ProjectError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    return list(files)


def _template(name: str) -> Path:
    reference = plugins.find("insula.predictors", name)
    template = plugins.predictor_type(reference, plugins.load(reference)).template
    if template is None or not template.is_dir():
        raise PluginError(f"{reference} has no template to begin a project with")
    return template


def _files(template: Path) -> dict[Path, Path]:
    found = (path for path in sorted(template.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(template): path for path in found}
