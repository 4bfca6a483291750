"""The end of the process: quick, and with all that was written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

CODE = """
import atexit, sys, threading
from insula.cli import group, main

def run(**options):
    sys.stdout.write("x" * LENGTH)
    BODY

group.insula.main = run
main()
"""


def run(body: str, length: int, **streams: Any) -> subprocess.CompletedProcess[str]:
    code = CODE.replace("BODY", body).replace("LENGTH", str(length))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    return subprocess.run([sys.executable, "-c", code], env=environment, text=True, check=False, timeout=60, **streams)


@pytest.mark.parametrize(
    ("body", "code", "more"),
    [
        ("return 3", 3, ""),
        ("raise KeyboardInterrupt", 130, ""),
        ("atexit.register(sys.stdout.write, 'bye'); return 0", 0, "bye"),
        ("threading.Thread(target=lambda: (threading.main_thread().join(), print('more'))).start(); return 3", 3, "more\n"),
        ("threading.Thread(target=threading.Event().wait, daemon=True).start(); return 3", 3, ""),
    ],
    ids=["a code", "interrupted", "at exit", "another thread", "a daemon"],
)  # fmt: skip
def test_all_that_was_written_is_there(body: str, code: int, more: str) -> None:
    done = run(body, 300_000)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == "x" * 300_000 + more


@pytest.mark.parametrize(("given", "code"), [(0, 1), (2, 2)])
def test_what_cannot_be_written_at_the_end_is_no_success(given: int, code: int) -> None:
    with open("/dev/full", "w") as full:
        done = run(f"return {given}", 10, stdout=full)
    assert (done.returncode, done.stderr) == (code, "")


def test_who_stopped_reading_changes_no_exit_code() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run("return 3", 10, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (3, "")


def test_a_stream_that_was_closed_is_let_be() -> None:
    done = run("sys.stdout.close(); return 3", 10)
    assert (done.returncode, done.stdout, done.stderr) == (3, "x" * 10, "")
