"""Bad input as a newcomer would give it, and what is asked of every message about it.

A message names what happened, where and what to do; it is short, and no traceback of insula's is in it. How it is worded is
free: the tables name only the words that must be there.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

import insula
from insula.cli.group import insula as command

FILES: Mapping[str, str | bytes] = {
    "cortex.yaml": "name: api\nkind: BatchAPI\npredictor:\n  type: python\n  path: predictor.py\n",
    "predictor.py": "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n",
    "job.json": '{"item_list": {"items": [1, 2, 3]}}',
}
OURS = str(Path(insula.__file__).parent)


@attrs.frozen
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    def must(self, *words: str, code: int = 2, lines: int = 4, characters: int = 600) -> None:
        """Hold an answer against what it must say, and how briefly."""
        assert self.code == code, self.err
        for word in words:
            assert word in self.err, f"{word!r} is not in:\n{self.err}"
        assert "insula: " in self.err
        assert OURS not in self.err
        assert "fault of insula" not in self.err
        # Progress comes first and is no part of the message.
        said = self.err[self.err.index("insula: ") :].strip()
        assert len(said.splitlines()) <= lines, said
        assert len(said) <= characters, said
        if code == 2:
            assert self.out == ""


@attrs.define
class Trial:
    """A project folder, and the command that is run on it."""

    project: Path
    home: Path

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write the files of a good project, these in place of its own; None leaves one out."""
        for name, content in {**FILES, **files}.items():
            if content is not None:
                path = self.project / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def say(self, *arguments: object) -> Said:
        """Run `insula` in this process; without arguments, run the project."""
        words = [str(one) for one in arguments or ("run", self.project, "--executor", "inline")]
        apart = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}
        done = CliRunner(**apart).invoke(command, words)  # type: ignore[arg-type]
        return Said(done.exit_code, done.stdout, done.stderr)

    def say_outside(self, *arguments: object, shell: str = "", environment: Mapping[str, str] | None = None) -> Said:
        """Run `insula` as a process of its own, after what a shell did; without arguments, run the project."""
        words = [str(one) for one in arguments or ("run", self.project)]
        line = f'{shell}\nexec "$@"' if shell else 'exec "$@"'
        done = subprocess.run(
            ["sh", "-c", line, "sh", sys.executable, "-m", "insula", *words],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "INSULA_HOME": str(self.home), **(environment or {})},
        )
        return Said(done.returncode, done.stdout, done.stderr)

    @property
    def jobs(self) -> Sequence[str]:
        """The names of the jobs that are there."""
        folder = self.home / "jobs"
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    home = tmp_path / "home"
    monkeypatch.setenv("INSULA_HOME", str(home))
    (tmp_path / "project").mkdir()
    return Trial(tmp_path / "project", home)


@pytest.fixture
def refused(trial: Trial) -> Callable[..., None]:
    """Checks that a project with these files is refused with these words, and leaves no job."""

    def check(files: Mapping[str, str | bytes | None], words: Sequence[str], **bounds: int) -> None:
        trial.write(files)
        trial.say().must(*words, **bounds)
        assert trial.jobs == []

    return check
