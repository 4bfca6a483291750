from __future__ import annotations

import json
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

from magika import Magika

COUNT = 1100


def _installed() -> list[str]:
    """Return files of this Python of all kinds, evenly over its folders."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return [str(found[len(found) * number // COUNT]) for number in range(COUNT)]


def _edge_cases(folder: Path) -> None:
    """Write files at the edges of what the model is asked about."""
    folder.mkdir()
    contents = (
        b"",
        b"a",
        b"a" * 7,
        b"a" * 8,
        b"\xff" * 7,
        b" " * 5000,
        b" " * 5000 + b"import os\n",
        b"\n\n[a]\nb=1\n\n",
    )
    for number, content in enumerate(contents):
        (folder / f"{number}").write_bytes(content)
    (folder / "long").write_bytes(b"# heading\n" + b" " * 5000 + b"\nlast words")


def test_labels_are_magikas_own(example: Callable[[str], Any], tmp_path: Path) -> None:
    types = example("file-types")
    types.script("prepare.py")
    _edge_cases(tmp_path / "edges")
    lister = {"paths": [*_installed(), str(tmp_path / "edges")], "batch_size": 50}
    (types.folder / "job.json").write_text(json.dumps({"workers": 2, "file_path_lister": lister}))
    found = {one["path"]: one["type"] for one in types.run()}
    assert len(found) >= 1000
    expected = {
        str(result.path): str(result.output.label) for result in Magika().identify_paths([Path(path) for path in found])
    }
    assert found == expected
