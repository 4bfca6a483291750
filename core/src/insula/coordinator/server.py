"""The server process of one service: started, found ready, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from insula.coordinator.ports import Port, take_port
from insula.descriptors import Service
from insula.errors import UserError
from insula.executors.identity import has_ended, signal_group, started
from insula.executors.interface import Cause

# The program takes the place of this interpreter, which sees to it that it ends with its coordinator (on Linux), and undoes
# what interpreters change. Not by `preexec_fn`, which is not safe beside other threads.
_COMMAND = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("the coordinator is gone")
for number in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""
_LAST_WORDS = 20
_TAIL = 16 * 1024


class Server:
    """The server of one service.

    Args:
        service: what to start.
        environment: what it starts from.
        root: the folder for its own folder and its log.

    Attributes:
        label: its name, with the worker's number if it serves one alone.
        starts: how often it was started.
        ready: whether its process has accepted a connection.
        unready: how many processes in a row ended without having done so.
    """

    def __init__(self, service: Service, environment: Mapping[str, str], root: Path) -> None:
        self.service = service
        self.label = service.name if service.assignment is None else f"{service.name}.{service.assignment}"
        self.folder, self.log = root / self.label, root / f"{self.label}.log"
        self.environment = environment
        self.ready = False
        self.starts = self.unready = 0
        self._known = False
        self._log_begin = 0
        self._port: Port | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> Port:
        """Its port, which stays the same from the moment in which it was first ready."""
        if self._port is None:
            self._port = take_port()
        return self._port

    @property
    def runs(self) -> bool:
        """Whether it was started and not seen to end."""
        return self._process is not None

    # ------------------------------------------------------------------------------------------ starting

    def start(self) -> tuple[int, str]:
        """Start it; return its process id and when that started.

        Raises:
            UserError: if it cannot be started.
        """
        if not self._known:
            # Whoever took the last port meanwhile may have been why it did not get ready.
            self.free_port()
        self.starts += 1
        try:
            self._process = self._start()
        except OSError as error:
            raise UserError(f"service {self.label} cannot be started: {error}") from error
        return self._process.pid, started(self._process.pid)

    def _start(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in self.service.files.items():
            (self.folder / name).write_text(self._filled(text), encoding="utf-8")
        argv = [self._filled(word) for word in self.service.argv]
        laid_over = {name: self._filled(value) for name, value in self.service.environment.items()}
        with open(self.log, "ab", opener=_private) as log:
            self._log_begin = log.seek(0, os.SEEK_END)
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _COMMAND, str(os.getpid()), *argv],
                cwd=self.folder,
                env={**self.environment, **laid_over},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _filled(self, text: str) -> str:
        # Not `format`: configuration is full of braces.
        return text.replace("{port}", str(self.port.number)).replace("{folder}", str(self.folder))

    # ------------------------------------------------------------------------------------------ watching

    def look(self) -> bool:
        """Return whether it has become ready since the last look."""
        if self.ready or not self.port.answers():
            return False
        self.ready = self._known = True
        self.unready = 0
        return True

    def bury(self) -> Cause | None:
        """If it has ended, end what it leaves behind and return how it ended."""
        process = self._process
        if process is None or not has_ended(process.pid):
            return None
        signal_group(process.pid)
        code = process.wait()
        self._process = None
        if not self.ready:
            self.unready += 1
        self.ready = False
        return Cause(code=code) if code >= 0 else Cause(signal=-code)

    def last_words(self) -> str:
        """Return the last lines that were logged since the last start, each on a line of its own."""
        try:
            with self.log.open("rb") as log:
                length = log.seek(0, os.SEEK_END)
                # A log that was cut meanwhile is shorter than it was at the start.
                log.seek(max(self._log_begin if self._log_begin <= length else 0, length - _TAIL))
                lines = log.read().decode("utf-8", "backslashreplace").splitlines()
        except OSError:
            return ""
        return "".join(f"\n  {line}" for line in lines[-_LAST_WORDS:])

    # ------------------------------------------------------------------------------------------ ending

    def ask_to_end(self) -> None:
        """Send SIGTERM to all of its processes."""
        if self._process is not None:
            signal_group(self._process.pid, signal.SIGTERM)

    def has_ended(self) -> bool:
        """Return whether it runs no more."""
        return self._process is None or has_ended(self._process.pid)

    def end(self) -> None:
        """End it and whatever it started, at once."""
        if self._process is not None:
            signal_group(self._process.pid)
            self._process.wait()
            self._process = None
        self.ready = False
        self.free_port()

    def free_port(self) -> None:
        """Give the port up."""
        if self._port is not None:
            self._port.release()
            self._port = None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
