"""insula's own server as a process, with clients of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from lightserver import reach

from insula_tensorflow.remote import RemoteBackend

PATIENCE = 240.0  # importing TensorFlow takes long on a loaded machine


class OwnServer:
    """`python -m insula_tensorflow.server` on a port of its own; `start` after `kill` takes the same port again."""

    def __init__(self, folder: Path, models: dict[str, Path], **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "models.json"
        listed = [{"name": name, "path": str(path)} for name, path in models.items()]
        self._file.write_text(json.dumps({"models": listed, **settings}))
        self.log = folder / "server.log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> OwnServer:
        words = ["--port", str(self.port), "--models-file", str(self._file)]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "insula_tensorflow.server", *words],
                env=environment,
                stdout=log,
                stderr=log,
            )
        return self

    def reach(self, name: str = "m", **settings: Any) -> RemoteBackend:
        return reach(self.address, name, seconds=PATIENCE, **settings)

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(60)

    def __enter__(self) -> OwnServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.end(signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port
