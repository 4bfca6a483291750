from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from insula.errors import JobError
from insula.ledger import Ledger, State
from insula.ledger.schema import VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


def make(path: Path) -> None:
    Ledger(path, create=True).close()


def execute(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def test_a_missing_ledger_is_named_and_not_made(path: Path) -> None:
    with pytest.raises(JobError, match=r"ledger\.sqlite3 is missing: this job .* cannot be resumed"):
        Ledger(path)
    assert not path.exists()


@pytest.mark.parametrize("version", [VERSION - 1, VERSION + 1])
def test_another_version_is_refused(path: Path, version: int) -> None:
    make(path)
    execute(path, f"PRAGMA user_version={version}")
    with pytest.raises(
        JobError, match=f"has ledger version {version}, .* reads version {VERSION}: resume the job with"
    ):
        Ledger(path)


def test_what_is_no_database_is_refused(path: Path) -> None:
    path.write_bytes(b"what is this?" * 100)
    with pytest.raises(JobError, match="is not a ledger that can be read: file is not a database"):
        Ledger(path)


def test_a_cut_ledger_is_refused(path: Path) -> None:
    make(path)
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(JobError, match="is not a ledger that can be read"):
        Ledger(path)


def test_a_ledger_that_cannot_be_written_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a disk that is mounted to be read only; root may write any other file."""
    make(path)
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **given: connect(f"file:{path}?mode=ro", uri=True, **given))
    with pytest.raises(JobError, match="is not a ledger that can be read"):
        Ledger(path)


@pytest.mark.parametrize("left", [b"", "a file with a header"])
def test_a_ledger_whose_making_was_cut_off_is_made_by_the_next(path: Path, left: bytes | str) -> None:
    if left:
        execute(path, "PRAGMA journal_mode=WAL")
    else:
        path.touch()
    ledger = Ledger(path, create=True)
    assert ledger.state == State()
    ledger.state.epoch = 1
    assert ledger.commit()
    ledger.close()
    assert _epoch(path) == 1


def _epoch(path: Path) -> int:
    ledger = Ledger(path, create=True)
    ledger.close()
    return ledger.state.epoch


def test_its_making_is_all_or_nothing(path: Path) -> None:
    statements: list[str] = []
    connect = sqlite3.connect

    class Traced(sqlite3.Connection):
        def executescript(self, script: str) -> sqlite3.Cursor:
            statements.append(script)
            return super().executescript(script)

        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            statements.append(statement)
            return super().execute(statement, *values)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite3, "connect", lambda *given, **options: connect(*given, **options, factory=Traced))
        make(path)
    changes = [statement for statement in statements if "INSERT" in statement or "CREATE" in statement]
    assert len(changes) == 1
    assert changes[0].startswith("BEGIN;")


def test_no_second_process_reads_it_while_it_is_open(path: Path) -> None:
    ledger = Ledger(path, create=True)
    assert {entry.name for entry in path.parent.iterdir()} <= {path.name, f"{path.name}-wal"}
    code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM state')"
    found = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert "database is locked" in found.stderr
    ledger.close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
