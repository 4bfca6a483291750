from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from insula.folder import JobFolder
from insula.jobs.lock import JobLock
from insula.jobs.logs import Line, LogBound, bound_logs, follow_logs, read_logs

NOON = time.mktime((2026, 3, 1, 12, 0, 0, 0, 0, -1))


@pytest.fixture
def folder(tmp_path: Path) -> JobFolder:
    folder = JobFolder(tmp_path / "01a2")
    folder.create()
    return folder


def stamp(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(NOON + seconds))
    return f"{whole},{int(seconds * 1000) % 1000:03}"


def wrote(folder: JobFolder, worker: int, *lines: str) -> None:
    with (folder.logs / f"worker-{worker}.log").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def happened(folder: JobFolder, seconds: float, event: str, **fields: object) -> None:
    with folder.events.open("a") as file:
        file.write(json.dumps({"time": NOON + seconds, "event": event, **fields}) + "\n")


def texts(lines: list[Line]) -> list[str]:
    return [line.event["event"] if line.event else line.text.rpartition(" ")[2] for line in lines]


def test_lines_by_time_and_those_without_one_behind_their_worker_s(folder: JobFolder) -> None:
    happened(folder, 0, "job_started")
    happened(folder, 0.5, "worker_started", worker=0)
    happened(folder, 3, "enqueued")
    happened(folder, 9, "job_ended")
    wrote(folder, 0, "early", f"{stamp(2)} a2", "then", f"{stamp(6)} a6", f"{stamp(5)} late")
    wrote(folder, 1, f"{stamp(1)} b1", f"{stamp(4)} b4")
    assert texts(list(read_logs(folder))) == [
        "job_started", "worker_started", "early", "b1", "a2", "then", "enqueued", "b4", "a6", "late", "job_ended",
    ]  # fmt: skip
    assert texts(list(read_logs(folder, worker=1))) == ["job_started", "b1", "enqueued", "b4", "job_ended"]
    assert texts(list(follow_logs(folder))) == texts(list(read_logs(folder)))


def test_what_is_not_text_or_a_time(folder: JobFolder) -> None:
    (folder.logs / "worker-0.log").write_bytes(b"\xff\n 10%\r 20%\r\n9999-99-99 99:99:99,999 x\nno end")
    folder.events.write_text('{"time": 1, "event": "enqueued"}\n{"time": 2, "ev')
    assert [line.text for line in read_logs(folder) if line.worker == 0] == [
        "\\xff", " 20%", "9999-99-99 99:99:99,999 x", "no end",
    ]  # fmt: skip


def test_a_job_is_followed_until_it_ends(folder: JobFolder) -> None:
    wrote(folder, 0, f"{stamp(1)} one")
    lock = JobLock(folder.lock)
    lines = follow_logs(folder)
    assert next(lines).text.endswith("one")
    wrote(folder, 1, f"{stamp(2)} two")
    assert next(lines).text.endswith("two")
    (folder.logs / "worker-0.log").write_text("cut\n")
    assert next(lines).text == "cut"
    with (folder.logs / "worker-0.log").open("a") as file:
        file.write("never ended")
    threading.Timer(0.05, lock.release).start()
    assert [line.text for line in lines] == ["never ended"]


def test_logs_are_bounded_and_the_last_one_is_kept(folder: JobFolder) -> None:
    path = folder.logs / "worker-0.log"
    with path.open("a") as printing:
        for part in range(3):
            printing.write(f"{part}" * 100 + "\n")
            printing.flush()
            bound_logs(folder, limit=50)
            assert path.stat().st_size == 0
        printing.write("last\n")
    # Of the log before, the end.
    assert [line.text for line in read_logs(folder)] == ["2" * 49, "last"]
    bound_logs(folder, limit=50)
    assert path.read_text() == "last\n"


def test_the_log_of_a_service_is_cut_too(folder: JobFolder) -> None:
    folder.services.mkdir()
    log = folder.services / "model.0.log"
    log.write_text("1" * 40 + "2" * 40)
    bound_logs(folder, limit=50)
    assert (log.read_text(), log.with_name("model.0.log.1").read_text()) == ("", "1" * 10 + "2" * 40)


def test_a_running_job_s_logs_are_looked_at_once_a_second(folder: JobFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[JobFolder] = []
    now = [100.0]
    monkeypatch.setattr("insula.jobs.logs.bound_logs", looked.append)
    bound = LogBound(folder, lambda: now[0])
    for _ in range(13):
        now[0] += 0.25
        bound.look()
    assert len(looked) == 3
