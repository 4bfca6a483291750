"""The input of a job that is only thought of: which files, how many samples and batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs
import orjson

from insula.descriptors import SplitContext
from insula.errors import SourceError
from insula.jobs.composing import Composed
from insula.jobs.scratch import scratch
from insula.jobs.submitting import Request, check
from insula.records import frozen
from insula.sources.opening import is_spooled, name_of
from insula.spec import Input


@frozen
class InputFile:
    """A file of the input: its name, its bytes as listed (None if unknown), and whether the job keeps a copy of it."""

    name: str
    size: int | None
    spooled: bool


@frozen
class SeenInput:
    """What the input of a job would be; `samples` and `batches` are None unless they were counted."""

    files: tuple[InputFile, ...]
    samples: int | None = None
    batches: int | None = None


def look_at_input(request: Request, home: Path, *, count: bool) -> SeenInput:
    """List the input of a request, and count it; nothing is run.

    Args:
        home: the folder of all state, in which copies are made while compressed files are counted.

    Raises:
        UserError: if the request is wrong, or the input cannot be listed or split.
    """
    composed = check(request)
    with scratch(home) as folder:
        context = SplitContext(composed.submission.settings, request.project.absolute(), folder.spool)
        inputs = list(composed.hooks.list_inputs(context))
        if not inputs:
            raise SourceError("the input holds no files")
        seen = SeenInput(tuple(_files(composed, inputs, folder.spool)))
        if not count:
            return seen
        samples = batches = 0
        for block in composed.hooks.split(context, inputs, None):
            samples += block.samples
            batches += block.batches
    if not samples:
        raise SourceError("the input holds no samples")
    return attrs.evolve(seen, samples=samples, batches=batches)


def _files(composed: Composed, inputs: list[Input], spool: Path) -> Iterator[InputFile]:
    for one in inputs:
        written = Path(one.uri).parent == spool
        if written and composed.source.key == "file_path_lister":
            # Each of its samples is a file; the list of them is what is spooled.
            yield from _listed(Path(one.uri))
        else:
            yield InputFile(name_of(one), one.size, written or is_spooled(one))


def _listed(path: Path) -> Iterator[InputFile]:
    with path.open("rb") as lines:
        for line in lines:
            yield InputFile(orjson.loads(line), None, spooled=False)
