"""The cache of models, on a store that says what it is told to."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from insula.errors import StorageError
from insula.storage import models
from insula.storage.faults import MissingError
from insula.storage.models import fetch
from insula.storage.store import Stored


@attrs.define
class Store:
    files: dict[str, bytes]
    md5: str | None = None
    sizes: int = 0
    fetched: list[str] = attrs.field(factory=list)

    def find(self, url: str) -> list[Stored]:
        found = [self._stored(one) for one in sorted(self.files) if one.startswith(url)]
        if not found:
            raise MissingError(url)
        return found

    def look(self, url: str) -> Stored:
        if url not in self.files:
            raise MissingError(url)
        return self._stored(url)

    def _stored(self, url: str) -> Stored:
        return Stored(url, len(self.files[url]) + self.sizes, "1", md5=self.md5)

    def chunks(self, stored: Stored) -> Iterator[bytes]:
        self.fetched.append(stored.url)
        yield self.files[stored.url]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    made = Store({"gs://b/m/a": b"a", "gs://b/m/v/b": b"b", "gs://b/m2": b"2"})
    monkeypatch.setattr(models, "store_of", lambda url: made)
    return made


def test_a_folder_is_what_lies_below_it(store: Store, tmp_path: Path) -> None:
    model = fetch("gs://b/m", tmp_path)
    assert {str(path.relative_to(model)) for path in model.rglob("*") if path.is_file()} == {"a", "v/b"}


def test_threads_fetch_a_model_once(store: Store, tmp_path: Path) -> None:
    threads = [threading.Thread(target=fetch, args=("gs://b/m", tmp_path)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.fetched == ["gs://b/m/a", "gs://b/m/v/b"]


def test_a_download_of_another_size_or_digest_is_refused(store: Store, tmp_path: Path) -> None:
    store.sizes = 3
    with pytest.raises(StorageError, match="gs://b/m/a: 1 of 4 bytes came"):
        fetch("gs://b/m/a", tmp_path)
    store.sizes, store.md5 = 0, "another"
    with pytest.raises(StorageError, match="does not have the digest that the storage keeps"):
        fetch("gs://b/m/a", tmp_path)
    store.md5 = base64.b64encode(hashlib.md5(b"a", usedforsecurity=False).digest()).decode()
    assert fetch("gs://b/m/a", tmp_path).read_bytes() == b"a"


def test_names_do_not_lead_out_of_the_cache(store: Store, tmp_path: Path) -> None:
    store.files["gs://b/m/../../../evil"] = b"x"
    with pytest.raises(StorageError, match="its name leads out of the folder"):
        fetch("gs://b/m", tmp_path / "cache")
    assert not list(tmp_path.rglob("evil"))
