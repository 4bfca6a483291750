"""An interpreter that stands by: it has imported what every worker needs before it is known which worker it will be.

It forks others like it: milliseconds each, where a start takes a hundred. That is safe here and nowhere later: there is no
thread yet, no user code and no framework.
"""

from __future__ import annotations

import gc
import os
import socket
import time
from collections.abc import Sequence
from typing import Any

from insula.worker.process import serve
from insula.worker.protocol import pack, receive


def main(parent: int, *descriptors: int) -> None:
    """Stand by in as many processes as there are sockets, and become the worker that each is told to be.

    Args:
        parent: the coordinator's process id.
        descriptors: the sockets.
    """
    _import_ahead()
    # What was imported so far stays: pages that no collection writes to are shared by all of them.
    gc.freeze()
    connected = socket.socket(fileno=_multiply(descriptors, parent))
    connected.sendall(pack({"type": "standing", "pid": os.getpid()}))
    frame = receive(connected)
    if frame is not None:
        _become(frame)
        serve(connected, parent)


def _import_ahead() -> None:
    """Import what most workers need, though not all: there is nothing else to do."""
    import ctypes  # noqa: F401
    import hashlib  # noqa: F401

    import insula.hardware.cpu
    import insula.sources.plugin  # noqa: F401


def _multiply(descriptors: Sequence[int], parent: int) -> int:
    """Fork a process for each socket but the first; return the socket that belongs to the process this returns in.

    All of them are children of `parent`, which for that must be a subreaper: who forks them ends at once.
    """
    mine = descriptors[0]
    for descriptor in descriptors[1:]:
        try:
            between = os.fork()
        except OSError:
            break  # there are as many as the system allows; the sockets of the others close
        if between:
            os.waitpid(between, 0)
        elif _fork_and_end(parent):
            mine = descriptor
            break
    for descriptor in descriptors:
        if descriptor != mine:
            os.close(descriptor)
    return mine


def _fork_and_end(parent: int) -> bool:
    """Go on as a child of `parent`, in a session of its own as every worker."""
    between = os.getpid()
    try:
        if os.fork():
            os._exit(0)
    except OSError:
        os._exit(1)
    while os.getppid() == between:
        time.sleep(0.0005)
    if os.getppid() != parent:
        os._exit(1)
    os.setsid()
    return True


def _become(frame: dict[str, Any]) -> None:
    """Turn into the worker that is needed: its environment, folder and log."""
    os.environ.clear()
    os.environ.update(frame["environment"])
    os.chdir(frame["folder"])
    log = os.open(frame["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
