from __future__ import annotations

import os
import time
from pathlib import Path

from insula.folder import JobFolder
from insula.jobs.scratch import scratch


def aged(folder: Path) -> Path:
    before = time.time() - 3600
    os.utime(folder, (before, before))
    return folder


def test_it_is_gone_at_the_end(tmp_path: Path) -> None:
    with scratch(tmp_path) as folder:
        assert folder.spool.is_dir()
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_by_one_that_was_killed_is_cleared(tmp_path: Path) -> None:
    checks = tmp_path / "checks"
    checks.mkdir()
    left, early = JobFolder(checks / "left"), checks / "early"
    left.create()
    left.lock.touch()
    early.mkdir()  # killed before it had a lock
    for path in (left.root, early):
        aged(path)
    with scratch(tmp_path) as folder:
        assert list(checks.iterdir()) == [folder.root]


def test_what_is_in_use_or_just_made_is_not_cleared(tmp_path: Path) -> None:
    made = tmp_path / "checks" / "made"
    made.mkdir(parents=True)
    with scratch(tmp_path) as long:
        aged(long.root)
        with scratch(tmp_path) as folder:
            assert {path.name for path in made.parent.iterdir()} == {"made", long.root.name, folder.root.name}
    assert list(made.parent.iterdir()) == [made]
