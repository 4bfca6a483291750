from __future__ import annotations

import pytest

from insula.errors import StorageError
from insula.storage import retrying as module
from insula.storage.faults import TransientError
from insula.storage.retrying import retrying


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(module.time, "sleep", found.append)
    return found


class Failing:
    """Fails so many times, then works."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left, self.error, self.calls = times, error, 0

    def __call__(self) -> str:
        self.calls += 1
        self.left -= 1
        if self.left >= 0:
            raise self.error
        return "done"


def test_what_passes_is_tried_again_later_and_later(slept: list[float]) -> None:
    assert retrying("s3://b/k", Failing(4, ConnectionResetError("reset"))) == "done"
    assert len(slept) == 4
    assert all(0.5 * due <= delay <= 1.5 * due for delay, due in zip(slept, module.DELAYS, strict=True))


def test_there_are_five_tries(slept: list[float]) -> None:
    failing = Failing(9, ConnectionResetError("reset"))
    with pytest.raises(TransientError, match=r"^s3://me@b/k: the connection broke: reset \(tried 5 times\)$"):
        retrying("s3://me:secret@b/k", failing)
    assert failing.calls == 5


def test_a_silent_server_is_asked_three_times(slept: list[float]) -> None:
    failing = Failing(9, TimeoutError())
    with pytest.raises(TransientError, match=r"did not answer in time \(tried 3 times\)$"):
        retrying("s3://b/k", failing)
    assert (failing.calls, len(slept)) == (3, 2)


def test_what_does_not_pass_is_not_tried_again(slept: list[float]) -> None:
    failing = Failing(9, PermissionError("Forbidden"))
    with pytest.raises(StorageError, match=r"^s3://b/k: permission denied: Forbidden$"):
        retrying("s3://b/k", failing)
    assert (failing.calls, slept) == (1, [])


def test_a_fault_of_ours_keeps_its_traceback(slept: list[float]) -> None:
    with pytest.raises(ZeroDivisionError):
        retrying("s3://b/k", lambda: 1 // 0)
