"""Samples that have no byte ranges of their own, written as a file of lines in the job's folder."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from insula import failpoints
from insula.errors import SourceError
from insula.folder import sync_folder
from insula.sources.opening import stamp_of
from insula.spec import Input


def spool(samples: Iterable[Any], folder: Path, name: str) -> Input:
    """Write samples as JSON lines and return them as an input called `name`.

    The file is there whole or not at all, whenever the process or the machine dies.

    Raises:
        SourceError: if a sample cannot be written as JSON.
    """
    with failpoints.around("spool"):
        return _spool(samples, folder, name)


def _spool(samples: Iterable[Any], folder: Path, name: str) -> Input:
    path = folder / f"{name}.jsonl"
    status = write_whole(path, (_line(sample, f"{name}[{position}]") for position, sample in enumerate(samples)))
    return Input(str(path), status.st_size, stamp_of(status), name)


def write_whole(path: Path, chunks: Iterable[bytes]) -> os.stat_result:
    """Write a file that is there whole or not at all, whenever the process or the machine dies."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.writelines(chunks)
        file.flush()
        os.fsync(file.fileno())
        status = os.fstat(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)
    return status


def _line(sample: Any, where: str) -> bytes:
    try:
        line = orjson.dumps(sample)
    except TypeError:
        return _line_with_json(sample, where)
    # orjson writes NaN and infinities as null, json as themselves, and a sample is to arrive as it was sent.
    return _line_with_json(sample, where) if b"null" in line else line + b"\n"


def _line_with_json(sample: Any, where: str) -> bytes:
    try:
        return json.dumps(sample, separators=(",", ":")).encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise SourceError(f"{where} cannot be written as JSON: {error}") from error
