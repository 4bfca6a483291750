from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize("api", ["transcribe", "transcribe-tensorflow"])
def test_the_notes_are_those_that_were_played(example: Callable[[str], Any], api: str) -> None:
    tunes = example("transcribe")
    tunes.script("prepare.py")
    played = runpy.run_path(str(tunes.folder / "prepare.py"))
    found = {Path(one["file"]).stem: one["notes"] for one in tunes.run("--api", api)}
    assert {name: tuple(one["note"] for one in notes) for name, notes in found.items()} == played["TUNES"]
    beat = played["SECONDS"] + played["SILENCE"]
    for notes in found.values():
        for number, one in enumerate(notes):
            assert abs(one["start"] - number * beat) < 0.1
            assert abs(one["stop"] - number * beat - played["SECONDS"]) < 0.15
