"""Submissions, and options that stand for them, as nobody should write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

ITEMS = {"item_list": {"items": [1]}}
LINES = {"paths": ["rows.jsonl"]}

TABLE: dict[str, tuple[Any, list[str]]] = {
    "a comma too many": ('{"item_list": {"items": [1, 2,]}}', ["job.json:1:", "JSON", "comma"]),
    "single quotes": ("{'item_list': 1}", ["job.json:1:2: ", "JSON", "double quotes"]),
    "more behind it": ('{"item_list": {"items": [1]}} x', ["job.json:1:31: ", "extra data"]),
    "not closed": ('{"item_list": {"items": [1]}', ["job.json:1:", "JSON"]),
    "a key twice": ('{"workers": 1,\n "workers": 2}', ["job.json:2:2: workers: ", "second"]),
    "nothing": ("", ["job.json: ", "empty"]),
    "null": ("null", ["job.json: ", "null"]),
    "a list": ([1], ["job.json: ", "mapping", "item_list", "list"]),
    "a word": ('"x"', ["job.json:1: ", "mapping"]),
    "not UTF-8": (b'{"item_list": {"items": ["\xe9"]}}', ["job.json:1:27: ", "UTF-8", "0xe9"]),
    "too deep": ('{"item_list": ' + "[" * 100_000 + "]" * 100_000 + "}", ["job.json", "too deeply"]),
    "a number of 5000 digits": (f'{{"workers": {"9" * 5000}}}', ["job.json", "4300 digits"]),
    "no source": ({"workers": 1}, ["job.json: ", "item_list", "delimited_files", "--input"]),
    "two sources": ({**ITEMS, "delimited_files": LINES}, ["job.json:1:31: delimited_files: ", "item_list", "one"]),
    "misspelt source": ({"item_lst": {"items": [1]}}, ["job.json:1:2: item_lst: ", '"item_list"?']),
    "a source of nobody's": ({"parquet_files": LINES}, ["job.json:1:2: parquet_files: ", "delimited_files"]),
    "misspelt key": ({**ITEMS, "worker": 2}, ["job.json:1:31: worker: ", "workers?"]),
    "misspelt items": ({"item_list": {"itmes": [1]}}, ["job.json:1:16: item_list.itmes: ", "items?"]),
    "no items": ({"item_list": {"items": []}}, ["job.json:1:16: item_list.items: ", "at least one"]),
    "a word for items": ({"item_list": {"items": "abc"}}, ["job.json:1:16: item_list.items: ", "list", '"abc"']),
    "batches of nothing": ({"item_list": {"items": [1], "batch_size": 0}}, ["item_list.batch_size: ", "at least 1"]),
    "a number in quotes": ({"item_list": {"items": [1], "batch_size": "32"}}, ["batch_size: ", '"32"', "quotes"]),
    "a fraction": ({"item_list": {"items": [1], "batch_size": 3.5}}, ["batch_size: ", "integer", "3.5"]),
    "true for a number": ({**ITEMS, "workers": True}, ["job.json:1:31: workers: ", "integer", "true"]),
    "no workers": ({**ITEMS, "workers": 0}, ["job.json:1:31: workers: ", "at least 1"]),
    "no time": ({**ITEMS, "timeout": 0}, ["job.json:1:31: timeout: ", "over 0"]),
    "no number of seconds": ('{"timeout": NaN, "item_list": {"items": [1]}}', ["job.json:1:2: timeout: ", "nan"]),
    "fewer than no retries": ({**ITEMS, "retries": -2}, ["job.json:1:31: retries: ", "-2"]),
    "a list for config": ({**ITEMS, "config": [1]}, ["job.json:1:31: config: ", "mapping", "a list"]),
    "a queue without a count": ({**ITEMS, "sqs_dead_letter_queue": {}}, ["max_receive_count: missing"]),
    "both kinds of paths": (
        {"delimited_files": {**LINES, "s3_paths": ["s3://a/b"]}},
        ["job.json:1:2: delimited_files: ", "paths", "s3_paths", "both"],
    ),
    "no paths": ({"delimited_files": {}}, ["job.json:1:2: delimited_files: ", "paths"]),
    "a word for paths": ({"delimited_files": {"paths": "a"}}, ["job.json:1:22: delimited_files.paths: ", "list"]),
    "half a character for a path": (
        '{"delimited_files": {"paths": ["\\ud800"]}}',
        ["delimited_files", "ud800", "path"],
    ),
    "a local file for S3": ({"delimited_files": {"s3_paths": ["a"]}}, ["delimited_files", "s3://", "paths"]),
    "a pattern not closed": (
        {"delimited_files": {**LINES, "includes": ["[a-"]}},
        ["job.json:1:47: delimited_files.includes: ", "[a-", "not closed"],
    ),
    "a NUL in the output": ({**ITEMS, "output": "a\0"}, ["job.json:1:31: output: ", "folder"]),
    "an output too long": ({**ITEMS, "output": "a" * 5000}, ["job.json:1:31: output: ", "folder"]),
    "output of an unknown kind": ({**ITEMS, "output": "foo://x"}, ["foo://x", "s3://"]),
    "a source that is not asked for so": ({"dead_letters": {"job": "x"}}, ["dead_letters", "insula retry"]),
}


@pytest.mark.parametrize("what", TABLE)
def test_bad_submission(what: str, refused: Callable[..., None]) -> None:
    content, words = TABLE[what]
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    refused({"job.json": text}, words, lines=1, characters=420)


def test_all_faults_at_once(refused: Callable[..., None]) -> None:
    submission = {"item_list": {"items": "x", "batch_size": 0}, "workers": "2", "worker": 1, "timeout": 0, "output": 3}
    words = ["item_list.items: ", "item_list.batch_size: ", "workers: ", "worker: ", "timeout: ", "output: "]
    refused({"job.json": json.dumps(submission)}, words, lines=6, characters=800)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--submission", "nope.json"], ["nope.json", "no such file"]),
        (["--submission", "."], ["folder, not a file"]),
        (["--config", "a"], ["--config", "key=value", "'a'"]),
        (["--config", "a=[1,"], ["--config: a: ", "YAML"]),
        (["--config", "a=1", "--config", "a.b=2"], ["--config: a: ", "mapping"]),
        (["--batch-size", "0"], ["--batch-size", "0", "insula run --help"]),
        (["--workers", "two"], ["--workers", "two", "insula run --help"]),
        (["--batchsize", "3"], ["--batchsize", "--batch-size"]),
        (["--executor", "proces"], ["--executor", '"proces"', '"process"?']),
        (["--api", "apy"], ["cortex.yaml", "apy", "api?"]),
        (["--output", "predictor.py"], ["predictor.py is a file", "--output"]),
        (["--output", "predictor.py/x"], ["predictor.py is a file", "--output"]),
        (["--output", "/sys/insula"], ["/sys/insula", "--output"]),
        (["--input", "x.jsonl"], ["x.jsonl", "no such file"]),
    ],
    ids=" ".join,
)
def test_bad_options(options: list[str], words: list[str], trial: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trial.write({})
    monkeypatch.chdir(trial.project)
    arguments = ["run", trial.project, *(() if "--executor" in options else ("--executor", "inline")), *options]
    trial.say(*arguments).must(*words, lines=2)
    assert trial.jobs == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], ["PROJECT", "insula run --help"]),
        (["rum", "."], ["'rum'", "run?"]),
        (["run", "nowhere"], ["nowhere", "no such folder", "cortex.yaml"]),
        (["check", "nowhere"], ["nowhere", "no such folder", "cortex.yaml"]),
        (["resume", "abc"], ["'abc'", "insula jobs"]),
        (["status", "abc"], ["'abc'", "insula jobs"]),
        (["results", "abc"], ["'abc'", "insula jobs"]),
        (["logs", "abc"], ["'abc'", "insula jobs"]),
        (["stop", "abc"], ["'abc'", "insula jobs"]),
        (["retry", "abc"], ["'abc'", "insula jobs"]),
        (["delete", "abc"], ["'abc'", "insula jobs"]),
        (["init", "new", "--type", "pyton"], ['"pyton"', '"python"?']),
    ],
    ids=" ".join,
)
def test_bad_commands(arguments: list[str], words: list[str], trial: Any) -> None:
    trial.say(*arguments).must(*words, lines=2)


NUMBERS = [10**40, -(10**40), "half \ud800", float("inf")]


@pytest.mark.parametrize("value", NUMBERS, ids=ascii)
def test_what_is_unusual_but_not_bad_arrives(value: Any, trial: Any) -> None:
    predictor = (
        "class PythonPredictor:\n"
        "    def __init__(self, config, job_spec):\n"
        "        self.config, self.shown = config['a'], job_spec['config']['a']\n"
        "    def predict(self, payload):\n"
        "        assert payload == [self.config] == [self.shown], payload\n"
        "        return [ascii(payload[0])]\n"
    )
    submission = json.dumps({"config": {"a": value}, "item_list": {"items": [value]}})
    trial.write({"predictor.py": predictor, "job.json": submission})
    said = trial.say("run", trial.project, "--executor", "inline", "--output", trial.home / "out")
    assert said.code == 0, said.err
    (line,) = (trial.home / "out" / "predictions.jsonl").read_text().splitlines()
    assert json.loads(line)["prediction"] == ascii(value)
