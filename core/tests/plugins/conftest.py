from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest


class Site:
    """A folder on `sys.path` into which tests install distributions without pip."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = [str(folder)]
        self.modules: set[str] = set()

    def install(
        self,
        distribution: str,
        version: str = "1.0",
        *,
        entry_points: Mapping[str, Mapping[str, str]],
        requires: Sequence[str] = ("insula>=0.1,<1",),
        **modules: str,
    ) -> None:
        """Write a distribution: its metadata, its entry points by group, and its modules by name."""
        info = self.folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        headers = ["Metadata-Version: 2.1", f"Name: {distribution}", f"Version: {version}"]
        headers += [f"Requires-Dist: {one}" for one in requires]
        (info / "METADATA").write_text("\n".join(headers) + "\n")
        (info / "entry_points.txt").write_text(_sections(entry_points))
        for name, text in modules.items():
            self.modules.add(name)
            (self.folder / f"{name}.py").write_text(textwrap.dedent(text))


def _sections(entry_points: Mapping[str, Mapping[str, str]]) -> str:
    lines = []
    for group, names in entry_points.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in names.items()), ""]
    return "\n".join(lines)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    made = Site(folder)
    yield made
    for name in made.modules:
        sys.modules.pop(name, None)
