"""Input, listing and results on S3."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import time
from pathlib import Path
from typing import Any

import pytest
import zstandard

from insula.errors import OutputError, ProjectError, SourceError
from insula.sources import plugin
from insula.sources.listing import find_files, list_files
from insula.storage.store import store_of


def rows(count: int, start: int = 0) -> bytes:
    return b"".join(b'{"n": %d}\n' % number for number in range(start, start + count))


def numbers(predictions: list[Any]) -> list[int]:
    return [prediction["n"] for prediction in predictions]


def names(bucket: Any, *keys: str, includes: tuple[str, ...] = (), excludes: tuple[str, ...] = ()) -> list[str]:
    found = list_files([bucket.url(key) for key in keys], includes, excludes, Path("/"))
    return [one.uri.removeprefix(bucket.url("")) for one in found]


def fault(bucket: Any, *keys: str) -> str:
    with pytest.raises(SourceError) as caught:
        names(bucket, *keys)
    return str(caught.value).replace(bucket.url(""), "B/")


def test_every_path_is_a_prefix_but_an_exact_match_is_only_that_object(bucket: Any) -> None:
    for key in ("d/a", "d/a.jsonl", "d/b%20%3F%23.jsonl", "d/e/c", "d2/x", "d/"):
        bucket.put(key, b"1\n" if key != "d/" else b"")
    assert names(bucket, "d/") == ["d/a", "d/a.jsonl", "d/b ?#.jsonl", "d/e/c"]
    assert names(bucket, "d") == ["d/a", "d/a.jsonl", "d/b ?#.jsonl", "d/e/c", "d2/x"]
    assert names(bucket, "") == names(bucket, "d")
    assert names(bucket, "d/a") == ["d/a"]
    assert names(bucket, "d2", "d/a.") == ["d2/x", "d/a.jsonl"]
    assert names(bucket, "d", includes=("**.jsonl",)) == ["d/a.jsonl", "d/b ?#.jsonl"]
    assert names(bucket, "d", includes=("s3://*/d/*",), excludes=("**.jsonl",)) == ["d/a"]


def test_what_cannot_be_listed_is_named_together(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put("d/a", b"")
    with pytest.raises(SourceError) as caught:
        list_files([bucket.url("none"), "s3://no-such-bucket/x", bucket.url("d/*"), "gs://b/x"], (), (), Path("/"))
    lines = str(caught.value).replace(bucket.url(""), "B/").splitlines()
    assert lines[:3] == [
        "B/none: nothing begins with this",
        "s3://no-such-bucket/x: the bucket does not exist",
        "B/d/*: nothing begins with this; a URL is no pattern: give its beginning, and the pattern under includes",
    ]
    assert 'pip install "insula[gcs]"' in lines[3]
    assert fault(bucket, "d/", "d/a") == "B/d/a: the file is named twice"
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert fault(bucket, "d/") == "B/d/: there are no credentials that serve: Unable to locate credentials"


def test_ten_thousand_keys_are_listed_and_filtered_page_by_page(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from aiobotocore.client import AioBaseClient

    bucket.put_many(f"many/{number:05}.{'jsonl' if number % 2 else 'txt'}" for number in range(10_000))
    calls: list[str] = []
    call = AioBaseClient._make_api_call

    async def counted(self: object, operation: str, arguments: object) -> object:
        calls.append(operation)
        return await call(self, operation, arguments)

    monkeypatch.setattr(AioBaseClient, "_make_api_call", counted)
    begun = time.monotonic()
    found = names(bucket, "many/", includes=("**/*[02468]?.jsonl",))
    assert time.monotonic() - begun < 30
    assert found == [f"many/{number:05}.jsonl" for number in range(10_000) if number // 10 % 2 == 0 and number % 2]
    assert calls == ["ListObjectsV2"] * 10


def test_a_job_reads_objects_of_every_kind(bucket: Any, project: Any) -> None:
    marked = b"\xef\xbb\xbf" + rows(25)
    bucket.put("in/1.jsonl", marked.replace(b"\n", b"\r\n"))
    bucket.put("in/2.jsonl.gz", gzip.compress(rows(10, 25)) + gzip.compress(rows(10, 35)))
    bucket.put("in/3.jsonl.bz2", bz2.compress(rows(20, 45)))
    bucket.put("in/4.jsonl.xz", lzma.compress(rows(20, 65)))
    bucket.put("in/5.jsonl.zst", zstandard.compress(rows(10, 85)) + zstandard.compress(rows(10, 95)[:-1]))
    bucket.put("in/6.jsonl", b"\n \n" + rows(30, 105)[:-1])
    folder = project.submit([bucket.url("in/")], batch_size=7)
    summary = project.run(folder)
    assert (summary["status"], summary["samples"]) == ("succeeded", 135)
    assert numbers(project.predictions(folder)) == list(range(135))


def test_dead_letters_name_url_and_line_of_what_was_unpacked_too(bucket: Any, project: Any) -> None:
    bucket.put("in/a.gz", gzip.compress(rows(3) + b"\n{\n"))
    bucket.put("in/b", rows(2) + b"nonsense\n")
    folder = project.submit([bucket.url("in/")], batch_size=2)
    assert project.run(folder)["dead_letters"] == 2
    letters = [json.loads(line) for line in (folder.results / "dead_letters.jsonl").read_text().splitlines()]
    assert [(letter["source"], letter["line"], letter["input"]) for letter in letters] == [
        (bucket.url("in/a.gz"), 5, "{"),
        (bucket.url("in/b"), 3, "nonsense"),
    ]


def test_large_objects_are_read_by_ranges_of_eight_mib(
    bucket: Any, project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from insula.storage.objects import ObjectStore

    lines = [json.dumps({"n": number, "text": "x" * 1000}) for number in range(20_000)]
    bucket.put("big", "\n".join(lines).encode())
    lengths: list[int] = []
    read = ObjectStore.read

    def counted(self: ObjectStore, url: str, start: int, length: int) -> bytes:
        lengths.append(length)
        return read(self, url, start, length)

    monkeypatch.setattr(ObjectStore, "read", counted)
    folder = project.submit([bucket.url("big")], batch_size=500)
    assert project.run(folder)["samples"] == 20_000
    assert numbers(project.predictions(folder)) == list(range(20_000))
    assert max(lengths) <= 8 << 20
    assert len(lengths) < 30


def test_an_object_that_changes_between_listing_and_reading_is_named(
    bucket: Any, project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("in/a", rows(20))
    bucket.put("in/b.gz", gzip.compress(rows(20)))
    for key, later in (("in/a", rows(20, 50)), ("in/b.gz", gzip.compress(rows(20, 50)))):

        def listed(*arguments: Any, key: str = key, later: bytes = later) -> list[Any]:
            found = find_files(*arguments)
            bucket.put(key, later)
            return found

        monkeypatch.setattr(plugin, "find_files", listed)
        with pytest.raises(SourceError, match="is no longer what it was when the job listed it") as caught:
            project.run(project.submit([bucket.url(key)]))
        assert bucket.url(key) in str(caught.value)


def test_results_go_to_a_url(bucket: Any, project: Any) -> None:
    url = bucket.put("in", rows(30))
    folder = project.submit([url], bucket.url("out/"))
    assert bucket.keys() == ["in", "out/.insula-job.json"]
    with pytest.raises(OutputError, match=f"out is being written by job {folder.root.name}, which is not finished"):
        project.submit([url], bucket.url("out"))
    summary = project.run(folder)
    assert (summary["status"], summary["output"]) == ("succeeded", bucket.url("out/"))
    assert bucket.keys() == ["in", "out/dead_letters.jsonl", "out/predictions.jsonl", "out/summary.json"]
    lines = [json.loads(line) for line in bucket.get("out/predictions.jsonl").splitlines()]
    assert [(line["index"], line["prediction"]["n"]) for line in lines] == [(number, number) for number in range(30)]
    assert json.loads(bucket.get("out/summary.json"))["samples"] == 30
    assert (project.folder / "completed").read_text() == bucket.url("out/\n")
    assert project.run(project.submit([url], bucket.url("out")))["status"] == "succeeded"


def test_an_output_that_cannot_be_written_is_told_before_anything_runs(bucket: Any, project: Any) -> None:
    url = bucket.put("in", rows(3))
    with pytest.raises(
        OutputError, match="results cannot be written: s3://no-such-bucket/out/.*the bucket does not exist"
    ):
        project.submit([url], "s3://no-such-bucket/out")
    with pytest.raises(OutputError, match=r"ftp://host/out.*insula cannot read ftp://"):
        project.submit([url], "ftp://host/out")
    assert list((project.home / "jobs").iterdir()) == []
    assert [path.name for path in (project.home / "outputs").iterdir()] == [".lock"]


def test_missing_models_are_named_before_anything_runs(bucket: Any, project: Any) -> None:
    from insula.jobs.models import localise
    from insula.spec import ApiSpec, ModelSpec
    from insula.spec.api import ModelsSpec, PredictorSpec

    url = bucket.put("models/a.onnx", b"model a")
    bucket.put("models/b/1/saved.pb", b"model b")
    good = ModelsSpec((ModelSpec("a", url), ModelSpec("b", bucket.url("models/b"))))
    cache = project.home / "models"
    found = localise(ApiSpec("x", PredictorSpec("onnx", models=good)), project.folder, cache).predictor.models.listed
    assert Path(found[0].path).read_bytes() == b"model a"
    assert (Path(found[1].path) / "1" / "saved.pb").read_bytes() == b"model b"
    folder = ModelsSpec((), bucket.url("models"), "key")
    found = localise(ApiSpec("x", PredictorSpec("onnx", models=folder)), project.folder, cache).predictor.models.listed
    assert [(model.name, model.signature_key) for model in found] == [("a", "key"), ("b", "key")]
    bad = ModelsSpec((ModelSpec("c", bucket.url("models/c")), ModelSpec("d", "nowhere.onnx")))
    with pytest.raises(ProjectError) as caught:
        localise(ApiSpec("x", PredictorSpec("onnx", models=bad)), project.folder, cache)
    assert str(caught.value).splitlines() == [
        f"model c: {bucket.url('models/c')}: there is no such file or folder",
        f"model d: {project.folder}/nowhere.onnx: there is no such file or folder",
    ]


@pytest.mark.parametrize("fault", ["500", "503", "cut", "reset", "stall"])
def test_an_s3_server_that_fails_now_and_then_is_asked_again(
    web: Any, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    for key, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "ENDPOINT_URL": web.address}.items():
        monkeypatch.setenv(f"AWS_{key}", value)
    web.put("/bucket/key", rows(100))
    web.faults["/bucket/key"] = [fault, fault, "", "403"]
    store = store_of("s3://bucket/key")
    assert store.read("s3://bucket/key", 9, 9) == b'{"n": 1}\n'
    with pytest.raises(OSError, match="^s3://bucket/key: permission denied"):
        store.read("s3://bucket/key", 0, 9)
    web.faults["/bucket/key"] = [fault] * 99
    with pytest.raises(OSError, match=r"^s3://bucket/key: (the|no) .* \(tried [35] times\)$") as caught:
        store.read("s3://bucket/key", 0, 9)
    assert len(str(caught.value)) < 300
