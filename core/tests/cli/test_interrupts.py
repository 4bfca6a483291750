from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from insula.cli.interrupts import Interrupts

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def handlers_are_given_back() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


def send(number: int) -> None:
    # To this thread, so that the handler has run when the call is over.
    signal.pthread_kill(threading.get_ident(), number)
    signal.sigpending()


@pytest.mark.parametrize("number", SIGNALS)
def test_once_stops(number: int, capfd: pytest.CaptureFixture[str]) -> None:
    stops: list[str] = []
    with Interrupts() as interrupts:
        interrupts.expect("stopping; resume with x")
        interrupts.connect(lambda: stops.append("stop"))
        assert stops == []
        send(number)
    assert stops == ["stop"]
    assert interrupts.count == 1
    assert capfd.readouterr().err == "stopping; resume with x\n"


@pytest.mark.parametrize("first", SIGNALS)
@pytest.mark.parametrize("second", SIGNALS)
def test_twice_ends(first: int, second: int) -> None:
    stops: list[str] = []
    with Interrupts() as interrupts:
        interrupts.expect("stopping")
        interrupts.connect(lambda: stops.append("stop"), lambda: stops.append("abort"))
        send(first)
        with pytest.raises(KeyboardInterrupt):
            send(second)
    assert stops == ["stop", "abort"]


@pytest.mark.parametrize("number", SIGNALS)
def test_before_there_is_a_job_once_ends(number: int) -> None:
    with Interrupts(), pytest.raises(KeyboardInterrupt):
        send(number)


def test_a_signal_before_the_coordinator_is_not_lost() -> None:
    stops: list[str] = []
    with Interrupts() as interrupts:
        interrupts.expect("stopping")
        send(signal.SIGINT)
        interrupts.connect(lambda: stops.append("stop"))
    assert stops == ["stop"]


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts() as interrupts:
            interrupts.expect("stopping")
            send(signal.SIGINT)
        assert interrupts.count == 0
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_closed_standard_error_does_not_matter() -> None:
    stops: list[str] = []
    kept = os.dup(2)
    try:
        os.close(2)
        with Interrupts() as interrupts:
            interrupts.expect("stopping")
            interrupts.connect(lambda: stops.append("stop"))
            send(signal.SIGINT)
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    assert stops == ["stop"]


def test_another_thread_leaves_handlers_alone() -> None:
    seen: list[Any] = []

    def run() -> None:
        with Interrupts():
            seen.append([signal.getsignal(number) for number in SIGNALS])

    before = [signal.getsignal(number) for number in SIGNALS]
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [before]
