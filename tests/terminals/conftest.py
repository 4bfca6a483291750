"""Commands of insula on pseudo terminals, typed into and read as a person would."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# conftest files are no modules that others can import by name.
_spec = importlib.util.spec_from_file_location("insula_trials", Path(__file__).parents[1] / "crashes" / "conftest.py")
assert _spec is not None
assert _spec.loader is not None
_crashes = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_crashes)

trials = _crashes.trials
trial = _crashes.trial
predictor = _crashes.predictor
DEADLINE: float = _crashes.DEADLINE
_WIDTH = 120
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
# The terminal must be the one that controls the process: only then is Ctrl-C a signal.
_BEGIN = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "insula", *sys.argv[1:]])
"""


class Terminal:
    """A terminal of its own in which one command runs.

    Attributes:
        raw: all that was shown so far, as it came.
    """

    def __init__(self, environment: dict[str, str], *words: object) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, _WIDTH, 0, 0))
        command = [sys.executable, "-c", _BEGIN, *map(str, words)]
        self.process = subprocess.Popen(
            command, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
        os.close(theirs)
        self.raw = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        try:
            while chunk := os.read(self._ours, 4096):
                self.raw += chunk.decode(errors="replace")
        except OSError:
            pass  # Linux says EIO once nobody has the other side open

    @property
    def text(self) -> str:
        """What was shown, without what moves the cursor."""
        return _CONTROL.sub("", self.raw)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until something is shown."""
        deadline = time.monotonic() + DEADLINE
        while (found := re.search(pattern, self.text)) is None:
            assert time.monotonic() < deadline, f"in vain for {pattern!r}: {self.text!r}"
            assert self._reader.is_alive() or re.search(pattern, self.text), f"no {pattern!r} in {self.text!r}"
            time.sleep(0.01)
        return found

    def finish(self) -> int:
        """Wait for the command; return its exit code."""
        code = self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        return code

    def shares(self) -> list[int]:
        """Return every per cent that the bar has shown while the job was running."""
        return [int(share) for share in re.findall(r"running +(\d+)%", self.text)]

    def close(self) -> None:
        """End what a failed test left."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        os.close(self._ours)


@pytest.fixture
def terminal(trial) -> Iterator[Callable[..., Terminal]]:
    """Runs a command of insula in a terminal of its own."""
    made: list[Terminal] = []
    environment = {
        key: value for key, value in trial.environment().items() if key not in ("COLUMNS", "LINES", "NO_COLOR")
    }

    def start(*words: object) -> Terminal:
        made.append(Terminal({**environment, "TERM": "xterm-256color"}, *words))
        return made[-1]

    yield start
    for one in made:
        one.close()
