"""The settings of the three sources, as a submission writes them."""

from __future__ import annotations

from typing import Any

import attrs

from insula.records import frozen
from insula.sources.patterns import compile_pattern
from insula.spec.texts import is_path


def _at_least_one(_: Any, attribute: attrs.Attribute[int], value: int) -> None:
    if value < 1:
        raise ValueError(f"{attribute.name} must be at least 1, not {value}")


def _patterns(_: Any, __: attrs.Attribute[tuple[str, ...]], value: tuple[str, ...]) -> None:
    for pattern in value:
        compile_pattern(pattern)


@frozen
class _Files:
    """Files by path: exactly one of `paths` (local, or any storage URL) and `s3_paths` (Cortex's older name)."""

    paths: tuple[str, ...] = ()
    s3_paths: tuple[str, ...] = ()
    includes: tuple[str, ...] = attrs.field(default=(), validator=_patterns)
    excludes: tuple[str, ...] = attrs.field(default=(), validator=_patterns)
    batch_size: int = attrs.field(default=32, validator=_at_least_one)

    def __attrs_post_init__(self) -> None:
        if bool(self.paths) == bool(self.s3_paths):
            found = "both are given" if self.paths else "neither names a file"
            raise ValueError(f"exactly one of paths and s3_paths must name files; {found}")
        for path in self.named:
            if not is_path(path):
                raise ValueError(f"{path[:60]!r} is not a path")
        for path in self.s3_paths:
            if not path.startswith("s3://"):
                raise ValueError(f"s3_paths takes s3:// URLs, not {path!r}; local files belong under paths")

    @property
    def named(self) -> tuple[str, ...]:
        """The paths, under whichever key they were given."""
        return self.paths or self.s3_paths


@frozen
class DelimitedFiles(_Files):
    """`delimited_files`: files of JSON lines; each line that is not blank is a sample."""


@frozen
class FilePathLister(_Files):
    """`file_path_lister`: files of any kind; each file's path is a sample."""


@frozen
class ItemList:
    """`item_list`: the samples themselves, written in the submission."""

    items: tuple[Any, ...] = attrs.field()
    batch_size: int = attrs.field(default=32, validator=_at_least_one)

    @items.validator
    def _not_empty(self, _: attrs.Attribute[tuple[Any, ...]], value: tuple[Any, ...]) -> None:
        if not value:
            raise ValueError("items is empty; it must hold at least one sample")
