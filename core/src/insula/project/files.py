"""The files of a project, and whether they are still what they were."""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from insula.errors import ProjectError

CONFIG_FILE = "cortex.yaml"
IGNORE_FILE = ".cortexignore"
DOTENV_FILE = ".env"
_LARGEST_HASHED = 64 << 20
_CHUNK = 1 << 20
_TO_PRIVATE = {0xDC00 + byte: 0xF700 + byte for byte in range(128, 256)}
_FROM_PRIVATE = {private: surrogate for surrogate, private in _TO_PRIVATE.items()}
# pathspec hands on what it makes of a pattern to re, which may refuse it.
_INVALID = (ValueError, re.error)

Excluded = Callable[[str], bool]


def project_files(root: Path) -> list[Path]:
    """Return the files that belong to a project, relative to its folder, in order of name.

    These are all but Python bytecode, names that begin with `.` (`.env` is kept), `cortex.yaml`, and what
    `.cortexignore` (gitignore syntax) excludes. Links are followed, but never in circles.

    Raises:
        ProjectError: if a folder or `.cortexignore` cannot be read.
    """
    try:
        return [Path(name) for name in sorted(_walk(root, "", _excluded(root), ()))]
    except OSError as error:
        raise ProjectError(f"{error.filename or root}: cannot be read: {error.strerror or error}") from error


def fingerprint(root: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """Return a digest of each file of a project, by its path, and one of its configuration, as `cortex.yaml`.

    Of files over 64 MiB the size and time of change stand for the content.

    Args:
        root: the project folder.
        config: the entry of `cortex.yaml` that a job runs.

    Raises:
        ProjectError: if a folder or file cannot be read.
    """
    return {CONFIG_FILE: _digest_of(config), **_digests(root)}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the names of what was added, removed or changed between two fingerprints."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def changed_files(root: Path, before: Mapping[str, str]) -> list[str]:
    """Return which files of a fingerprint are gone or no longer what it says; the configuration is not looked at.

    Files that were added do not count: predictors may write into the project, their working directory.

    Raises:
        ProjectError: if a file cannot be read.
    """
    files = {name: digest for name, digest in before.items() if name != CONFIG_FILE}
    return sorted(name for name, digest in files.items() if _digest(_path(root, name)) != digest)


# ------------------------------------------------------------------------------------ which files


def _walk(root: Path, folder: str, excluded: Excluded, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Yield the files below `folder`; `above` are the folders that lead to it."""
    inside = (root / folder).stat()
    here = (inside.st_dev, inside.st_ino)
    if here in above:
        return
    with os.scandir(root / folder) as entries:
        found = list(entries)
    for entry in found:
        name = f"{folder}{entry.name}"
        kind = _kind(entry)
        if kind == "folder" and not _is_skipped_folder(entry.name) and not excluded(f"{name}/"):
            yield from _walk(root, f"{name}/", excluded, (*above, here))
        elif kind == "file" and not _is_skipped_file(name, entry.name) and not excluded(name):
            yield name


def _kind(entry: os.DirEntry[str]) -> str | None:
    try:
        mode = entry.stat().st_mode
    except OSError:
        # A link that leads nowhere, or a file that went away just now.
        return None
    # Whatever is neither (a pipe, a socket) would hang whoever reads it.
    return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else None


def _is_skipped_folder(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__"


def _is_skipped_file(path: str, name: str) -> bool:
    hidden = name.startswith(".") and name != DOTENV_FILE
    return hidden or name.endswith((".pyc", ".pyo")) or path == CONFIG_FILE


def _excluded(root: Path) -> Excluded:
    try:
        text = (root / IGNORE_FILE).read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return lambda name: False
    except UnicodeDecodeError as error:
        raise ProjectError(f"{root / IGNORE_FILE}: the file is not UTF-8") from error
    return _patterns(text.splitlines())


def _patterns(lines: list[str]) -> Excluded:
    try:
        return _compile(lines)
    except _INVALID:
        number, error = next(_faulty(lines))
        raise ProjectError(f"{IGNORE_FILE}:{number}: {lines[number - 1][:60]!r}: {error}") from error


def _faulty(lines: list[str]) -> Iterator[tuple[int, Exception]]:
    for number, line in enumerate(lines, start=1):
        try:
            _compile([line])
        except _INVALID as error:
            yield number, error


def _compile(lines: list[str]) -> Excluded:
    # Imported here: workers start without it where a project has no such file.
    from pathspec import GitIgnoreSpec

    with warnings.catch_warnings():
        # A valid pattern such as `[[]` becomes a regular expression that Python's re grumbles about.
        warnings.simplefilter("ignore", FutureWarning)
        return GitIgnoreSpec.from_lines(lines).match_file


# ------------------------------------------------------------------------------------ digests


def _digests(root: Path) -> dict[str, str]:
    found = ((path, _digest(root / path)) for path in project_files(root))
    return {_printable(path): digest for path, digest in found if digest is not None}


def _printable(path: Path) -> str:
    # A name that is not UTF-8 must still be writable as JSON; a byte that is not shows as a private character.
    name = os.fsencode(path).decode("utf-8", "surrogateescape")
    return name.translate(_TO_PRIVATE)


def _path(root: Path, name: str) -> Path:
    return root / os.fsdecode(name.translate(_FROM_PRIVATE).encode("utf-8", "surrogateescape"))


def _digest(path: Path) -> str | None:
    from hashlib import blake2b

    digest = blake2b(digest_size=16)
    try:
        with open(path, "rb", buffering=0) as file:
            facts = os.fstat(file.fileno())
            if facts.st_size > _LARGEST_HASHED:
                return f"{facts.st_size} bytes, {facts.st_mtime_ns}"
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProjectError(f"{path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()


def _digest_of(config: Mapping[str, Any]) -> str:
    import json
    from hashlib import blake2b

    text = json.dumps(config, sort_keys=True, default=str)
    return blake2b(text.encode(), digest_size=16).hexdigest()
