"""The plugins `delimited_files`, `item_list` and `file_path_lister`, all of which end as files of lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from insula.descriptors import Payload, Place, Position, Source, SplitContext
from insula.errors import SourceError
from insula.hookspecs import hookimpl
from insula.sources.lines import split_lines
from insula.sources.listing import list_files
from insula.sources.locating import Locator
from insula.sources.reading import read_lines
from insula.sources.settings import DelimitedFiles, FilePathLister, ItemList
from insula.sources.spooling import spool
from insula.spec import BatchRef, Block, Input, Slice

_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")


class _Lines:
    """What the three have in common."""

    def __init__(self) -> None:
        self._locator = Locator()

    @hookimpl
    def insula_split(
        self, context: SplitContext, inputs: Sequence[Input], after: Position | None
    ) -> Iterator[Block]:
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


def _list(settings: DelimitedFiles | FilePathLister, context: SplitContext) -> list[Input]:
    return list_files(settings.named, settings.includes, settings.excludes, context.project)


class DelimitedFilesSource(_Lines):
    """Files of JSON lines."""

    @hookimpl
    def insula_source(self) -> Source:
        """Describe the source."""
        return Source("delimited_files", DelimitedFiles)

    @hookimpl
    def insula_list(self, context: SplitContext) -> list[Input]:
        """List the files, each an input."""
        files = _list(context.settings, context)
        if packed := [file.uri for file in files if file.uri.endswith(_COMPRESSED)]:
            raise SourceError(f"compressed files cannot be read yet; unpack them first: {', '.join(packed)}")
        return files


class FilePathListerSource(_Lines):
    """Files of any kind: a sample is a path, and opening it is the predictor's affair."""

    @hookimpl
    def insula_source(self) -> Source:
        """Describe the source."""
        return Source("file_path_lister", FilePathLister)

    @hookimpl
    def insula_list(self, context: SplitContext) -> list[Input]:
        """Spool the files' paths."""
        files = _list(context.settings, context)
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
