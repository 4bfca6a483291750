from __future__ import annotations

import sys

import pytest

from insula.errors import StorageError
from insula.storage.store import store_of, timeout


@pytest.mark.parametrize(
    "url, extra",
    [("s3://b/k", "s3"), ("gs://b/k", "gcs"), ("az://c/k", "azure"), ("abfs://c/k", "azure"), ("http://h/k", "http")],
)
def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch, url: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setenv("INSULA_STORAGE_TEST", url)  # a connection made by an earlier test is of another environment
    with pytest.raises(
        StorageError, match=rf'^{url}: .*package that is not installed .*pip install "insula\[{extra}\]"$'
    ):
        store_of(url)


def test_the_timeout_is_a_positive_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timeout() == 15
    monkeypatch.setenv("INSULA_STORAGE_TIMEOUT", "2.5")
    assert timeout() == 2.5
    for wrong in ("x", "0", "-1", "nan", "inf"):
        monkeypatch.setenv("INSULA_STORAGE_TIMEOUT", wrong)
        with pytest.raises(StorageError, match="INSULA_STORAGE_TIMEOUT must be a number of seconds"):
            timeout()
