"""An interpreter that stands by, and what it can become."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from insula.executors.interface import Start
from insula.executors.launching import Standby
from insula.worker.environment import THREADS


@pytest.fixture
def standby() -> Iterator[Standby]:
    standby = Standby()
    yield standby
    standby.close()


def start(standby: Standby, folder: Path, **more: str) -> Start:
    # Not os.environ: pytest has changed it since.
    environment = {**standby._environment, **dict.fromkeys(THREADS, "1"), **more}
    return Start("1-0-1", environment, folder, folder / "log")


def test_it_becomes_a_worker_once(standby: Standby, tmp_path: Path) -> None:
    became = standby.become(start(standby, tmp_path))
    assert became is not None
    assert standby.become(start(standby, tmp_path)) is None
    process, ours = became
    ours.close()  # a worker ends when its socket closes
    assert process.wait(30) == -signal.SIGKILL


def test_not_one_of_another_environment(standby: Standby, tmp_path: Path) -> None:
    assert standby.become(start(standby, tmp_path, CUDA_VISIBLE_DEVICES="0")) is None


def test_not_one_that_has_a_variable_too_many(standby: Standby, tmp_path: Path) -> None:
    wanted = start(standby, tmp_path)
    fewer = {name: value for name, value in wanted.environment.items() if name != "PATH"}
    assert len(fewer) < len(wanted.environment)
    assert standby.become(attrs.evolve(wanted, environment=fewer)) is None


def test_not_when_it_is_gone(standby: Standby, tmp_path: Path) -> None:
    assert standby._started is not None
    process, _ = standby._started
    process.kill()
    process.wait()
    assert standby.become(start(standby, tmp_path)) is None


def test_what_nobody_needed_is_ended(standby: Standby) -> None:
    assert standby._started is not None
    process, _ = standby._started
    standby.close()
    assert process.returncode == -signal.SIGKILL
