"""Every code block of the documentation runs: those of one page in order, in a folder of their own.

What a block is says the word behind its fence, and the line before it:

- a line that ends with a file name in backquotes and a colon: the block is written to that file, whatever it holds;
- `sh`: run by `bash -e`; a `text` block right behind it is what it prints, `…` standing for anything;
- `python`: run as a script, with a `text` block behind it as above;
- `yaml`, `json`, `toml` without a file name: must be valid;
- anything else (`text`, `console`) is only read.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        ROOT / "README.md",
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("plugins/*/README.md"),
        *ROOT.glob("examples/*/README.md"),
    ]
)
_FENCE = re.compile(r"^(?P<fence>```+)(?P<kind>\w*)\n(?P<text>.*?)^(?P=fence)\n", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([^`\s]+)`:?\s*:$")


@attrs.frozen
class Block:
    """A fenced block: its language, its text, its line, the file that it is written to, what it prints."""

    kind: str
    text: str
    line: int
    file: str | None
    prints: str | None


def blocks(page: str) -> Iterator[Block]:
    found = list(_FENCE.finditer(page))
    for at, match in enumerate(found):
        before = page[: match.start()].rstrip("\n").rpartition("\n")[2]
        named = _FILE.search(before)
        following = found[at + 1] if at + 1 < len(found) else None
        told = following and following["kind"] == "text" and not _named(page, following)
        gap = page[match.end() : following.start()] if following else ""
        prints = following["text"] if following and told and gap.strip().count("\n") == 0 else None
        line = page.count("\n", 0, match.start()) + 1
        yield Block(match["kind"], match["text"], line, named[1] if named else None, prints)


def _named(page: str, match: re.Match[str]) -> bool:
    return bool(_FILE.search(page[: match.start()].rstrip("\n").rpartition("\n")[2]))


class Runner:
    """Runs blocks in a folder of their own, which has what a clone of the repository has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "page"
        self.folder.mkdir()
        tools = folder / "bin"
        tools.mkdir()
        for name in ("pip", "tox"):
            # What these would install is installed: only the paths that they are given are looked at.
            (tools / name).write_text(
                '#!/bin/sh\nfor word in "$@"; do case $word in ./*) ls -d "$word" >&2 || exit 1;; esac; done\n'
            )
            (tools / name).chmod(0o755)
        for name in ("core", "plugins"):
            (self.folder / name).symlink_to(ROOT / name)
        ignored = shutil.ignore_patterns("*.joblib", "__pycache__", "out*")
        shutil.copytree(ROOT / "examples", self.folder / "examples", ignore=ignored)
        path = [str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]
        self.environment = {**os.environ, "PATH": os.pathsep.join(path), "INSULA_HOME": str(folder / "home")}

    def run(self, block: Block) -> None:
        if block.file:
            self._write(block.file, block.text)
        elif block.kind == "sh":
            self._start(["bash", "-e"], block)
        elif block.kind == "python":
            self._start([sys.executable, "-"], block)
        elif block.kind == "json":
            json.loads(block.text)
        elif block.kind == "yaml":
            assert yaml.safe_load(block.text)

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def _start(self, command: list[str], block: Block) -> None:
        done = subprocess.run(
            command, input=block.text, cwd=self.folder, env=self.environment, text=True, timeout=120, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        where = f"the block of line {block.line}"
        assert done.returncode == 0, f"{where} ended with {done.returncode}:\n{done.stdout}"
        for line in (block.prints or "").splitlines():
            pattern = r"\s+".join(map(_loose, line.split()))
            assert re.search(pattern, done.stdout), f"{where} does not print {line!r}:\n{done.stdout}"


def _loose(word: str) -> str:
    return ".*".join(map(re.escape, word.split("…")))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_runs(page: Path, runner: Runner) -> None:
    for block in blocks(page.read_text()):
        runner.run(block)


def test_the_runner_finds_files_commands_and_what_they_print() -> None:
    page = "Write `a/b.py`:\n\n```python\nx = 1\n```\n\nRun:\n\n```sh\necho hi\n```\n\n```text\nh…\n```\n"
    written, run, printed = blocks(page)
    assert (written.kind, written.file, written.line) == ("python", "a/b.py", 3)
    assert (run.file, run.prints, printed.kind) == (None, "h…\n", "text")


@pytest.mark.parametrize(
    "text", ["```sh\nexit 3\n```\n", "```sh\necho ab\n```\n\n```text\nb…a\n```\n", "```json\n{\n```\n"]
)
def test_the_runner_fails_where_a_page_is_wrong(text: str, runner: Runner) -> None:
    (block, *_) = blocks(text)
    with pytest.raises((AssertionError, ValueError)):
        runner.run(block)


def test_the_two_commands_are_there_and_name_what_exists(runner: Runner) -> None:
    page = (ROOT / "README.md").read_text()
    install = "pip install ./core ./plugins/python -r examples/digits/requirements.txt"
    first = f"{install} && insula run examples/digits --output out/"
    assert first in page
    assert "pip install tox tox-uv && tox" in page
    assert first in [line for block in blocks(page) if block.kind == "sh" for line in block.text.splitlines()]
