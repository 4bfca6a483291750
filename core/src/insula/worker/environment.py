"""The environment of a worker: the parent's, the API's, its assignment's, and its share of the cores."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insula.descriptors import Assignment

# What numeric libraries read when they are first imported; more threads than cores cost half the speed.
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)
# insula's own folders, which workers look into as well.
_FOLDERS = ("INSULA_HOME", "INSULA_DEVICE_LOCKS")


def worker_environment(base: Mapping[str, str], assignment: Assignment) -> dict[str, str]:
    """Return all variables of one worker; a thread count that is set already is kept."""
    threads = str(max(1, int(assignment.cpu)))
    environment = {**dict.fromkeys(THREADS, threads), **base}
    # Relative folders are the caller's; the worker runs in the project.
    if "PYTHONPATH" in base:
        environment["PYTHONPATH"] = _absolute(base["PYTHONPATH"])
    environment |= {name: str(Path(base[name]).expanduser().absolute()) for name in _FOLDERS if base.get(name)}
    for name, value in assignment.environment.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return environment


def _absolute(folders: str) -> str:
    return os.pathsep.join(str(Path(folder).absolute()) for folder in folders.split(os.pathsep) if folder)
