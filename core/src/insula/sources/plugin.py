"""The plugins `delimited_files`, `item_list` and `file_path_lister`, all of which end as files of lines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from insula.descriptors import Payload, Place, Position, Source, SplitContext
from insula.errors import SourceError
from insula.hookspecs import hookimpl
from insula.sources.copying import needs_copy
from insula.sources.lines import split_lines
from insula.sources.listing import find_files, list_files
from insula.sources.locating import Locator
from insula.sources.opening import spooled
from insula.sources.reading import read_lines
from insula.sources.settings import DelimitedFiles, FilePathLister, ItemList
from insula.sources.spooling import spool
from insula.spec import BatchRef, Block, Input, Slice


class _Lines:
    """What the three have in common."""

    def __init__(self) -> None:
        self._locator = Locator()

    @hookimpl
    def insula_split(self, context: SplitContext, inputs: Sequence[Input], after: Position | None) -> Iterator[Block]:
        """Yield blocks of lines."""
        return split_lines(inputs, context.settings.batch_size, after)

    @hookimpl
    def insula_read(self, inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload]:
        """Yield payloads of lines."""
        return read_lines(inputs, references)

    @hookimpl
    def insula_locate(
        self, inputs: Mapping[int, Input], block: Slice, ordinal: int, positions: Sequence[int]
    ) -> Sequence[Place]:
        """Say in which file and line samples are."""
        return self._locator.locate(inputs, block, ordinal, positions)


class DelimitedFilesSource(_Lines):
    """Files of JSON lines."""

    @hookimpl
    def insula_source(self) -> Source:
        """Describe the source."""
        return Source("delimited_files", DelimitedFiles)

    @hookimpl
    def insula_list(self, context: SplitContext) -> list[Input]:
        """List the files, each an input; what cannot be read by ranges will be from a copy in the job's folder."""
        settings = context.settings
        found = find_files(settings.named, settings.includes, settings.excludes, context.project)
        _check_names(file.input.uri for file in found)
        return [
            spooled(file.input, str(context.spool / f"{number:06}.jsonl")) if needs_copy(file) else file.input
            for number, file in enumerate(found)
        ]


def _check_names(uris: Iterable[str]) -> None:
    # Ledger, results and messages are UTF-8.
    faults = [uri for uri in uris if not uri.isascii() and _is_not_utf8(uri)]
    if faults:
        raise SourceError(
            "\n".join(f"{os.fsencode(uri)!r}: the file's name is not UTF-8: rename it" for uri in faults[:20])
        )


def _is_not_utf8(uri: str) -> bool:
    try:
        uri.encode()
    except UnicodeEncodeError:
        return True
    return False


class FilePathListerSource(_Lines):
    """Files of any kind: a sample is a path, and opening it is the predictor's affair."""

    @hookimpl
    def insula_source(self) -> Source:
        """Describe the source."""
        return Source("file_path_lister", FilePathLister)

    @hookimpl
    def insula_list(self, context: SplitContext) -> list[Input]:
        """Spool the files' paths."""
        settings = context.settings
        files = list_files(settings.named, settings.includes, settings.excludes, context.project)
        return [spool((file.uri for file in files), context.spool, "file_path_lister")]


class ItemListSource(_Lines):
    """Samples that the submission carries itself."""

    @hookimpl
    def insula_source(self) -> Source:
        """Describe the source."""
        return Source("item_list", ItemList, inline=True)

    @hookimpl
    def insula_list(self, context: SplitContext) -> list[Input]:
        """Spool the items."""
        return [spool(context.settings.items, context.spool, "item_list")]


delimited_files = DelimitedFilesSource()
file_path_lister = FilePathListerSource()
item_list = ItemListSource()
