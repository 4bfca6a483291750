"""The rules of object stores, on a filesystem of a dictionary."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from insula.storage.faults import DeniedError, MissingError
from insula.storage.objects import ObjectStore


@attrs.define
class Buckets:
    """As much of an fsspec filesystem as is used."""

    files: dict[str, bytes]
    listable: bool = True

    def _strip_protocol(self, url: str) -> str:
        return url.partition("://")[2]

    def find(self, path: str, prefix: str, detail: bool) -> dict[str, dict[str, Any]]:
        if not self.listable:
            raise PermissionError("Forbidden")
        names = [name for name in self.files if name.startswith(f"{path}/{prefix}")]
        return {name: self.info(name) for name in reversed(names)}

    def info(self, name: str) -> dict[str, Any]:
        if name not in self.files:
            raise FileNotFoundError(name)
        return {"type": "file", "size": len(self.files[name]), "etag": f'"{name}"', "md5Hash": "m"}

    def cat_file(self, name: str, start: int, end: int) -> bytes:
        return self.files[name][start:end]

    def put_file(self, path: str, name: str) -> None:
        self.files[name] = Path(path).read_bytes()

    def rm_file(self, name: str) -> None:
        del self.files[name]


@pytest.fixture
def buckets() -> Buckets:
    return Buckets({"b/d/b": b"bb", "b/d/a": b"a", "b/d/ab": b"ab", "b/d/": b"", "b/d/x/": b"", "b/e": b""})


def names(buckets: Buckets, url: str) -> list[str]:
    return [one.url for one in ObjectStore(buckets).find(url)]


def test_a_path_is_a_prefix_and_an_exact_match_only_that_object(buckets: Buckets) -> None:
    assert names(buckets, "gs://b/d/") == ["gs://b/d/a", "gs://b/d/ab", "gs://b/d/b"]
    assert names(buckets, "gs://b/d/a") == ["gs://b/d/a"]
    assert names(buckets, "gs://b") == names(buckets, "gs://b/") == [*names(buckets, "gs://b/d/"), "gs://b/e"]
    with pytest.raises(MissingError, match="gs://b/d/c: nothing begins with this"):
        names(buckets, "gs://b/d/c")


def test_who_may_not_list_may_name_an_object(buckets: Buckets) -> None:
    buckets.listable = False
    assert names(buckets, "gs://b/d/a") == ["gs://b/d/a"]
    with pytest.raises(DeniedError, match="gs://b/d: permission denied to list"):
        names(buckets, "gs://b/d")


def test_what_a_store_says_of_an_object(buckets: Buckets) -> None:
    stored = ObjectStore(buckets).look("gs://b/d/b")
    assert (stored.size, stored.stamp, stored.md5, stored.ranges) == (2, "b/d/b", "m", True)
    assert b"".join(ObjectStore(buckets).chunks(stored)) == b"bb"
    with pytest.raises(OSError, match="gs://b/d/b: it ends at byte 2"):
        ObjectStore(buckets).read("gs://b/d/b", 1, 5)


def test_writing_and_deleting(buckets: Buckets, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    ObjectStore(buckets).write(tmp_path / "f", "gs://b/new key?")
    assert buckets.files["b/new key?"] == b"content"
    ObjectStore(buckets).delete("gs://b/new key?")
    assert "b/new key?" not in buckets.files
