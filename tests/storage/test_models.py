"""The cache of models, on servers and between processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from insula.errors import StorageError
from insula.storage.models import fetch

FETCH = """
import sys
from pathlib import Path
from insula.storage.models import fetch
print(fetch(sys.argv[1], Path(sys.argv[2])))
"""


def test_a_file_is_fetched_once_and_anew_when_it_changes(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from insula.storage.objects import ObjectStore

    reads = []
    read = ObjectStore.read
    monkeypatch.setattr(ObjectStore, "read", lambda self, *rest: reads.append(rest) or read(self, *rest))
    url = bucket.put("m/a.onnx", b"one")
    bucket.put("m/a.onnx.bak", b"another")
    first = fetch(url, tmp_path)
    assert (first.name, first.read_bytes()) == ("a.onnx", b"one")
    assert (fetch(url, tmp_path), len(reads)) == (first, 1)
    bucket.put("m/a.onnx", b"two")
    second = fetch(url, tmp_path)
    assert (first.read_bytes(), second.read_bytes(), second.name) == (b"one", b"two", "a.onnx")


def test_a_folder_is_all_below_it(bucket: Any, tmp_path: Path) -> None:
    for key in ("m/v/1/saved_model.pb", "m/v/1/variables/data", "m/v2/other", "m/v/", "m/v/1/empty"):
        bucket.put(key, key.encode() if not key.endswith(("/", "empty")) else b"")
    for url in (bucket.url("m/v"), bucket.url("m/v/")):
        model = fetch(url, tmp_path)
        files = sorted(str(path.relative_to(model)) for path in model.rglob("*") if path.is_file())
        assert (model.name, files) == ("v", ["1/empty", "1/saved_model.pb", "1/variables/data"])
    with pytest.raises(StorageError, match="m/none: there is no such file or folder"):
        fetch(bucket.url("m/none"), tmp_path)
    with pytest.raises(StorageError, match="s3://no-such-bucket/m: there is no such file or folder"):
        fetch("s3://no-such-bucket/m", tmp_path)


def test_what_lost_bytes_in_the_cache_is_fetched_anew(bucket: Any, tmp_path: Path) -> None:
    url = bucket.put("a.onnx", b"whole")
    model = fetch(url, tmp_path)
    model.write_bytes(b"who")
    assert fetch(url, tmp_path).read_bytes() == b"whole"
    model.unlink()
    assert fetch(url, tmp_path).read_bytes() == b"whole"


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_is_cut_is_not_taken_for_a_model(web: Any, tmp_path: Path, ranges: bool) -> None:
    web.ranges = ranges
    url = web.put("/a.onnx", b"model" * 1000)
    web.faults["/a.onnx"] = ["", *["cut"] * 6]
    with pytest.raises(StorageError, match="the connection broke"):
        fetch(url, tmp_path)
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith((".lock", ".partial"))] == []
    assert fetch(url, tmp_path).read_bytes() == b"model" * 1000


def test_a_model_that_changes_while_it_is_fetched_is_told(web: Any, tmp_path: Path) -> None:
    url = web.put("/a.onnx", b"old" * 1000)

    class Faults(list[str]):
        asked = 0

        def pop(self, _: Any = 0) -> str:
            self.asked += 1
            if self.asked == 3:
                web.put("/a.onnx", b"new" * 1000)
            return ""

    web.faults["/a.onnx"] = Faults(["" for _ in range(9)])
    with pytest.raises(StorageError, match="it changed while it was fetched"):
        fetch(url, tmp_path)


def test_several_processes_fetch_a_model_once(web: Any, tmp_path: Path) -> None:
    url = web.put("/a.onnx", os.urandom(1 << 20))
    command = [sys.executable, "-c", FETCH, url, str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    found = {process.communicate(timeout=60)[0].strip() for process in running}
    assert len(found) == 1
    assert Path(found.pop()).read_bytes() == web.files["/a.onnx"]
    assert [wanted for _, _, wanted in web.requests].count(f"bytes=0-{(1 << 20) - 1}") == 1


def test_one_that_was_killed_leaves_nothing_in_the_way(web: Any, tmp_path: Path) -> None:
    url = web.put("/a.onnx", b"model")
    web.faults["/a.onnx"] = ["", "stall"]
    process = subprocess.Popen([sys.executable, "-c", FETCH, url, str(tmp_path)], stdout=subprocess.DEVNULL)
    while len(web.requests) < 2:
        assert process.poll() is None
    process.kill()
    process.wait()
    assert fetch(url, tmp_path).read_bytes() == b"model"


def test_a_local_path_is_what_it_is(tmp_path: Path) -> None:
    assert fetch("/models/a.onnx", tmp_path) == Path("/models/a.onnx")
    assert list(tmp_path.iterdir()) == []
