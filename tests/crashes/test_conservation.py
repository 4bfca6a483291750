"""Conservation is no tautology: an exporter that loses or doubles a line ends the job in an error that names the numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from insula.cli.group import insula
from insula.results import export
from insula.results.export import Exporter

Replace = Callable[[Any, str, Any], None]
_copy, _write, _append = Exporter._copy, export.write_all, Exporter._append


class Once:
    """True the first time."""

    def __init__(self) -> None:
        self.done = False

    def __call__(self) -> bool:
        before, self.done = self.done, True
        return not before


def lose_a_line(replace: Replace) -> None:
    first = Once()

    def copy(self: Exporter, part: str, offset: int, length: int) -> int:
        skipped = (self._parts / part).read_bytes().index(b"\n", offset) + 1 - offset if first() else 0
        return _copy(self, part, offset + skipped, length - skipped)

    replace(Exporter, "_copy", copy)


def double_a_line(replace: Replace) -> None:
    first = Once()

    def copy(self: Exporter, part: str, offset: int, length: int) -> int:
        again = (self._parts / part).read_bytes().index(b"\n", offset) + 1 - offset if first() else 0
        return (_copy(self, part, offset, again) if again else 0) + _copy(self, part, offset, length)

    replace(Exporter, "_copy", copy)


def lose_a_row(replace: Replace) -> None:
    first = Once()

    def append(self: Exporter, row: Any) -> None:
        if first():
            self._copy = lambda part, offset, length: 0
        _append(self, row)
        self.__dict__.pop("_copy", None)

    replace(Exporter, "_append", append)


def join_two_lines(replace: Replace) -> None:
    first = Once()

    def copy(self: Exporter, part: str, offset: int, length: int) -> int:
        if first():
            path = self._parts / part
            path.chmod(0o600)
            data = bytearray(path.read_bytes())
            data[data.index(b"\n", offset)] = ord(" ")
            path.write_bytes(data)
        return _copy(self, part, offset, length)

    replace(Exporter, "_copy", copy)


def count_what_is_not_written(replace: Replace) -> None:
    first = Once()

    def write(descriptor: int, data: bytes | memoryview) -> None:
        written = bytes(data)
        _write(descriptor, written[: written.rindex(b"\n", 0, -1) + 1] if first() else written)

    replace(export, "write_all", write)


@pytest.fixture
def prepared(trial, monkeypatch: pytest.MonkeyPatch):
    for name, value in trial.environment().items():
        monkeypatch.setenv(name, value)
    # Now that this process has the mark too, nothing may be ended by it.
    trial.mark = "none of this process"
    trial.write_rows(100)
    return trial


def run(trial: Any) -> int:
    words = ["--input", trial.inputs[0], "--batch-size", trial.batch_size]
    return insula.main([str(word) for word in (*trial.submission(), *words)], standalone_mode=False)


LINES = "100 samples in, but 99 predictions + 0 dead letters + 0 stored by the predictor = 99"
BYTES = r"has [\d,]+ bytes, but 10,425 bytes of results were copied into it"


@pytest.mark.parametrize(
    "fault, message",
    [
        (lose_a_line, BYTES),
        (double_a_line, BYTES),
        (lose_a_row, BYTES),
        (join_two_lines, re.escape(LINES)),
        (count_what_is_not_written, BYTES),
    ],
    ids=lambda it: getattr(it, "__name__", ""),
)
def test_an_exporter_at_fault_is_found_out(
    prepared, fault: Callable[[Replace], None], message: str, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    fault(monkeypatch.setattr)
    assert run(prepared) == 1
    err = capfd.readouterr().err
    assert re.search(message, err), err
    assert prepared.status()["status"] == "unexpected_error"
    assert re.search(message, prepared.status()["message"])
    assert not (prepared.output / "summary.json").exists()
    assert not prepared.done.exists()


def test_the_same_job_is_well_without_the_fault(prepared) -> None:
    assert run(prepared) == 0
    prepared.check()


def resume(trial: Any) -> int:
    return insula.main(["resume", trial.job.name, "--quiet"], standalone_mode=False)


def test_a_resume_does_not_hide_what_parts_no_longer_tell(prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        join_two_lines(patched.setattr)
        assert run(prepared) == 1
    assert resume(prepared) == 1
    assert LINES in prepared.status()["message"]


def test_a_resume_mends_what_is_found_before_the_watermark(prepared, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        lose_a_line(patched.setattr)
        assert run(prepared) == 1
    assert resume(prepared) == 0
    prepared.check()
