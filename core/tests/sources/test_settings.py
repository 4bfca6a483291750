from collections.abc import Callable
from typing import Any

import pytest

from insula.sources.settings import DelimitedFiles, FilePathLister, ItemList


@pytest.mark.parametrize("kind", [DelimitedFiles, FilePathLister])
def test_files_are_named_by_either_key(kind: Callable[..., Any]) -> None:
    assert kind(paths=("a", "b")).named == ("a", "b")
    assert kind(s3_paths=("s3://b/a",)).named == ("s3://b/a",)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({}, "exactly one of paths and s3_paths must name files; neither names a file"),
        (
            {"paths": ("a",), "s3_paths": ("s3://b",)},
            "exactly one of paths and s3_paths must name files; both are given",
        ),
        ({"s3_paths": ("a",)}, "s3_paths takes s3:// URLs, not 'a'; local files belong under paths"),
        ({"paths": ("a", "")}, "'' is not a path"),
        ({"paths": ("a\0b",)}, r"'a\x00b' is not a path"),
        ({"paths": ("a",), "batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"paths": ("a",), "includes": ("[",)}, "the pattern '[' cannot be read: [ is not closed"),
        ({"paths": ("a",), "excludes": ("{",)}, "the pattern '{' cannot be read: { is not closed"),
    ],
)
def test_a_fault_of_files_is_said_clearly(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        DelimitedFiles(**settings)
    assert str(caught.value) == message


def test_items_must_be_there() -> None:
    assert ItemList(items=(1,), batch_size=2).batch_size == 2
    with pytest.raises(ValueError, match="items is empty; it must hold at least one sample"):
        ItemList(items=())
    with pytest.raises(ValueError, match="batch_size must be at least 1, not -3"):
        ItemList(items=(1,), batch_size=-3)
