"""Results and those of retries, from job folders that hold nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from insula.errors import JobError
from insula.folder import JobFolder, replace
from insula.jobs.reading import Retries, dead_letters, predictions
from insula.jobs.record import Record
from insula.jobs.store import JobStore


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path)


def make(
    store: JobStore,
    predicted: Iterable[tuple[int, int]],
    dead: Iterable[int],
    of: JobFolder | None = None,
    status: str = "completed_with_failures",
) -> JobFolder:
    """Make a finished job; `predicted` are indexes and how many samples each line counts for."""
    job_id, folder = store.create()
    submission = {"dead_letters": {"job": of.root.name}} if of else {}
    Record(job_id, "a", 0.0, "/p", {}, submission, str(folder.results), "process", "0", "0.1.0", {}).write(folder)
    replace(folder.status, {"status": status})
    folder.results.mkdir()
    lines = [{"index": index, **({"count": count} if count > 1 else {}), "job": job_id} for index, count in predicted]
    for name, found in (("predictions", lines), ("dead_letters", [{"index": one, "job": job_id} for one in dead])):
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in found)
        folder.results.joinpath(f"{name}.jsonl").write_text(text)
    return folder


def seen(lines: Iterable[bytes], jobs: dict[str, JobFolder]) -> list[tuple[int, str]]:
    names = {folder.root.name: name for name, folder in jobs.items()}
    return [(one["index"], names[one["job"]]) for one in map(json.loads, lines)]


def test_retries_take_the_places_of_dead_letters(store: JobStore) -> None:
    base = make(store, [(0, 1), (2, 1), (5, 1)], [1, 3, 4])
    first = make(store, [(3, 1)], [1, 4], of=base)
    second = make(store, [(1, 1)], [4], of=first)
    jobs = {"base": base, "first": first, "second": second}
    assert seen(predictions(base), jobs) == [(0, "base"), (2, "base"), (5, "base")]
    assert seen(predictions(base, Retries(store)), jobs) == [
        (0, "base"), (1, "second"), (2, "base"), (3, "first"), (5, "base"),
    ]  # fmt: skip
    assert seen(dead_letters(base, Retries(store)), jobs) == [(4, "second")]
    assert seen(dead_letters(base), jobs) == [(1, "base"), (3, "base"), (4, "base")]


def test_of_two_retries_the_newer_counts_and_one_success_is_enough(store: JobStore) -> None:
    base = make(store, [(0, 1)], [1, 2, 3])
    older = make(store, [(1, 2)], [3], of=base)
    newer = make(store, [(1, 1), (3, 1)], [2], of=base)
    jobs = {"base": base, "older": older, "newer": newer}
    assert seen(predictions(base, Retries(store)), jobs) == [(0, "base"), (1, "newer"), (3, "newer")]
    assert seen(dead_letters(base, Retries(store)), jobs) == []


def test_a_retry_that_is_not_finished_is_left_out_and_named(store: JobStore) -> None:
    base = make(store, [(0, 1)], [1])
    running = make(store, [(1, 1)], [], of=base, status="stopped")
    retries = Retries(store)
    assert seen(predictions(base, retries), {"base": base}) == [(0, "base")]
    assert retries.unfinished == [running.root.name]


def test_lines_that_insula_did_not_write(store: JobStore) -> None:
    base = make(store, [], [])
    base.results.joinpath("predictions.jsonl").write_text("{}\n")
    with pytest.raises(JobError, match="not as insula wrote it"):
        list(predictions(base, Retries(store)))
