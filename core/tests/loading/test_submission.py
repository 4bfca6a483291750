from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from insula.descriptors import Source
from insula.documents import parse_document
from insula.errors import SpecError
from insula.loading import load_submission
from insula.spec import Submission

Sources = Callable[[str], Source]
QUEUE = "sqs_dead_letter_queue"
LINES = {"delimited_files": {"paths": ["a.jsonl"], "batch_size": 32}}


def test_the_least(sources: Sources) -> None:
    submission = load_submission(LINES, sources)
    assert submission.source == "delimited_files"
    assert submission.settings.batch_size == 32
    assert submission.settings.paths == ("a.jsonl",)
    default = Submission("delimited_files", submission.settings, raw=LINES)
    assert submission == default


def test_everything(sources: Sources) -> None:
    data = {
        "item_list": {"items": [1, {"a": 2}], "batch_size": 1},
        "workers": 2,
        "config": {"a": 1},
        "timeout": 5,
        "retries": 0,
        "isolate_failures": False,
        "max_failed_batches": 0,
        "batch_timeout": 1.5,
        "startup_timeout": 60,
        "output": "out",
        "join_input": True,
        "sqs_dead_letter_queue": {"arn": "arn:aws:sqs", "max_receive_count": 3},
    }
    submission = load_submission(data, sources)
    assert submission.settings.items == [1, {"a": 2}]
    assert (submission.workers, submission.config, submission.timeout) == (2, {"a": 1}, 5.0)
    assert (submission.retries, submission.isolate_failures, submission.max_failed_batches) == (0, False, 0)
    assert (submission.batch_timeout, submission.startup_timeout) == (1.5, 60.0)
    assert (submission.output, submission.join_input) == ("out", True)
    assert submission.ignored == ("sqs_dead_letter_queue.arn",)
    assert submission.raw == data


def test_a_dead_letter_queue_says_how_many_attempts(sources: Sources) -> None:
    submission = load_submission({**LINES, "sqs_dead_letter_queue": {"max_receive_count": 3}}, sources)
    assert (submission.retries, submission.ignored) == (2, ())


def test_null_is_the_same_as_absent(sources: Sources) -> None:
    empty = dict.fromkeys(
        ["workers", "config", "timeout", "retries", "item_list", "sqs_dead_letter_queue", "join_input"]
    )
    assert load_submission({**LINES, **empty}, sources) == load_submission(LINES, sources).__class__(
        "delimited_files", load_submission(LINES, sources).settings, raw={**LINES, **empty}
    )


@pytest.mark.parametrize(
    "data, field, words",
    [
        ({}, "", "exactly one of delimited_files, file_path_lister, item_list"),
        ({"delimited_files": None}, "", "exactly one"),
        ([], "", "a mapping"),
        ({**LINES, "item_list": {"items": []}}, "item_list", "a second source beside delimited_files"),
        ({**LINES, "worker": 1}, "worker", "did you mean workers?"),
        ({**LINES, "xyz": 1}, "xyz", 'there is no source "xyz"'),
        ({**LINES, "workers": 0}, "workers", "at least 1"),
        ({**LINES, "workers": "2"}, "workers", "an integer"),
        ({**LINES, "timeout": 0}, "timeout", "over 0"),
        ({**LINES, "timeout": float("nan")}, "timeout", "over 0"),
        ({**LINES, "batch_timeout": -1.0}, "batch_timeout", "over 0"),
        ({**LINES, "startup_timeout": float("inf")}, "startup_timeout", "over 0"),
        ({**LINES, "retries": -1}, "retries", "at least 0"),
        ({**LINES, "retries": True}, "retries", "an integer"),
        ({**LINES, "max_failed_batches": -1}, "max_failed_batches", "at least 0"),
        ({**LINES, "config": [1]}, "config", "a mapping"),
        ({**LINES, "isolate_failures": "no"}, "isolate_failures", "true or false"),
        ({**LINES, QUEUE: {}}, f"{QUEUE}.max_receive_count", "missing"),
        ({**LINES, QUEUE: {"max_receive_count": 0}}, f"{QUEUE}.max_receive_count", "at least 1"),
        ({"delimited_files": {"paths": ["a"], "batch_size": 0}}, "delimited_files.batch_size", ">= 1"),
        ({"delimited_files": {"paths": [], "batchsize": 1, "batch_size": 1}}, "delimited_files.batchsize", "mean batch_size?"),
        ({"delimited_files": ["a"]}, "delimited_files", "a mapping"),
    ],
)  # fmt: skip
def test_faults(sources: Sources, data: Any, field: str, words: str) -> None:
    with pytest.raises(SpecError) as raised:
        load_submission(data, sources)
    (fault,) = raised.value.faults
    assert fault.field == field
    assert words in fault.message


def test_lines(sources: Sources) -> None:
    document = parse_document(
        b'{\n "worker": 1,\n "timeout": 0,\n "item_list": {\n  "items": 3}}', "job.json", json=True
    )
    with pytest.raises(SpecError) as raised:
        load_submission(document, sources)
    assert [line.split(": ")[:2] for line in str(raised.value).splitlines()] == [
        ["job.json:2:2", "worker"],
        ["job.json:3:2", "timeout"],
        ["job.json:5:3", "item_list.items"],
    ]


WORDS = "workers config timeout retries item_list items batch_size delimited_files paths output xyz"
words = st.sampled_from(WORDS.split(" "))
data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=3), inner),
    max_leaves=25,
)


@given(data)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_data_is_a_submission_or_refused(sources: Sources, data: Any) -> None:
    with suppress(SpecError):
        assert isinstance(load_submission(data, sources), Submission)
