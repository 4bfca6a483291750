"""A job submission: which samples, and how to run them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from insula.descriptors import Source
from insula.documents import Document
from insula.errors import PluginError
from insula.loading.findings import Findings, pick
from insula.records import frozen
from insula.spec import Submission
from insula.spec.texts import is_path
from insula.structure import nearest, quoted

FindSource = Callable[[str], Source]
_DEAD_LETTER_QUEUE = "sqs_dead_letter_queue"
_KNOWN_SOURCES = "delimited_files, file_path_lister, item_list"


def _at_least(least: int) -> Callable[[object, Any, Any], None]:
    def check(instance: object, attribute: Any, value: Any) -> None:
        if value is not None and value < least:
            raise ValueError(f"must be at least {least}, not {value}")

    return check


def _seconds(instance: object, attribute: Any, value: Any) -> None:
    if value is not None and not 0 < value < math.inf:
        raise ValueError(f"must be a number of seconds over 0, not {value}")


def _place(instance: object, attribute: Any, value: str | None) -> None:
    if value is None:
        return
    if not value.strip() or not is_path(value):
        raise ValueError(f"{quoted(value)} names no folder")


@frozen
class _DeadLetterQueue:
    """Cortex's queue of failed batches, of which only the number of attempts means something here."""

    max_receive_count: int = attrs.field(validator=_at_least(1))
    arn: str | None = None


@frozen
class _Keys:
    """The core's own keys; None is what the user left out."""

    workers: int | None = attrs.field(default=None, validator=_at_least(1))
    config: Mapping[str, Any] | None = None
    timeout: float | None = attrs.field(default=None, validator=_seconds)
    retries: int | None = attrs.field(default=None, validator=_at_least(0))
    isolate_failures: bool | None = None
    max_failed_batches: int | None = attrs.field(default=None, validator=_at_least(0))
    batch_timeout: float | None = attrs.field(default=None, validator=_seconds)
    startup_timeout: float | None = attrs.field(default=None, validator=_seconds)
    output: str | None = attrs.field(default=None, validator=_place)
    join_input: bool | None = None
    sqs_dead_letter_queue: _DeadLetterQueue | None = None


_KEYS = tuple(field.name for field in attrs.fields(_Keys))


def load_submission(document: Document | Mapping[str, Any], find_source: FindSource) -> Submission:
    """Read a job submission.

    Args:
        document: as it was read from a file, or a plain mapping.
        find_source: the source for a key; PluginError if there is none.

    Raises:
        SpecError: with every fault of the submission.
    """
    if not isinstance(document, Document):
        document = Document("the submission", document)
    findings = Findings(document)
    data = document.data
    if not isinstance(data, Mapping):
        findings.add('expected a mapping, such as {"item_list": {"items": [1, 2]}}, not a list')
        findings.raise_any()
    keys = findings.structure(pick(data, _KEYS), _Keys)
    sources = _sources(data, find_source, findings)
    settings = {source.key: findings.structure(value, source.settings, source.key) for source, value in sources}
    findings.raise_any()
    # Whatever is missing here was a fault above.
    assert keys is not None
    ((key, value),) = settings.items()
    return _submission(key, value, keys, data)


def _submission(key: str, settings: Any, keys: _Keys, data: Mapping[str, Any]) -> Submission:
    queue = keys.sqs_dead_letter_queue
    given = {name: getattr(keys, name) for name in _KEYS if name != _DEAD_LETTER_QUEUE}
    if queue is not None and keys.retries is None:
        given["retries"] = queue.max_receive_count - 1
    given = {name: value for name, value in given.items() if value is not None}
    ignored = (f"{_DEAD_LETTER_QUEUE}.arn",) if queue is not None and queue.arn is not None else ()
    return Submission(key, settings, **given, raw=data, ignored=ignored)


def _sources(data: Mapping[str, Any], find: FindSource, findings: Findings) -> list[tuple[Source, Any]]:
    words = [key for key, value in data.items() if key not in _KEYS and value is not None and isinstance(key, str)]
    found = [(_find(word, find, findings), data[word]) for word in words]
    sources = [(source, value) for source, value in found if source is not None]
    if not words:
        findings.add(
            f"no source: give exactly one of {_KNOWN_SOURCES} (or the key of a plugin's source), "
            "or files with --input on the command line"
        )
    for source, _ in sources[1:]:
        findings.add(f"a second source beside {sources[0][0].key}; give exactly one", source.key)
    return sources


def _find(word: str, find: FindSource, findings: Findings) -> Source | None:
    try:
        return find(word)
    except PluginError as error:
        meant = nearest(word, _KEYS)
        findings.add(
            f"unknown key; did you mean {meant}?" if meant else str(error).removeprefix("job submission: "),
            word,
        )
        return None
