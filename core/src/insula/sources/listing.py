"""Finding the files that a source's settings name."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from insula.errors import SourceError, StorageError
from insula.records import frozen
from insula.sources.opening import stamp_of
from insula.sources.patterns import chooser
from insula.spec import Input
from insula.storage.urls import is_url, local_path, shown

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from insula.storage.store import Stored

# A listing waits for the servers nearly all of its time.
_TOGETHER = 16
# Faults that are told one by one.
_TOLD = 20


@frozen
class Listed:
    """One file that was found, and whether parts of it can be read."""

    input: Input
    ranges: bool = True


def list_files(paths: Sequence[str], includes: Sequence[str], excludes: Sequence[str], project: Path) -> list[Input]:
    """List files as `find_files` does, whether or not parts of them can be read."""
    return [file.input for file in find_files(paths, includes, excludes, project)]


def find_files(paths: Sequence[str], includes: Sequence[str], excludes: Sequence[str], project: Path) -> list[Listed]:
    """Find files, in the order of `paths`, those of one folder, glob or prefix by name.

    Args:
        paths: local files, folders (with all below) or globs, relative ones starting from `project`; or URLs. On object
            stores each is a prefix, except that an exact match is only that object; elsewhere each is one file.
        includes, excludes: patterns that see whole paths and URLs.

    Raises:
        SourceError: naming every path that is missing, empty, not readable or named twice.
    """
    faults: list[str] = []
    found: list[Path | Stored] = []
    with _Remote(paths) as remote:
        for path in paths:
            try:
                found += remote.found(path) if is_url(path) else _find(local_path(path), project)
            except (SourceError, StorageError) as error:
                faults.append(str(error))
            except OSError as error:
                faults.append(f"{error.filename or path}: {error.strerror}")
    chosen = chooser(includes, excludes)
    listed = list(_examine([one for one in found if chosen(_place(one))], faults))
    if not faults and not listed:
        faults.append(_none_chosen(len(found), includes, excludes))
    if faults:
        more = [f"… and {len(faults) - _TOLD} more"] if len(faults) > _TOLD else []
        raise SourceError("\n".join(faults[:_TOLD] + more))
    return listed


def _none_chosen(found: int, includes: Sequence[str], excludes: Sequence[str]) -> str:
    given = [("includes", includes), ("excludes", excludes)]
    filters = " and ".join(f"{name} ({', '.join(patterns[:5])})" for name, patterns in given if patterns)
    return (
        f"none of the {found} files found passes includes and excludes: {filters}. A pattern sees the whole path, and "
        "its * stops at each /: **.jsonl takes all files that end so"
    )


class _Remote:
    """The listings of all URLs, which run beside each other; a context manager."""

    def __init__(self, paths: Sequence[str]) -> None:
        urls = dict.fromkeys(path for path in paths if is_url(path))
        self._pool = _pool() if urls else None
        self._listings = {url: self._pool.submit(_find_remote, url) for url in urls} if self._pool else {}

    def found(self, url: str) -> list[Stored]:
        return self._listings[url].result()

    def __enter__(self) -> _Remote:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _pool() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(_TOGETHER, "insula-list")


def _find_remote(url: str) -> list[Stored]:
    from insula.storage.faults import MissingError
    from insula.storage.store import store_of

    try:
        return store_of(url).find(url)
    except MissingError as error:
        if glob.has_magic(url.partition("?")[0]):
            raise SourceError(
                f"{error}; a URL is no pattern: give its beginning, and the pattern under includes"
            ) from error
        raise


def _place(one: Path | Stored) -> str:
    return str(one) if isinstance(one, Path) else one.url


def _find(path: str, project: Path) -> list[Path]:
    here = Path(os.path.normpath(project / path))
    if here.is_dir():
        return _walk(here)
    if here.is_symlink() or here.exists():
        return [here]
    if glob.has_magic(path):
        return _expand(os.path.normpath(Path(glob.escape(str(project))) / path))
    raise SourceError(f"{here}: there is no such file or folder")


def _expand(pattern: str) -> list[Path]:
    matches = [Path(match) for match in sorted({os.path.normpath(it) for it in glob.iglob(pattern, recursive=True)})]
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


def _examine(found: Iterable[Path | Stored], faults: list[str]) -> Iterator[Listed]:
    seen: dict[str, str] = {}
    for one in found:
        place = _place(one)
        real = os.path.realpath(place) if isinstance(one, Path) else place
        if real in seen:
            other = "" if seen[real] == place else f", also as {shown(seen[real])}"
            faults.append(f"{shown(place)}: the file is named twice{other}")
            continue
        seen[real] = place
        try:
            yield Listed(_input(one)) if isinstance(one, Path) else _listed(one)
        except SourceError as error:
            faults.append(str(error))


def _listed(stored: Stored) -> Listed:
    name = shown(stored.url)
    listed = Input(stored.url, stored.size, stored.stamp, name if name != stored.url else None)
    return Listed(listed, stored.ranges and stored.size is not None)


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
