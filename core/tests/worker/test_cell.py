from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from insula.worker.cell import Cell, Doing, look


def test_a_cell_says_what_its_worker_does(tmp_path: Path) -> None:
    path = tmp_path / "cell"
    cell = Cell(path)
    assert look(path) == (None, None)
    cell.reading(3, 0, 1.5)
    assert look(path) == (None, Doing(3, 0, 1.5))
    cell.predicting(2, 16, 1.25)
    assert look(path) == (Doing(2, 16, 1.25), Doing(3, 0, 1.5))
    cell.read()
    assert look(path) == (Doing(2, 16, 1.25), None)
    cell.predicted()
    assert look(path) == (None, None)
    cell.predicting(0, 0, 0.0)
    cell.reading(2**60, 1, 0.0)
    assert look(path) == (Doing(0, 0, 0.0), Doing(2**60, 1, 0.0))
    cell.idle()
    assert look(path) == (None, None)


def test_a_worker_without_a_cell_does_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "cell") == (None, None)
    (tmp_path / "cell").write_bytes(b"")  # killed before it was as long as it should be
    assert look(tmp_path / "cell") == (None, None)


def test_a_cell_outlives_its_worker(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from insula.worker.cell import Cell\n"
        "Cell(Path(sys.argv[1])).predicting(7, 0, 2.0); os.kill(os.getpid(), 9)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run([sys.executable, "-c", code, tmp_path / "cell"], env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert look(tmp_path / "cell") == (Doing(7, 0, 2.0), None)
