"""Inputs, made once and kept."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path

FIELDS = ("sepal_length", "sepal_width", "petal_length", "petal_width")
SIGNS = (1, 1, -1)
SPECIES = ((5.0, 3.4, 1.5, 0.25), (5.9, 2.8, 4.3, 1.3), (6.6, 3.0, 5.6, 2.0))


def iris(folder: Path, rows: int, signs: tuple[int, ...] = SIGNS) -> Path:
    """A folder with `rows.jsonl`, measurements of irises, 90 bytes a row as in `baselines/make_data.py`.

    By `signs`, every third sepal or so has a length below zero: the `noop` of most baselines tells these from the
    others, so that a comparison of labels shows a row that was lost, repeated or moved.
    """
    return _kept(
        folder / f"iris-{rows}-{''.join('+' if sign > 0 else '-' for sign in signs)}", lambda: _irises(rows, signs)
    )


def numbers(folder: Path, rows: int) -> Path:
    """A folder with `rows.jsonl`, the numbers from 0 on, one a row."""
    return _kept(folder / f"numbers-{rows}", lambda: (f'{{"i":{i}}}\n' for i in range(rows)))


def _irises(rows: int, signs: tuple[int, ...]) -> Iterable[str]:
    rng = random.Random(0)
    template = "{" + ", ".join(f'"{field}": %.3f' for field in FIELDS) + "}\n"
    for _ in range(rows):
        length, *others = (abs(rng.gauss(mean, 0.3)) for mean in rng.choice(SPECIES))
        yield template % (length * rng.choice(signs), *others)


def _kept(folder: Path, lines: Callable[[], Iterable[str]]) -> Path:
    path = folder / "rows.jsonl"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".partial")
        with unfinished.open("w") as file:
            file.writelines(lines())
        unfinished.replace(path)
    return folder
