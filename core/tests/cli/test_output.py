from __future__ import annotations

import errno
import io
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from insula.cli.output import complain, write, write_json
from insula.errors import OutputError

WRITE = """
import sys
from insula.cli.output import {name}
for _ in range(3):
    {name}("line " * 100_000)
sys.exit(7)
"""


def test_where_things_go(capsys: pytest.CaptureFixture[str]) -> None:
    write("results")
    complain("no such thing")
    assert capsys.readouterr() == ("results\n", "insula: no such thing\n")


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"message": "µ … \udcff"})
    assert capsys.readouterr().out == '{\n  "message": "\\u00b5 \\u2026 \\udcff"\n}\n'


@pytest.mark.parametrize(("name", "stream"), [("write", "stdout"), ("say", "stderr")])
def test_a_broken_pipe_is_quiet_and_changes_no_exit_code(name: str, stream: str) -> None:
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    process = subprocess.Popen(
        [sys.executable, "-c", WRITE.format(name=name)],
        **{stream: subprocess.PIPE, other: subprocess.PIPE},  # type: ignore[call-overload]
    )
    with process:
        getattr(process, stream).close()
        assert getattr(process, other).read() == b""
        assert process.wait(timeout=60) == 7


class FullDisk(io.StringIO):
    def __init__(self, file: IO[str]) -> None:
        super().__init__()
        self._file = file

    def fileno(self) -> int:
        return self._file.fileno()

    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_an_error_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(tmp_path / "out", "w") as file:
        monkeypatch.setattr(sys, "stdout", FullDisk(file))
        with pytest.raises(OutputError, match="standard output cannot be written: No space left on device"):
            write("results")
