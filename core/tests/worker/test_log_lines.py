from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from insula.executors.inline import InlineExecutor
from insula.worker.cell import Cell
from insula.worker.log_lines import LogLines


@contextmanager
def no_logging() -> Iterator[None]:
    """Make this a process in which nobody has set up logging; pytest has, anew in every test's body."""
    handlers, level = list(logging.root.handlers), logging.root.level
    logging.root.handlers.clear()
    try:
        yield
    finally:
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)


@no_logging()
def test_the_batch_in_predict_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    monkeypatch.setattr("sys.stderr", shown)
    lines = LogLines()
    lines.install("INFO")
    log = logging.getLogger("mine")
    log.info("before")
    lines.cell = cell = Cell(tmp_path / "cell")
    log.debug("not shown")
    cell.predicting(12, 0, 1.0)
    log.warning("during %d", 1)
    cell.predicted()
    log.info("after")
    printed = [line.split(" ", 2)[2] for line in shown.getvalue().splitlines()]
    assert printed == ["INFO mine: before", "WARNING mine: [batch 12] during 1", "INFO mine: after"]


@no_logging()
def test_a_host_that_has_set_up_logging_is_left_alone() -> None:
    handler = logging.NullHandler()
    logging.root.addHandler(handler)
    logging.root.setLevel("ERROR")
    LogLines().install("DEBUG")
    assert (logging.root.handlers, logging.root.level) == ([handler], logging.ERROR)


@no_logging()
def test_a_worker_in_the_host_s_process_leaves_logging_as_it_was() -> None:
    level = logging.root.level
    executor = InlineExecutor()
    LogLines().install("DEBUG")
    assert len(logging.root.handlers) == 1
    executor.close()
    assert (logging.root.handlers, logging.root.level) == ([], level)
