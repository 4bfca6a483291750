"""Input and results on web servers, sound and unsound ones."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from insula.errors import OutputError, SourceError
from insula.sources.listing import list_files
from insula.storage.store import store_of

COUNT = 400


def rows(count: int = COUNT, start: int = 0) -> bytes:
    return b"".join(b'{"n": %d}\n' % number for number in range(start, start + count))


def numbers(predictions: list[Any]) -> list[int]:
    return [prediction["n"] for prediction in predictions]


def run(project: Any, *urls: str, **more: Any) -> list[int]:
    folder = project.submit(list(urls), **more)
    assert project.run(folder)["status"] == "succeeded"
    return numbers(project.predictions(folder))


def test_a_server_with_ranges_is_read_by_ranges(web: Any, project: Any) -> None:
    assert run(project, web.put("/in.jsonl", rows()) + "?signature=%2Bx") == list(range(COUNT))
    assert {wanted for _, _, wanted in web.requests} >= {"bytes=0-0", f"bytes=0-{len(rows()) - 1}"}
    assert None not in {wanted for _, _, wanted in web.requests}


@pytest.mark.parametrize("sizes", [True, False])
def test_a_server_without_ranges_is_read_once_into_the_jobs_folder(web: Any, project: Any, sizes: bool) -> None:
    web.ranges, web.sizes = False, sizes
    assert run(project, web.put("/in.jsonl", rows()), web.put("/in.gz", gzip.compress(rows(20, COUNT)))) == list(
        range(COUNT + 20)
    )
    assert [path for _, path, wanted in web.requests if wanted is None] == ["/in.jsonl", "/in.gz"]


def test_an_empty_file_is_no_error_beside_others(web: Any, project: Any) -> None:
    assert run(project, web.put("/empty", b""), web.put("/in", rows())) == list(range(COUNT))


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("fault", ["500", "503", "429", "cut", "reset", "stall"])
def test_what_passes_is_tried_again(web: Any, project: Any, fault: str, ranges: bool) -> None:
    web.ranges = ranges
    web.faults["/in"] = ["", fault, fault, "", fault]
    assert run(project, web.put("/in", rows())) == list(range(COUNT))


@pytest.mark.parametrize(
    "faults, words",
    [
        (["500"] * 9, "the server answers 500"),
        (["reset"] * 20, "the connection broke"),
        (["stall"] * 9, "the server did not answer in time"),
        (["403"], "permission denied"),
        (["404"], "there is no such file"),
    ],
)
def test_what_does_not_pass_is_one_error_that_names_url_and_cause(
    web: Any, project: Any, faults: list[str], words: str
) -> None:
    url = web.put("/in", rows())
    web.faults["/in"] = faults
    with pytest.raises(SourceError) as caught:
        project.run(project.submit([url]))
    assert str(caught.value).startswith(f"{url}: {words}")
    assert len(str(caught.value)) < 300
    assert ("times)" in str(caught.value)) == (len(faults) > 1)


def test_servers_that_are_not_there_are_named(project: Any) -> None:
    with pytest.raises(SourceError) as caught:
        project.run(project.submit(["http://user:secret@127.0.0.1:9/x", "http://no.such.host.invalid/x"]))
    refused, unknown = str(caught.value).splitlines()
    assert refused.startswith("http://user@127.0.0.1:9/x: no connection to the server")
    assert unknown.startswith("http://no.such.host.invalid/x: the name of the server cannot be resolved")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("ranges", [True, False])
@pytest.mark.parametrize("later", [None, rows(COUNT, 1), rows(COUNT - 1), rows(COUNT + 1)])
def test_input_that_changes_while_a_job_runs_fails_as_changed(
    web: Any, project: Any, ranges: bool, later: bytes | None
) -> None:
    web.ranges = ranges
    url = web.put("/in", rows())
    folder = project.submit([url], batch_size=10)
    looked = [0]

    class Faults(list[str]):
        def pop(self, _: Any = 0) -> str:
            looked[0] += 1
            if looked[0] == 2:
                if later is None:
                    del web.files["/in"]
                else:
                    web.put("/in", later)
            return ""

        def __bool__(self) -> bool:
            return True

    web.faults["/in"] = Faults()
    with pytest.raises(SourceError, match="is no longer what it was when the job listed it"):
        project.run(folder)


def test_a_compressed_file_that_is_cut_is_named(web: Any, project: Any) -> None:
    url = web.put("/in.gz", gzip.compress(rows())[:-9])
    with pytest.raises(SourceError, match=f"{url} is cut: it ends in the middle of its gzip data"):
        project.run(project.submit([url]))


def test_a_compressed_file_whose_name_does_not_say_so_is_told(web: Any, project: Any) -> None:
    url = web.put("/in", gzip.compress(rows()))
    with pytest.raises(SourceError, match=f"{url} is gzip data, which its name does not say: rename it to end in .gz"):
        project.run(project.submit([url]))


def test_passwords_are_in_no_listing(web: Any) -> None:
    web.put("/in", rows())
    (found,) = list_files([web.address.replace("//", "//me:secret@") + "/in"], (), (), Path("/"))
    assert found.name == web.address.replace("//", "//me@") + "/in"


def test_results_are_put(web: Any, project: Any) -> None:
    url = web.put("/in", rows())
    web.faults["/out/predictions.jsonl"] = ["503", ""]
    summary = project.run(project.submit([url], f"{web.address}/out"))
    assert summary["status"] == "succeeded"
    assert sorted(web.files) == ["/in", "/out/dead_letters.jsonl", "/out/predictions.jsonl", "/out/summary.json"]
    assert len(web.files["/out/predictions.jsonl"].splitlines()) == COUNT


@pytest.mark.parametrize("name", ["predictions.jsonl", "summary.json"])
def test_an_upload_that_fails_leaves_a_job_that_resumes(web: Any, project: Any, name: str) -> None:
    web.faults[f"/out/{name}"] = ["403"]
    folder = project.submit([web.put("/in", rows())], f"{web.address}/out")
    summary = project.run(folder)
    assert summary["status"] == "stopped"
    assert f"/out/{name}: permission denied" in summary["message"]
    with pytest.raises(OutputError, match="which is not finished"):
        project.submit([f"{web.address}/in"], f"{web.address}/out/")
    assert project.run(folder)["status"] == "succeeded"
    assert [json.loads(line)["index"] for line in web.files["/out/predictions.jsonl"].splitlines()] == list(
        range(COUNT)
    )
    assert (project.folder / "completed").read_text().count("\n") == 1
    assert "/out/.insula-job.json" not in web.files


def test_a_body_that_always_breaks_ends(web: Any) -> None:
    web.ranges = False
    url = web.put("/in", rows())
    store = store_of(url)
    web.faults["/in"] = ["", *["cut"] * 20]
    with pytest.raises(OSError, match="the connection broke"):
        list(store.chunks(store.look(url)))
    assert len([1 for _, path, wanted in web.requests if wanted is None]) <= 6
