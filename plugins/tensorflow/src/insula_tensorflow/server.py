"""insula's own server of SavedModels: `python -m insula_tensorflow.server`.

It speaks the gRPC API of TensorFlow Serving, on this machine only. The port opens before TensorFlow is imported.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc

from insula.errors import UserError
from insula_tensorflow.hosting import MISSING, Host, HostSettings
from insula_tensorflow.services import Methods, add_official

_LOG = logging.getLogger(__name__)
# Each thread holds one request, which waits for others to be joined with.
_THREADS = 64
_GRACE = 5.0
_OPTIONS: tuple[tuple[str, Any], ...] = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # Otherwise two servers would share a port, and each get half of the calls.
    ("grpc.so_reuseport", 0),
)


class ModelServer:
    """A server on 127.0.0.1 that loads its models in a thread.

    Args:
        settings: what it serves.
        port: 0 takes one that is free.

    Raises:
        UserError: if the port is taken.
    """

    def __init__(self, settings: HostSettings, port: int) -> None:
        self._host = Host(settings)
        self._methods = Methods(self._host)
        self._server = grpc.server(ThreadPoolExecutor(_THREADS), (self._methods,), options=_OPTIONS)
        self._loading = threading.Thread(target=self._load, name="loading", daemon=True)
        self.loaded = threading.Event()
        self.port: int = _bind(self._server, port)

    def start(self) -> None:
        """Open the port, and begin to load."""
        self._server.start()
        self._loading.start()

    @property
    def faults(self) -> Sequence[str]:
        """What is wrong with models that could not be loaded; complete once `loaded` is set."""
        return self._host.faults

    def _load(self) -> None:
        try:
            add_official(self._host, self._methods)
        except ImportError as error:
            _LOG.exception("TensorFlow cannot be imported")
            self._host.fail(f"{MISSING} ({error})")
        else:
            self._host.load()
        self.loaded.set()

    def stop(self, grace: float = _GRACE) -> None:
        """Take no more requests, and let those that run end for some seconds.

        Models stay as they are: a prediction may still be in one, and the process ends next.
        """
        self._server.stop(grace).wait()
        self._host.summarize()


def _bind(server: Any, port: int) -> int:
    taken = UserError(f"port {port} of 127.0.0.1 cannot be listened on; is another server there?")
    try:
        bound: int = server.add_insecure_port(f"127.0.0.1:{port}")
    except RuntimeError as error:
        raise taken from error
    if not bound:
        raise taken
    return bound


def serve(server: ModelServer, told: Callable[[], None] | None = None) -> None:
    """Run a server in the main thread until SIGTERM or SIGINT; the process has then nothing left to do but to end.

    Args:
        told: called once all models are loaded or failed; what it raises ends the server.
    """
    over = threading.Event()
    before = {one: signal.signal(one, lambda *_: over.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.start()
        # In steps, since Python runs signal handlers between two waits at the latest.
        while not (server.loaded.wait(0.2) or over.is_set()):
            pass
        if told is not None and server.loaded.is_set():
            told()
        while not over.wait(1.0):
            pass
    finally:
        server.stop()
        for one, handler in before.items():
            signal.signal(one, handler)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve what a models file says until SIGTERM, and end this process."""
    parser = argparse.ArgumentParser(prog="python -m insula_tensorflow.server", description="Serve SavedModels.")
    parser.add_argument("--port", type=int, required=True, help="port of 127.0.0.1")
    parser.add_argument("--models-file", type=Path, required=True, help="JSON: models, batching, threads")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = HostSettings.parse(json.loads(chosen.models_file.read_text(encoding="utf-8")))
    try:
        serve(ModelServer(settings, chosen.port))
    except UserError as error:
        sys.exit(str(error))
    leave(0)


def leave(code: int) -> None:
    """End the process without unloading TensorFlow, which takes long, and may be in the middle of loading a model."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
