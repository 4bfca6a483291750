from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from insula import __version__
from insula.executors.inline import InlineExecutor
from insula.executors.interface import Cause, Died, Start
from insula.worker.protocol import VERSION


def begin(executor: InlineExecutor, folder: Path, **variables: str) -> object:
    return executor.start(Start("1-0-1", {**os.environ, **variables}, folder, folder / "log"))


def test_the_process_is_given_back_as_it_was(tmp_path: Path) -> None:
    before = dict(os.environ), Path.cwd(), list(sys.path)
    executor = InlineExecutor()
    (tmp_path / "of_the_project.py").write_text("")
    begin(executor, tmp_path, GREETING="hello")
    assert (os.environ["GREETING"], Path.cwd()) == ("hello", tmp_path)
    sys.path.insert(0, str(tmp_path))
    __import__("of_the_project")
    executor.close()
    assert (dict(os.environ), Path.cwd(), list(sys.path)) == before
    assert "of_the_project" not in sys.modules


def test_a_worker_that_refuses_has_ended(tmp_path: Path) -> None:
    executor = InlineExecutor()
    handle = begin(executor, tmp_path)
    executor.send(handle, {"type": "setup", "version": "0.0", "protocol": VERSION})
    hello, checked, died = executor.receive(0)
    executor.close()
    assert (hello.frame["type"], hello.frame["version"]) == ("hello", __version__)
    assert checked.frame["faults"] == [f"the worker has insula {__version__}, the coordinator insula 0.0"]
    assert died == Died(handle, Cause(code=0))
    assert executor.identity(handle) is None


def test_a_worker_is_killed_once(tmp_path: Path) -> None:
    executor = InlineExecutor()
    handle = begin(executor, tmp_path)
    for _ in range(2):
        executor.kill(handle)
    (died,) = executor.receive(0)
    executor.close()
    assert died == Died(handle, Cause(text="was stopped", sent=True))


def test_waiting_can_be_ended() -> None:
    executor = InlineExecutor()
    timer = threading.Timer(0.05, executor.wake)
    timer.start()
    assert executor.receive(60) == []
    timer.join()
    executor.close()
