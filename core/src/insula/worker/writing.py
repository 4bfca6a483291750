"""Writing behind the work: write, fdatasync, report, in this order, while the next lease is being predicted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from insula import failpoints
from insula.results.parts import PartWriter
from insula.worker.report import Report

Send = Callable[[dict[str, Any]], None]


class Writer:
    """Writes a report's lines, syncs them, and only then sends the report.

    Args:
        parts: where the lines go.
        send: sends a frame to the coordinator.
    """

    def __init__(self, parts: PartWriter, send: Send) -> None:
        self._parts = parts
        self._send = send

    def put(self, report: Report) -> None:
        """Write and send one report."""
        before = self._parts.name
        data = b"".join(report.chunks)
        offset = 0
        if data:
            offset = self._parts.append(data)
            self._parts.sync()
        frame = report.frame(self._parts.name if data else "", offset)
        if before and before != self._parts.name:
            frame["closed"] = before
        with failpoints.around("report"):
            self._send(frame)

    def drain(self) -> None:
        """Return when everything that was put is sent."""

    def close(self) -> None:
        """Write what is left and close the part."""
        self.drain()
        self._parts.close()


class WriterBehind(Writer):
    """A writer with a thread of its own, at most a few reports behind.

    Args:
        fail: called in the writer's thread with an error that writing raised.
    """

    def __init__(self, parts: PartWriter, send: Send, fail: Callable[[BaseException], None]) -> None:
        super().__init__(parts, send)
        self._fail = fail
        self._waiting: queue.Queue[Report] = queue.Queue(maxsize=4)
        threading.Thread(target=self._run, name="insula-writer", daemon=True).start()

    def put(self, report: Report) -> None:
        """Hand one report to the thread; wait while it is too far behind."""
        self._waiting.put(report)

    def drain(self) -> None:
        """Return when everything that was put is sent."""
        self._waiting.join()

    def _run(self) -> None:
        while True:
            report = self._waiting.get()
            try:
                super().put(report)
            except BaseException as error:
                self._fail(error)
                return
            self._waiting.task_done()
