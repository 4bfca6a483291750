"""Model files, looked at before they are loaded: found, whole, and with their external data."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from insula.errors import UserError
from insula_onnx.protobuf import CutOffError, Data, MalformedError, fields

# Numbers of fields in the messages of onnx.proto3.
_IR_VERSION, _GRAPH, _OPSET = 1, 7, 8  # ModelProto
_INITIALIZER, _INPUT = 5, 11  # GraphProto
_EXTERNAL_DATA = 13  # TensorProto
_KEY, _VALUE = 1, 2  # StringStringEntryProto
_NAME, _TYPE = 1, 2  # ValueInfoProto
_TENSOR, _SHAPE, _DIMENSION = 1, 2, 1  # TypeProto, its tensor_type, TensorShapeProto
_POINTER = b"version https://git-lfs"


class ModelFault(UserError):
    """A model cannot be loaded; the text says why, and neither its name nor its path."""


@attrs.frozen
class ModelFile:
    """A model file that is whole.

    Args:
        path: the file.
        scalars: its inputs that are declared to have no dimension, which ONNX Runtime tells from inputs of any shape
            in no other way; None if that is unknown.
        external: the files beside it that hold weights.
        size: bytes of all of these together.
    """

    path: Path
    scalars: frozenset[str] | None
    external: tuple[Path, ...]
    size: int


def find(path: Path) -> Path:
    """Return the file of a model: the path itself, or the one `*.onnx` somewhere below a folder.

    Raises:
        ModelFault: if there is none, or are several.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise ModelFault("there is no such file or folder")
    found = sorted(file for file in path.rglob("*.onnx") if file.is_file())
    if not found:
        raise ModelFault("the folder holds no *.onnx")
    if len(found) > 1:
        names = ", ".join(str(file.relative_to(path)) for file in found[:5])
        raise ModelFault(f"the folder holds {len(found)} models ({names}): name the one that is meant")
    return found[0]


def inspect(path: Path) -> ModelFile:
    """Look whether a model file is whole.

    Raises:
        ModelFault: if it is empty, cut off, something else than a model, or its external data is missing or cut off.
    """
    with _mapped(path) as data:
        if data[4:8] == b"ORTM":  # ONNX Runtime's own format, which it checks itself
            return ModelFile(path, None, (), len(data))
        graph = _graph(data)
        external = _external(data, graph, path)
        scalars = frozenset(_scalars(data, graph))
        size = len(data) + sum(file.stat().st_size for file in external)
        return ModelFile(path, scalars, external, size)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                raise ModelFault("the file is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield data
    except OSError as error:
        raise ModelFault(f"it cannot be read: {error.strerror or error}") from error


def _graph(data: mmap.mmap) -> tuple[int, int]:
    """Return where the graph starts and stops."""
    found: dict[int, tuple[int, int]] = {}
    try:
        for number, start, stop in fields(data, 0, len(data)):
            found.setdefault(number, (start, stop))
    except CutOffError as error:
        if _IR_VERSION in found:
            short = f"it has {len(data)} bytes and should have {error.end} or more"
            raise ModelFault(f"the file is cut off: {short}; copy or download it again") from error
        raise ModelFault(_no_model(data)) from error
    except MalformedError as error:
        raise ModelFault(_no_model(data)) from error
    if _IR_VERSION not in found:
        raise ModelFault(_no_model(data))
    if _GRAPH not in found or _OPSET not in found:
        raise ModelFault("the file is cut off behind its head, or no model: it has no graph or names no opset")
    return found[_GRAPH]


def _no_model(data: mmap.mmap) -> str:
    if data[: len(_POINTER)] == _POINTER:
        return "the file is a pointer of Git LFS, not the model itself; run `git lfs pull`"
    return f"the file is no ONNX model; it begins with {data[:16]!r}"


def _external(data: mmap.mmap, graph: tuple[int, int], path: Path) -> tuple[Path, ...]:
    """Return the files that hold weights, each long enough for what it should hold."""
    ends: dict[str, int] = {}
    for number, start, stop in _inside(data, graph):
        if number == _INITIALIZER:
            entries = dict(
                _entry(data, (first, last))
                for field, first, last in _inside(data, (start, stop))
                if field == _EXTERNAL_DATA
            )
            if "location" in entries:
                end = int(entries.get("offset", 0)) + int(entries.get("length", 0))
                ends[entries["location"]] = max(end, ends.get(entries["location"], 0))
    return tuple(_checked(path.parent / name, name, end) for name, end in ends.items())


def _checked(file: Path, name: str, end: int) -> Path:
    if not file.is_file():
        raise ModelFault(f"its external data is missing: there is no file {name} beside the model")
    size = file.stat().st_size
    if size < end:
        raise ModelFault(f"its external data is cut off: {name} has {size} bytes and should have {end} or more")
    return file


def _entry(data: mmap.mmap, message: tuple[int, int]) -> tuple[str, str]:
    found = {number: _text(data, start, stop) for number, start, stop in _inside(data, message)}
    return found.get(_KEY, ""), found.get(_VALUE, "")


def _scalars(data: mmap.mmap, graph: tuple[int, int]) -> Iterator[str]:
    for number, start, stop in _inside(data, graph):
        if number == _INPUT:
            about = {field: (first, last) for field, first, last in _inside(data, (start, stop))}
            shape = _descend(data, about.get(_TYPE), _TENSOR, _SHAPE)
            if shape and not any(field == _DIMENSION for field, _, _ in _inside(data, shape)):
                yield _text(data, *about[_NAME])


def _descend(data: mmap.mmap, message: tuple[int, int] | None, *numbers: int) -> tuple[int, int] | None:
    for number in numbers:
        inner = _inside(data, message) if message else ()
        message = next(((start, stop) for field, start, stop in inner if field == number), None)
    return message


def _inside(data: Data, message: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    try:
        yield from fields(data, *message)
    except MalformedError as error:
        raise ModelFault(f"the file is damaged: {error}") from error


def _text(data: mmap.mmap, start: int, stop: int) -> str:
    return data[start:stop].decode(errors="replace")
