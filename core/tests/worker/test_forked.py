from __future__ import annotations

import subprocess
import sys

import pytest


def ended(error: str) -> subprocess.CompletedProcess[str]:
    code = f"from insula.worker.forked import end_child; print('last words', end=''); end_child({error})"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "error, code",
    [
        ("None", 0),
        ("SystemExit()", 0),
        ("SystemExit(0)", 0),
        ("SystemExit(3)", 3),
        ("SystemExit('no')", 1),
        ("ValueError('no')", 1),
    ],
)
def test_a_child_ends_with_the_code_that_python_gives_it(error: str, code: int) -> None:
    found = ended(error)
    assert (found.returncode, found.stdout) == (code, "last words")


def test_its_exception_is_in_the_log() -> None:
    assert "ValueError: no" in ended("ValueError('no')").stderr
    assert ended("SystemExit('no')").stderr == "no\n"
    assert ended("SystemExit(3)").stderr == ""
