from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insula.errors import ConservationError, JobError, OutputError
from insula.ledger import Ledger, Settled
from insula.results import export
from insula.results.export import Exporter
from insula.results.parts import PartWriter


class Job:
    """A ledger, parts and an export, over samples whose lines are their numbers."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.parts, self.target = root / "parts", root / "predictions.jsonl.partial"
        self.parts.mkdir()
        self.ledger = Ledger(root / "ledger", create=True)
        self.exporter = Exporter(self.ledger, self.parts, self.target)
        self.writers: dict[str, PartWriter] = {}
        self.names = 0

    def settle(self, index: int, count: int, kind: str = "each", writer: str = "a", limit: int = 60) -> str:
        """Write and settle consecutive samples; return the part that their lines are in."""
        if writer not in self.writers:
            self.names += 1
            self.writers[writer] = PartWriter(self.parts, f"{writer}{self.names}", limit)
        data = lines(index, count) if kind == "each" else b""
        used = self.writers[writer]
        before, offset = used.name, used.append(data) if data else 0
        numbers = {"each": (count, 0, 0, 0, 0), "stored": (0, 0, 0, count, 0), "dead": (0, 0, 0, 0, count)}[kind]
        row = Settled(index, count, used.name if data else "", offset, len(data), *numbers)
        self.ledger.settle(row)
        self.exporter.expect(row)
        if before not in ("", used.name):
            self.exporter.part_closed(before)
        return used.name

    def end(self, writer: str) -> None:
        if writer in self.writers:
            used = self.writers.pop(writer)
            used.close()
            if used.name:
                self.exporter.part_closed(used.name)

    def crash(self) -> None:
        """Go on as another coordinator would, with what was committed."""
        self.exporter.close()
        self.ledger.close()
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()
        self.ledger = Ledger(self.root / "ledger")
        self.exporter = Exporter(self.ledger, self.parts, self.target)
        self.exporter.adopt()

    def left(self) -> set[str]:
        self.exporter.wait_for_removals()
        return {path.name for path in self.parts.iterdir()}

    def close(self) -> None:
        self.exporter.close()
        self.ledger.close()


def lines(index: int, count: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(index, index + count))


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    made = Job(tmp_path)
    yield made
    made.close()


def test_what_is_settled_in_any_order_is_exported_in_order(job: Job) -> None:
    job.settle(10, 5)
    assert not job.exporter.step()
    assert job.target.read_bytes() == b""
    job.settle(5, 5, "stored")
    job.settle(0, 5, writer="b")
    assert not job.exporter.step()
    assert job.target.read_bytes() == lines(0, 5) + lines(10, 5)
    assert job.exporter.exported == 15


def test_a_step_is_bounded(job: Job) -> None:
    for index in range(0, 100, 10):
        job.settle(index, 10)
    assert job.exporter.step(budget=1)
    assert job.exporter.exported == 10
    while job.exporter.step(budget=25):
        pass
    assert job.exporter.exported == 100


def test_a_row_larger_than_the_buffer_is_copied_whole(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_CHUNK", 1000)
    job.settle(0, 5000)
    job.exporter.finish()
    assert job.target.read_bytes() == lines(0, 5000)
    assert job.ledger.state.exported_lines == 5000


def test_a_part_goes_when_it_is_closed_and_its_export_is_durable(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_SYNC_SECONDS", 0.0)
    first = job.settle(0, 30)
    second = job.settle(30, 5)
    assert first != second
    job.exporter.step()
    assert job.left() == {first, second}
    job.exporter.synchronise()
    assert job.left() == {first, second}  # the sync has only begun
    job.exporter._sync.wait()
    job.exporter._sync._thread.join()
    job.exporter.synchronise()
    assert job.ledger.state.exported == 35
    assert job.left() == {second}


def test_what_is_committed_survives_and_what_is_behind_the_watermark_is_cut(job: Job) -> None:
    job.settle(0, 5)
    job.exporter.finish()
    job.settle(5, 5, writer="b")
    job.ledger.commit()
    job.exporter.step()
    with job.target.open("ab") as file:
        file.write(b"whatever a dying coordinator left")
    job.crash()
    assert job.target.read_bytes() == lines(0, 5)
    job.exporter.finish()
    assert job.target.read_bytes() == lines(0, 10)
    assert job.left() == set()


def test_after_a_crash_parts_without_results_go_at_once(job: Job) -> None:
    kept = job.settle(0, 5)
    job.ledger.commit()
    job.settle(5, 5, writer="b")  # never committed
    job.crash()
    assert job.left() == {kept}


def test_a_part_that_cannot_be_deleted_is_named_and_holds_up_no_other(job: Job) -> None:
    kept, other = job.settle(0, 5), job.settle(5, 5, writer="b")
    job.exporter.step()
    (job.parts / kept).unlink()
    (job.parts / kept).mkdir()  # nobody unlinks a folder, whoever he is
    job.exporter.finish()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OutputError, match=f"cannot delete .*{kept}: "):
        job.exporter.close()
    assert len(os.listdir("/proc/self/fd")) < before
    assert {path.name for path in job.parts.iterdir()} == {kept}
    (job.parts / kept).rmdir()
    assert not (job.parts / other).exists()
    job.exporter = Exporter(job.ledger, job.parts, job.target)


def test_a_results_file_that_was_cut_from_outside_is_named(job: Job) -> None:
    job.settle(0, 5)
    job.exporter.finish()
    whole = job.target.read_bytes()
    job.target.write_bytes(b"0\n")
    with pytest.raises(JobError, match=r"partial has 2 bytes, and 10 of it were already complete: it was changed"):
        Exporter(job.ledger, job.parts, job.target)
    job.target.write_bytes(whole)
    job.crash()


def test_a_results_file_that_grew_is_a_fault(job: Job) -> None:
    job.settle(0, 5)
    job.exporter.step()
    with job.target.open("ab") as file:
        file.write(b"not ours\n")
    with pytest.raises(ConservationError, match=r"has 19 bytes, but 10 bytes of results were copied into it"):
        job.exporter.finish()
    assert job.ledger.state.exported == 0


def test_a_part_that_is_cut_or_missing_is_named(job: Job) -> None:
    name = job.settle(0, 5)
    (job.parts / name).write_bytes(b"0\n1\n")
    with pytest.raises(OutputError, match=f"{name} ends before byte 10: it was changed from outside"):
        job.exporter.step()
    job.crash()
    other = job.settle(0, 5, writer="b")
    (job.parts / other).unlink()
    with pytest.raises(OutputError, match=f"{other} is missing: it was deleted from outside"):
        job.exporter.step()


def test_results_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger", create=True)
    with pytest.raises(OutputError, match="cannot write .*: Is a directory"):
        Exporter(ledger, tmp_path, tmp_path)
    ledger.close()


def test_a_rename_keeps_what_was_exported(job: Job) -> None:
    job.settle(0, 3)
    job.exporter.finish()
    final = job.exporter.rename("predictions.jsonl")
    assert final.read_bytes() == lines(0, 3)
    assert not job.target.exists()


SETTLE = st.tuples(
    st.just("settle"), st.integers(0, 59), st.integers(1, 9), st.sampled_from(["each", "each", "stored", "dead"]),
    st.sampled_from("abc"),
)  # fmt: skip
STEPS = st.one_of(
    SETTLE, SETTLE, st.tuples(st.just("step"), st.integers(1, 40)), st.tuples(st.just("commit")), st.tuples(st.just("sync")),
    st.tuples(st.just("crash")), st.tuples(st.just("end"), st.sampled_from("abc")),
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.lists(STEPS, max_size=40))
def test_any_layout_and_any_crash_give_each_sample_once_in_order(steps: list[tuple]) -> None:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as root:
        job = Job(Path(root))
        try:
            run_steps(job, steps)
        finally:
            job.close()


def run_steps(job: Job, steps: list[tuple]) -> None:
    job.ledger.state.samples = 60  # all of them are split
    job.ledger.commit()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(export, "_SYNC_SECONDS", -1.0)
        for step, *given_ in [*steps, ("all",)]:
            if step == "settle":
                settle_some(job, *given_)
            elif step == "all":
                while free := list(job.ledger.unsettled(0)):
                    job.settle(free[0][0], min(5, free[0][1] - free[0][0]))
            elif step == "step":
                job.ledger.commit()  # as in the coordinator: what is exported is committed
                job.exporter.step(*given_)
            elif step == "sync":
                job.ledger.commit()
                job.exporter.synchronise()
            else:
                {"commit": job.ledger.commit, "crash": job.crash, "end": job.end}[step](*given_)
            assert needed(job) <= job.left()
    job.ledger.commit()
    job.exporter.finish()
    rows = list(job.ledger.settled(0))
    assert [row.index for row in rows] == [0, *(row.stop for row in rows[:-1])]
    expected = b"".join(lines(row.index, row.samples) for row in rows if row.each)
    assert job.target.read_bytes() == expected
    state = job.ledger.state
    assert (state.exported, state.exported_bytes) == (60, len(expected))
    assert state.exported_lines == state.each == expected.count(b"\n")
    assert job.left() == set()


def settle_some(job: Job, index: int, count: int, kind: str, writer: str) -> None:
    free = [number for first, stop in job.ledger.unsettled(0) for number in range(first, stop)]
    if index in free:
        longest = next((n for n in range(1, count) if index + n not in free), count)
        job.settle(index, longest, kind, writer)


def needed(job: Job) -> set[str]:
    """The parts that hold results which no watermark covers."""
    return {row.part for row in job.ledger.settled(job.ledger.state.exported) if row.length}


def test_the_name_of_the_file_is_durable_before_the_ledger_counts_on_it(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[Path, int]] = []
    monkeypatch.setattr(export, "sync_folder", lambda folder: synced.append((folder, job.ledger.state.exported_bytes)))
    job.settle(0, 5)
    job.exporter.finish()
    job.settle(5, 5, writer="b")
    job.exporter.finish()
    assert synced == [(job.root, 0)]
