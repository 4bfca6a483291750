"""`insula run --dry-run` and `--count`."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Insula = Callable[..., "subprocess.CompletedProcess[str]"]


def test_files_and_counts(insula: Insula, project: Path, home: Path) -> None:
    packed = project / "more.jsonl.gz"
    packed.write_bytes(gzip.compress(b"1\n2\n\n3\n"))
    rows = project / "rows.jsonl"
    asked = ["--input", rows, "--input", packed, "--batch-size", 4]
    done = insula("run", project, *asked, "--dry-run", "--count", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "files": [
            {"name": str(rows), "bytes": rows.stat().st_size, "spooled": False},
            {"name": str(packed), "bytes": packed.stat().st_size, "spooled": True},
        ],
        "samples": 13,
        "batches": 4,
    }
    assert insula("run", project, *asked, "--count").stdout == "13 samples in 4 batches\n"
    shown = insula("run", project, *asked, "--dry-run").stdout.splitlines()
    assert shown[1:] == [f"{packed}  ({packed.stat().st_size} bytes, spooled)", "2 files"]
    assert list(home.iterdir()) == []


def test_items(insula: Insula, project: Path) -> None:
    project.joinpath("job.json").write_text('{"item_list": {"items": [1, 2, 3], "batch_size": 2}}')
    answer = json.loads(insula("run", project, "--dry-run", "--count", "--json").stdout)
    assert [(one["name"], one["spooled"]) for one in answer["files"]] == [("item_list", True)]
    assert (answer["samples"], answer["batches"]) == (3, 2)


def test_files_that_are_samples(insula: Insula, project: Path) -> None:
    project.joinpath("job.json").write_text('{"file_path_lister": {"paths": ["*.jsonl", "*.py"]}}')
    shown = insula("run", project, "--dry-run", "--count").stdout.splitlines()
    assert shown == [
        str(project / "rows.jsonl"),
        str(project / "predictor.py"),
        "2 files",
        "2 samples in 1 batch",
    ]


def test_what_cannot_be_listed_or_counted(insula: Insula, project: Path, home: Path) -> None:
    project.joinpath("empty.jsonl").touch()
    for flag, path, words in (
        ("--dry-run", "gone.jsonl", "gone.jsonl"),
        ("--count", "empty.jsonl", "no samples"),
    ):
        done = insula("run", project, "--input", project / path, flag)
        assert (done.returncode, done.stdout) == (2, "")
        assert words in done.stderr
    assert list(home.iterdir()) == []
