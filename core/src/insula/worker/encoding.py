"""Writing predictions as JSON lines.

Most predictions are plain, so a batch is written with a call or two; only what orjson refuses, or would write as null, is
looked at value by value.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import repeat
from typing import Any

import orjson

from insula.records import frozen
from insula.worker.jsonable import NotJsonableError, Writable, simplify

_PLAIN = orjson.OPT_SERIALIZE_NUMPY
_ANY_KEYS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS  # a fifth slower for dicts
_SCALARS = {int, float, bool, str, type(None)}


@frozen
class Encoded:
    """The lines of one batch.

    Args:
        lines: whole lines, each with its newline.
        count: how many lines.
        samples: how many samples these are the predictions of.
        non_finite: how many NaN and infinities were written as null.
        failures: what could not be written: the position of the sample in its batch, and a message.
    """

    lines: bytes
    count: int
    samples: int
    non_finite: int = 0
    failures: tuple[tuple[int, str], ...] = ()


def encode_each(
    values: Sequence[Any],
    index: int,
    batch_id: str,
    positions: Sequence[int] | None = None,
    inputs: Sequence[bytes] | None = None,
) -> Encoded:
    """Write one prediction a sample: `{"index", "batch_id", "prediction"}`, one line each.

    Args:
        index: the position in the whole input of the batch's first sample.
        positions: the position of each sample in its batch; None if they are 0, 1, 2, ….
        inputs: the JSON text of each sample, added as `"input"`.
    """
    count = len(values)
    indexes = range(index, index + count) if positions is None else [index + position for position in positions]
    try:
        if set(map(type, values)) == {int}:
            return Encoded(_lines(batch_id, indexes, b"%d", values, inputs), count, count)
        texts, non_finite = _texts(values)
    except (TypeError, ValueError):  # ValueError: an integer of more digits than Python writes
        return _encode_carefully(values, index, batch_id, positions, inputs)
    return Encoded(_lines(batch_id, indexes, b"%b", texts, inputs), count, count, non_finite)


def encode_whole(
    value: Any,
    index: int,
    count: int,
    batch_id: str,
    positions: Sequence[int] | None = None,
    inputs: Sequence[bytes] | None = None,
) -> Encoded:
    """Write one prediction for a batch of `count` samples: `{"index", "count", "batch_id", "prediction"}`, one line.

    A value that cannot be written fails every sample of the batch. For the other arguments see `encode_each`.
    """
    try:
        text, non_finite = _text(value)
    except NotJsonableError as error:
        places = range(count) if positions is None else positions
        return Encoded(b"", 0, 0, 0, tuple((position, str(error)) for position in places))
    joined = b"" if inputs is None else b',"input":[' + b",".join(inputs) + b"]"
    head = b'{"index":%d,"count":%d,"batch_id":"%b","prediction":' % (index, count, batch_id.encode())
    return Encoded(head + text + joined + b"}\n", 1, count, non_finite)


def _lines(
    batch_id: str,
    indexes: Sequence[int],
    form: bytes,
    predictions: Sequence[Any],
    inputs: Sequence[bytes] | None,
) -> bytes:
    """Return all lines at once; `form` is how bytes formatting writes a prediction."""
    line = b'{"index":%%d,"batch_id":"%b","prediction":' % batch_id.encode() + form
    count = len(predictions)
    if inputs is None:
        fields: list[Any] = [None] * (2 * count)
        fields[::2], fields[1::2] = indexes, predictions
        return (line + b"}\n") * count % tuple(fields)
    fields = [None] * (3 * count)
    fields[::3], fields[1::3], fields[2::3] = indexes, predictions, inputs
    return (line + b',"input":%b}\n') * count % tuple(fields)


# ------------------------------------------------------------------------------------------------ the quick way


def _texts(values: Sequence[Any]) -> tuple[list[bytes], int]:
    """Return the JSON text of each value, and how many of them are NaN or infinite.

    Raises:
        TypeError: if this takes a closer look.
    """
    try:
        texts = _dump_each(values, _PLAIN)
    except TypeError:
        texts = _dump_each(values, _ANY_KEYS)
    if b"null" not in b" ".join(texts):
        return texts, 0
    if set(map(type, values)) <= _SCALARS:
        return texts, texts.count(b"null") - sum(value is None for value in values)
    raise TypeError("somewhere in a value is None, NaN or infinity")


def _dump_each(values: Sequence[Any], options: int) -> list[bytes]:
    return list(map(orjson.dumps, values, repeat(simplify), repeat(options)))


# ------------------------------------------------------------------------------------------------ one by one


def _encode_carefully(
    values: Sequence[Any],
    index: int,
    batch_id: str,
    positions: Sequence[int] | None,
    inputs: Sequence[bytes] | None,
) -> Encoded:
    texts, indexes, chosen, failures = [], [], [], []
    total = 0
    places = range(len(values)) if positions is None else positions
    for at, (value, position) in enumerate(zip(values, places, strict=True)):
        try:
            text, non_finite = _text(value)
        except NotJsonableError as error:
            failures.append((position, str(error)))
            continue
        total += non_finite
        texts.append(text)
        indexes.append(index + position)
        chosen.append(at)
    kept = None if inputs is None else [inputs[at] for at in chosen]
    return Encoded(_lines(batch_id, indexes, b"%b", texts, kept), len(texts), len(texts), total, tuple(failures))


def _text(value: Any) -> tuple[bytes, int]:
    try:
        text = orjson.dumps(value, simplify, _ANY_KEYS)
    except TypeError:
        text = b"null"
    if b"null" not in text or value is None:
        return text, 0
    writable = Writable(value)
    return _json(writable.plain), writable.non_finite


def _json(plain: Any) -> bytes:
    try:
        return orjson.dumps(plain)
    except TypeError:
        pass  # an integer of more than 64 bits, a lone surrogate
    try:
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(plain, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise NotJsonableError(f"cannot be written as JSON: {error}") from error
