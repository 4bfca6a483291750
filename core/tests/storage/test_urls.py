from __future__ import annotations

import pytest

from insula.errors import StorageError
from insula.storage.urls import is_url, local_path, name_in, path_in, scheme_of, shown, split_key


@pytest.mark.parametrize("path", ["s3://b/k", "https://h/x", "ftp://h/x", "abfs://c@a.dfs.core.windows.net/k"])
def test_what_has_a_scheme_is_a_url(path: str) -> None:
    assert is_url(path)


@pytest.mark.parametrize("path", ["/a/b", "a", "file:///a", "FILE:///a", "a/s3://b", "", "C:\\x"])
def test_everything_else_is_a_local_path(path: str) -> None:
    assert not is_url(path)


def test_file_urls_are_paths() -> None:
    assert [local_path(path) for path in ("file:///a/b", "/a/b", "a")] == ["/a/b", "/a/b", "a"]


def test_an_unknown_scheme_is_named_with_those_that_are_known() -> None:
    assert scheme_of("S3://b/k") == "s3"
    with pytest.raises(StorageError, match=r"ftp://h/x: insula cannot read ftp://; it knows local paths and s3://"):
        scheme_of("ftp://h/x")


@pytest.mark.parametrize(
    "url, text",
    [
        ("http://me:secret@h/x?y", "http://me@h/x?y"),
        ("http://me@h/x", "http://me@h/x"),
        ("s3://b/a:b@c", "s3://b/a:b@c"),
        ("http://h:80/a:b@c", "http://h:80/a:b@c"),
    ],
)
def test_passwords_are_not_shown(url: str, text: str) -> None:
    assert shown(url) == text


def test_a_key_is_all_behind_the_bucket() -> None:
    assert split_key("s3://b/a/b?c#d%20") == ("s3://b", "a/b?c#d%20")
    assert split_key("s3://b/") == split_key("s3://b") == ("s3://b", "")
    assert split_key("s3://b//x") == ("s3://b", "/x")


def test_names_and_paths() -> None:
    assert (name_in("s3://b/a/m.onnx"), name_in("s3://b/a/m/"), name_in("s3://b")) == ("m.onnx", "m", "")
    assert (path_in("https://h/a/x.gz?sign=y.z"), path_in("s3://b/x.gz?y")) == ("/a/x.gz", "x.gz?y")
