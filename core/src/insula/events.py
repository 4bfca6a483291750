"""The one log of what happened in a job: append-only JSON lines with stable names; the progress bar and `logs` read it.

Every line has `time` (seconds since 1970), `event` and the fields of that event. It is written for people and programs that
watch; the truth is in the ledger, so a line lost in a power cut costs nothing, and lines are not synced.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson

Listener = Callable[[dict[str, Any]], None]


class EventLog:
    """An open event log.

    Args:
        path: the file, appended to.
        listener: called with each event, in the thread that emits it.
    """

    def __init__(self, path: Path, listener: Listener | None = None) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._listener = listener

    def emit(self, event: str, **fields: Any) -> None:
        """Append one event; one `write`, so that lines of two writers never mix."""
        line = {"time": round(time.time(), 3), "event": event, **fields}
        os.write(self._descriptor, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS))
        if self._listener is not None:
            self._listener(line)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
