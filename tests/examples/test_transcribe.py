from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_the_notes_are_those_that_were_played_and_the_same_from_either_framework(
    example: Callable[[str], Any],
) -> None:
    tunes = example("transcribe")
    tunes.script("prepare.py")
    played = runpy.run_path(str(tunes.folder / "prepare.py"))
    found, by_tensorflow = (
        {Path(one["file"]).stem: one["notes"] for one in tunes.run("--api", api)}
        for api in ("transcribe", "transcribe-tensorflow")
    )
    assert {name: tuple(one["note"] for one in notes) for name, notes in found.items()} == played["TUNES"]
    beat = played["SECONDS"] + played["SILENCE"]
    for notes in found.values():
        for number, one in enumerate(notes):
            assert abs(one["start"] - number * beat) < 0.1
            assert abs(one["stop"] - number * beat - played["SECONDS"]) < 0.15
    assert by_tensorflow.keys() == found.keys()
    for name, notes in by_tensorflow.items():
        assert notes == [pytest.approx(one, abs=1e-4) for one in found[name]]
