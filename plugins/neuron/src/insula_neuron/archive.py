"""TorchScript archives, looked into without torch: is one compiled for Neuron, and for what batch?"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

ENDINGS = (".pt", ".pth", ".jit", ".ts")
# Written beside the model by torch.jit.save(…, _extra_files={"neuron.json": …}).
EXTRA = "neuron.json"
_MARKS = (b"ops.neuron.", b"torch.classes.neuron.")
_POINTER = b"version https://git-lfs.github.com/spec/"
# What zipfile raises where a zip is cut off, damaged, encrypted or packed in a way that it does not know.
_DAMAGED = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error)


class ModelFault(Exception):
    """What is wrong with one model."""


@attrs.frozen
class Archive:
    """A TorchScript archive.

    Args:
        path: the file.
        compiled: whether it calls operators of Neuron.
        batch_size: the rows that it was compiled for, None if it does not say.
        cores: the cores that it was compiled for, None if it does not say.
    """

    path: Path
    compiled: bool
    batch_size: int | None = None
    cores: int | None = None


def find(path: Path) -> Path:
    """Return the model file that a path means: the file, or the only one in a folder.

    Raises:
        ModelFault: if there is none, or more than one.
    """
    if not path.is_dir():
        return path
    found = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS)
    if len(found) != 1:
        names = ", ".join(str(file.relative_to(path)) for file in found) or "none"
        raise ModelFault(
            f"a folder must hold one model file ({', '.join(f'*{end}' for end in ENDINGS)}); here: {names}"
        )
    return found[0]


def inspect(path: Path) -> Archive:
    """Look into an archive.

    Raises:
        ModelFault: if it is none.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            return _inspect(path, opened)
    except FileNotFoundError as error:
        raise ModelFault("there is no such file or folder") from error
    except OSError as error:
        raise ModelFault(f"it cannot be read: {error.strerror or error}") from error
    except _DAMAGED as error:
        raise ModelFault(_no_archive(path)) from error


def _inspect(path: Path, opened: zipfile.ZipFile) -> Archive:
    names = opened.namelist()
    code = [name for name in names if "/code/" in name and name.endswith(".py")]
    if not code:
        what = "it was written by torch.save, not by torch.jit.save" if _has(names, "data.pkl") else "it is a zip file"
        raise ModelFault(f"{what}: compile the model (torch_neuron.trace, torch_neuronx.trace) and torch.jit.save it")
    compiled = any(mark in opened.read(name) for name in code for mark in _MARKS)
    extra = next((name for name in names if name.endswith(f"/extra/{EXTRA}")), None)
    said = _said(opened.read(extra)) if extra is not None else {}
    return Archive(path, compiled, _number(said, "batch_size"), _number(said, "cores"))


def _has(names: Iterable[str], ending: str) -> bool:
    return any(name.endswith(f"/{ending}") for name in names)


def _said(text: bytes) -> dict[str, Any]:
    try:
        said = json.loads(text)
    except ValueError as error:
        raise ModelFault(f"its {EXTRA} is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise ModelFault(f'its {EXTRA} must be an object such as {{"batch_size": 4}}')
    return said


def _number(said: dict[str, Any], key: str) -> int | None:
    value = said.get(key)
    if value is not None and (type(value) is not int or value < 1):
        raise ModelFault(f"its {EXTRA} has {key} {value!r}, which must be a number from 1 on")
    return value


def _no_archive(path: Path) -> str:
    with open(path, "rb") as file:
        head = file.read(len(_POINTER))
    if not head:
        return "the file is empty"
    if head == _POINTER:
        return "the file is a pointer of Git LFS, not the model itself; run git lfs pull"
    if head.startswith(b"PK"):
        return "the file is cut off or damaged; copy or download it again"
    return f"the file is no TorchScript archive; it begins with {head[:16]!r}"
