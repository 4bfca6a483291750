"""Finding the files that a source's settings name."""

from __future__ import annotations

import glob
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from insula.errors import SourceError
from insula.sources.opening import stamp_of
from insula.sources.patterns import chooser
from insula.spec import Input

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def list_files(paths: Sequence[str], includes: Sequence[str], excludes: Sequence[str], project: Path) -> list[Input]:
    """List local files, in the order of `paths`, those of one folder or glob by name.

    Args:
        paths: files, folders (with all below) or globs; relative ones start from `project`.
        includes, excludes: patterns that see whole paths.

    Raises:
        SourceError: naming every path that is missing, empty, not readable, remote or named twice.
    """
    faults: list[str] = []
    found: list[str] = []
    for path in paths:
        try:
            found += _find(path, project)
        except SourceError as error:
            faults.append(str(error))
        except OSError as error:
            faults.append(f"{error.filename or path}: {error.strerror}")
    chosen = list(filter(chooser(includes, excludes), found))
    if not faults and not chosen:
        faults.append(f"none of the {len(found)} files that were found passes includes and excludes")
    inputs = list(_examine(chosen, faults))
    if faults:
        raise SourceError("\n".join(faults))
    return inputs


def _find(path: str, project: Path) -> list[str]:
    path = path.removeprefix("file://")
    if url := _URL.match(path):
        raise SourceError(f"{path}: {url[1]}:// needs a storage extra, which this version of insula does not have yet")
    path = os.path.expanduser(path)
    here = os.path.normpath(project / path)
    if os.path.isdir(here):
        return _walk(here)
    if os.path.lexists(here):
        return [here]
    if glob.has_magic(path):
        return _expand(os.path.join(glob.escape(str(project)), path))
    raise SourceError(f"{here}: there is no such file or folder")


def _expand(pattern: str) -> list[str]:
    matches = sorted({os.path.normpath(match) for match in glob.iglob(pattern, recursive=True)})
    if not matches:
        raise SourceError(f"{pattern}: no file matches")
    # A folder that ** matches is not walked: its files match by themselves.
    files = [match for match in matches if not os.path.isdir(match)]
    return files or [file for folder in matches for file in _walk(folder)]


def _walk(folder: str) -> list[str]:
    files: list[str] = []
    above: dict[str, set[tuple[int, int]]] = {folder: {_identity(folder)}}
    for here, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        outer = above.pop(here)
        # A link to a folder that it lies in would be walked for ever.
        folders[:] = [name for name in folders if _identity(os.path.join(here, name)) not in outer]
        for name in folders:
            below = os.path.join(here, name)
            above[below] = outer | {_identity(below)}
        files += [os.path.join(here, name) for name in names]
    files = sorted(filter(_is_file, files))
    if not files:
        raise SourceError(f"{folder}: the folder holds no file")
    return files


def _identity(path: str) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _is_file(path: str) -> bool:
    # A broken link is listed, so that it is named as missing; sockets and the like are passed over.
    return os.path.isfile(path) or not os.path.exists(path)


def _refuse(error: OSError) -> None:
    raise SourceError(f"{error.filename}: the folder cannot be listed: {error.strerror}")


def _examine(paths: Iterable[str], faults: list[str]) -> Iterator[Input]:
    seen: dict[str, str] = {}
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            faults.append(f"{path}: the file is named twice" + ("" if seen[real] == path else f", also as {seen[real]}"))
        elif fault := _fault(path):
            faults.append(f"{path}: {fault}")
        else:
            status = os.stat(path)
            yield Input(path, status.st_size, stamp_of(status))
        seen[real] = path


def _fault(path: str) -> str | None:
    try:
        status = os.stat(path)
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return "it is neither a file nor a folder"
    if not os.access(path, os.R_OK):
        return "the file cannot be read: permission denied"
    return None
