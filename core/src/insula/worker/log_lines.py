"""What a worker's logging looks like: time, level, logger, and the batch that `predict` was at."""

from __future__ import annotations

import logging

from insula.worker.cell import Cell


class LogLines(logging.Formatter):
    """Formats records for the worker's own log, which `insula logs` reads.

    Attributes:
        cell: says which batch is being predicted; None before the first.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(batch)s%(message)s")
        self.cell: Cell | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of one record."""
        batch = None if self.cell is None else self.cell.batch
        record.batch = "" if batch is None else f"[batch {batch}] "
        return super().format(record)

    def install(self, level: str) -> None:
        """Write records to standard error, unless the process that this is has decided otherwise."""
        if not logging.root.handlers:
            handler = logging.StreamHandler()
            handler.setFormatter(self)
            logging.root.addHandler(handler)
            logging.root.setLevel(level)
