"""The input of a job that is only thought of, shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insula.jobs.looking import InputFile, SeenInput


def show(seen: SeenInput, *, files: bool, json: bool) -> None:
    """Print an input: its files if that was asked for, and the counts where they were taken."""
    from insula.cli.output import write, write_json

    if json:
        write_json(_plain(seen, files=files))
    else:
        write("\n".join(_lines(seen, files=files)))


def _lines(seen: SeenInput, *, files: bool) -> Iterator[str]:
    from insula.cli.wording import count

    if files:
        yield from map(_line, seen.files)
        yield count(len(seen.files), "file")
    if seen.samples is not None and seen.batches is not None:
        yield f"{count(seen.samples, 'sample')} in {count(seen.batches, 'batch')}"


def _line(file: InputFile) -> str:
    from insula.cli.wording import size

    bytes_ = () if file.size is None else (size(file.size),)
    more = (*bytes_, *(("spooled",) if file.spooled else ()))
    return f"{file.name}  ({', '.join(more)})" if more else file.name


def _plain(seen: SeenInput, *, files: bool) -> dict[str, object]:
    listed = [{"name": one.name, "bytes": one.size, "spooled": one.spooled} for one in seen.files]
    counted = {"samples": seen.samples, "batches": seen.batches} if seen.samples is not None else {}
    return {**({"files": listed} if files else {}), **counted}
