"""The user's predictor class: imported from her file, and called as she wrote it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from insula.errors import ProjectError
from insula.worker.tracebacks import describe

# What a worker imports only when it needs it: a project's own file of such a name must not be taken for it then.
_NEEDED_LATER = ("ctypes", "decimal", "difflib", "hashlib", "uuid")


def import_class(project: Path, path: str, class_name: str) -> type:
    """Import a class from a file of the project.

    Raises:
        ProjectError: if the file cannot be imported (with the user's traceback) or has no such class.
    """
    file = project / path
    if not file.is_file():
        raise ProjectError(f"predictor.path: there is no file {path} in {project}")
    try:
        module = _import_file(file)
    except KeyboardInterrupt:
        raise  # it says nothing of the file
    except BaseException as error:
        failure = describe(error)
        cause = failure.traceback.rstrip() or f"{failure.type}: {failure.message}"
        raise ProjectError(f"{path} cannot be imported:\n{cause}{_missing(error)}") from error
    found = getattr(module, class_name, None)
    if not isinstance(found, type):
        classes = [name for name, value in vars(module).items() if isinstance(value, type)]
        what = "is no class" if found is not None else "is missing"
        raise ProjectError(f"{path}: {class_name} {what}; classes there: {', '.join(classes) or 'none'}")
    return found


def _missing(error: BaseException) -> str:
    """Return where a module that is not there was looked for: which interpreter runs workers is not plain to see."""
    if not isinstance(error, ModuleNotFoundError):
        return ""
    return f"\n{error.name} is neither a module of the project nor installed for {sys.executable}"


def _import_file(file: Path) -> ModuleType:
    name = file.stem
    # By its plain name, so that pickles of its classes and imports from its neighbours find the same module.
    if name in sys.modules or not name.isidentifier():
        name = f"insula_project_{name}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ImportError(f"{file.name} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def extend_path(project: Path, python_path: str | None) -> None:
    """Put `python_path`, then the project, first on `sys.path`."""
    wanted = [os.path.normpath(project / python_path)] if python_path else []
    wanted.append(str(project))
    if any(_names(folder) & sys.stdlib_module_names for folder in wanted):
        for name in _NEEDED_LATER:
            importlib.import_module(name)
    sys.path[:] = wanted + [path for path in sys.path if path not in wanted]


def _names(folder: str) -> set[str]:
    """Return what could be imported from a folder."""
    return {entry.partition(".")[0] for entry in os.listdir(folder)} if Path(folder).is_dir() else set()
