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


def list_files(
    paths: Sequence[str], includes: Sequence[str], excludes: Sequence[str], project: Path
) -> list[Input]:
    """List local files, in the order of `paths`, those of one folder or glob by name.

    Args:
        paths: files, folders (with all below) or globs; relative ones start from `project`.
        includes, excludes: patterns that see whole paths.

    Raises:
        SourceError: naming every path that is missing, empty, not readable, remote or named twice.
    """
    faults: list[str] = []
    found: list[Path] = []
    for path in paths:
        try:
            found += _find(path.removeprefix("file://"), project)
        except SourceError as error:
            faults.append(str(error))
        except OSError as error:
            faults.append(f"{error.filename or path}: {error.strerror}")
    chosen = chooser(includes, excludes)
    inputs = list(_examine([path for path in found if chosen(str(path))], faults))
    if not faults and not inputs:
        faults.append(f"none of the {len(found)} files found passes includes and excludes")
    if faults:
        raise SourceError("\n".join(faults))
    return inputs


def _find(path: str, project: Path) -> list[Path]:
    if url := _URL.match(path):
        raise SourceError(
            f"{path}: {url[1]}:// needs a storage extra, which this version of insula does not have yet"
        )
    here = Path(os.path.normpath(project / path))
    if here.is_dir():
        return _walk(here)
    if here.is_symlink() or here.exists():
        return [here]
    if glob.has_magic(path):
        return _expand(os.path.normpath(Path(glob.escape(str(project))) / path))
    raise SourceError(f"{here}: there is no such file or folder")


def _expand(pattern: str) -> list[Path]:
    matches = [
        Path(match) for match in sorted({os.path.normpath(it) for it in glob.iglob(pattern, recursive=True)})
    ]
    if not matches:
        raise SourceError(f"{pattern}: no file matches")
    # A folder that ** matches is not walked: its files match by themselves.
    files = [match for match in matches if not match.is_dir()]
    return files or [file for folder in matches for file in _walk(folder)]


def _walk(folder: Path) -> list[Path]:
    files: list[Path] = []
    above = {folder: {_identity(folder)}}
    for name, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        here = Path(name)
        outer = above.pop(here)
        below = {child: _identity(here / child) for child in folders}
        # A link to a folder that it lies in would be walked for ever.
        folders[:] = [child for child in folders if below[child] not in outer]
        above.update({here / child: outer | {below[child]} for child in folders})
        files += [here / child for child in names]
    files = sorted(filter(_is_file, files), key=str)
    if not files:
        raise SourceError(f"{folder}: the folder holds no file")
    return files


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_file(path: Path) -> bool:
    # A broken link is listed, so that it is named as missing; sockets and the like are passed over.
    return path.is_file() or not path.exists()


def _refuse(error: OSError) -> None:
    raise SourceError(f"{error.filename}: the folder cannot be listed: {error.strerror}")


def _examine(paths: Iterable[Path], faults: list[str]) -> Iterator[Input]:
    seen: dict[str, Path] = {}
    for path in paths:
        real = os.path.realpath(path)
        if real in seen:
            other = "" if seen[real] == path else f", also as {seen[real]}"
            faults.append(f"{path}: the file is named twice{other}")
            continue
        seen[real] = path
        try:
            yield _input(path)
        except SourceError as error:
            faults.append(str(error))


def _input(path: Path) -> Input:
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(f"{path}: the file cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{path}: it is neither a file nor a folder")
    if not os.access(path, os.R_OK):
        raise SourceError(f"{path}: the file cannot be read: permission denied")
    return Input(str(path), status.st_size, stamp_of(status))
