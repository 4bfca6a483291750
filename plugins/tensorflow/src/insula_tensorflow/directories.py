"""Where a SavedModel is: itself, the highest of numbered versions, or in a zip."""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import attrs

from insula.errors import UserError
from insula.jobs.store import home

FILES = ("saved_model.pb", "saved_model.pbtxt")
_POINTER = b"version https://git-lfs"
# What zipfile raises where a zip is cut off, damaged, encrypted or packed in a way that it does not know.
_DAMAGED = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError)
_KERAS = (".keras", ".h5", ".hdf5")


class ModelFault(UserError):
    """A model cannot be loaded; the text says why, and neither its name nor its path."""


@attrs.frozen
class SavedModel:
    """The folder that holds a `saved_model.pb`, and its number if it is one of numbered versions."""

    path: Path
    version: int | None = None


@attrs.frozen
class ServedModel:
    """A model as a server is told of it: its name, its folder, its version."""

    name: str
    path: Path
    version: int | None = None


def find(path: Path) -> SavedModel:
    """Return the SavedModel of a path: of a folder, of the highest of its numbered versions, of a zip of either.

    A zip is unpacked below `INSULA_HOME` once.

    Raises:
        ModelFault: if there is none, or it is not clear which is meant.
    """
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise ModelFault("there is no such file or folder")
    if path.name in FILES:
        return _whole(path.parent)
    # A file of Keras is a zip as well.
    if path.suffix not in _KERAS and zipfile.is_zipfile(path):
        return _in_folder(_unpacked(path))
    raise ModelFault(_not_a_model(path))


def _in_folder(folder: Path) -> SavedModel:
    if _is_model(folder):
        return _whole(folder)
    versions = sorted((int(one.name), one) for one in _folders(folder) if one.name.isdecimal())
    if versions:
        number, newest = versions[-1]
        if not _is_model(newest):
            raise ModelFault(f"its version {newest.name} holds no {FILES[0]}")
        return _whole(newest, number)
    below = _folders(folder)
    if len(below) == 1:  # a zip of a folder, say
        return _in_folder(below[0])
    if any((folder / name).exists() for name in ("keras_metadata.pb", "fingerprint.pb", "variables")):
        raise ModelFault(f"the folder is a SavedModel without its {FILES[0]}; copy or download it again")
    named = f" (it has {', '.join(one.name for one in below[:5])})" if below else ""
    raise ModelFault(f"the folder holds neither a {FILES[0]} nor versions, folders that are named by numbers{named}")


def _folders(folder: Path) -> list[Path]:
    # What macOS puts into zips.
    return sorted(one for one in folder.iterdir() if one.is_dir() and one.name != "__MACOSX" and one.name[0] != ".")


def _is_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in FILES)


def _whole(folder: Path, version: int | None = None) -> SavedModel:
    """Refuse what was not copied to its end, which TensorFlow words badly."""
    file = next(folder / name for name in FILES if (folder / name).is_file())
    with file.open("rb") as opened:
        start = opened.read(len(_POINTER))
    if not start:
        raise ModelFault(f"{file.name} is empty")
    if start == _POINTER:
        raise ModelFault(f"{file.name} is a pointer of Git LFS, not the model itself; run git lfs pull")
    return SavedModel(folder, version)


def _not_a_model(path: Path) -> str:
    if path.suffix in _KERAS:
        return "it is a file of Keras, not a SavedModel; load it and write one with model.export('folder')"
    with path.open("rb") as file:
        start = file.read(20)
    if not start:
        return "the file is empty"
    return f"it is neither a folder nor a zip; it begins with {start!r}"


# ------------------------------------------------------------------------------------------------ zips


def _unpacked(path: Path) -> Path:
    """Return the folder of what is in a zip; workers that come at the same time each unpack it, and one is kept."""
    digest = _digest(path)
    made = home() / "models" / "unpacked" / digest
    if made.is_dir():
        return made
    partial = made.with_name(f"{digest}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _unpack(path, partial)
        partial.rename(made)
    except OSError as error:
        if not made.is_dir():
            raise ModelFault(f"it cannot be unpacked to {made.parent}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return made


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:32]


def _unpack(path: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    try:
        with zipfile.ZipFile(path) as archive:
            outside = next(_outside(archive), None)
            if outside is not None:
                raise ModelFault(f"its entry {outside!r} leads out of the zip")
            archive.extractall(folder)
    except _DAMAGED as error:
        raise ModelFault(f"the zip cannot be unpacked: {error}") from error


def _outside(archive: zipfile.ZipFile) -> Iterator[str]:
    for name in archive.namelist():
        if name.startswith("/") or ".." in Path(name).parts:
            yield name
