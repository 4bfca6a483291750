"""`dead_letters.jsonl`: the samples that were given up on, each with its input and the reason."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from insula.descriptors import Payload, Place
from insula.errors import UserError
from insula.hooks import Hooks
from insula.ledger import DeadLetter, Ledger
from insula.results.parts import sync_data
from insula.spec import BatchRef, Input


def export_dead_letters(ledger: Ledger, hooks: Hooks, target: Path) -> int:
    """Write the dead letters of a job in input order; return how many there are. The caller syncs the folder.

    Each line has `index`, `source`, `line`, `input` (null if it can no longer be read), `attempts` and `error`.
    """
    temporary = target.with_name(f"{target.name}.partial")
    inputs = dict(enumerate(ledger.inputs()))
    count = 0
    with open(temporary, "wb") as file:
        for ordinal, letters in itertools.groupby(ledger.dead_letters(), lambda letter: letter.ordinal):
            for line in _lines(ledger, hooks, inputs, ordinal, list(letters)):
                file.write(line)
                count += 1
        if count:
            file.flush()
            sync_data(file.fileno())
    temporary.replace(target)
    return count


def _lines(
    ledger: Ledger, hooks: Hooks, inputs: Mapping[int, Input], ordinal: int, letters: Sequence[DeadLetter]
) -> Iterator[bytes]:
    reference = next(ledger.slice_at(ordinal).references())
    positions = [letter.index - reference.index for letter in letters]
    first, raw = _inputs(hooks, inputs, reference)
    places = _places(ledger, hooks, inputs, ordinal, positions)
    for letter, position, place in zip(letters, positions, places, strict=True):
        kind, message, traceback = ledger.error(letter.error)
        yield orjson.dumps(
            {
                "index": first + position,
                "source": place.source,
                "line": place.line,
                "input": raw.get(position),
                "attempts": letter.attempts,
                "error": {"type": kind, "message": message, "traceback": traceback},
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )


def _inputs(hooks: Hooks, inputs: Mapping[int, Input], reference: BatchRef) -> tuple[int, dict[int, Any]]:
    """Return the index of a batch's first sample, and all by position: as JSON, else as the text that they are."""
    try:
        payload = next(iter(hooks.read(inputs=inputs, references=[reference]) or ()))
    except (UserError, OSError):
        return reference.index, {}
    first = reference.index if payload.index is None else payload.index
    found: dict[int, Any] = {bad.position: bad.raw.decode("utf-8", "backslashreplace") for bad in payload.unreadable}
    positions = range(len(payload.samples)) if payload.positions is None else payload.positions
    for at, position in enumerate(positions):
        found[position] = _fragment(payload, at)
    return first, found


def _fragment(payload: Payload, at: int) -> Any:
    if payload.raw is None:
        return payload.samples[at]
    try:
        orjson.loads(payload.raw[at])
    except orjson.JSONDecodeError:
        return payload.raw[at].decode("utf-8", "backslashreplace")  # NaN and the like, which JSON has no word for
    return orjson.Fragment(payload.raw[at])


def _places(
    ledger: Ledger, hooks: Hooks, inputs: Mapping[int, Input], ordinal: int, positions: Sequence[int]
) -> Sequence[Place]:
    try:
        return hooks.locate(inputs, ledger.block_of(ordinal), ordinal, positions)
    except (UserError, OSError):
        return [Place(None, None)] * len(positions)
