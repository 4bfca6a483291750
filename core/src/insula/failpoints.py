"""Named points at which a test ends this process as a power cut would: SIGKILL, nothing flushed, no handler run.

`INSULA_FAIL_POINT=NAME:before|after:N` arms the N-th passage of one point; `INSULA_FAIL_ONCE=FILE` makes sure that, over all
processes of a job, only one dies: the first to create that file. Callers ask `if failpoints.armed:` first, so that a point
costs one attribute look-up when it is off.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = (
    "spool", "split", "lease", "read", "predict", "part-write", "sync", "report", "commit", "export", "watermark",
    "completion", "rename",
)  # fmt: skip

_wanted = os.environ.get("INSULA_FAIL_POINT", "")
armed = bool(_wanted)
_passages: dict[str, int] = {}


def reach(name: str, when: str) -> None:
    """Pass the point; end the process if this is the passage that is armed."""
    point = f"{name}:{when}"
    _passages[point] = _passages.get(point, 0) + 1
    if _wanted == f"{point}:{_passages[point]}" and _first():
        os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def around(name: str) -> Iterator[None]:
    """Pass the point before and after a block; for steps that happen a few times a second at most."""
    if armed:
        reach(name, "before")
    yield
    if armed:
        reach(name, "after")


def _first() -> bool:
    once = os.environ.get("INSULA_FAIL_ONCE")
    if once is None:
        return True
    try:
        os.close(os.open(once, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return False
    return True
