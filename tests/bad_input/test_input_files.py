"""Files of input as nobody should write them, and storage that cannot be reached."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import random
from collections.abc import Callable
from typing import Any

import pytest

NOISE = random.Random(7).randbytes(5000)

REFUSED: dict[str, tuple[str, bytes, list[str]]] = {
    "nothing": ("rows.jsonl", b"", ["no samples"]),
    "blank lines": ("rows.jsonl", b"\n\r\n  \n", ["no samples"]),
    "CSV": ("rows.jsonl", b"a,b\n" * 30, ["rows.jsonl", "JSON lines", "first 20 lines"]),
    "one array over many lines": (
        "rows.jsonl",
        json.dumps([{"a": number} for number in range(30)], indent=1).encode(),
        ["rows.jsonl", "JSON lines", "one JSON value"],
    ),
    "UTF-16": ("rows.jsonl", ('{"a":1}\n' * 30).encode("utf-16"), ["rows.jsonl", "UTF-8", "0xff"]),
    "gzip that is cut": ("rows.jsonl.gz", gzip.compress(NOISE)[:-20], ["rows.jsonl.gz", "cut", "gzip"]),
    "xz that is damaged": ("rows.jsonl.xz", b"\xfd7zXZ\x00" + NOISE, ["rows.jsonl.xz", "damaged", "xz"]),
    "xz that is cut": ("rows.jsonl.xz", lzma.compress(NOISE)[:-30], ["rows.jsonl.xz", "cut", "xz"]),
}


@pytest.mark.parametrize("what", REFUSED)
def test_bad_files(what: str, refused: Callable[..., None]) -> None:
    name, content, words = REFUSED[what]
    refused({"job.json": json.dumps({"delimited_files": {"paths": [name]}}), name: content}, words, lines=1)


LISTED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing there": (
        {"paths": ["nothing.jsonl", "n*.jsonl", "/nowhere/x"]},
        ["nothing.jsonl: ", "n*.jsonl: ", "/nowhere/x: "],
    ),
    "no pattern fits": ({"paths": ["."], "includes": ["*.xyz"]}, ["3 files", "includes (*.xyz)", "**"]),
    "a file twice": ({"paths": ["job.json", "./job.json"]}, ["job.json", "twice"]),
    "a device": ({"paths": ["/dev/null"]}, ["/dev/null", "neither a file nor a folder"]),
    "a kind of URL that nobody reads": ({"paths": ["foo://nowhere/a"]}, ["foo://nowhere/a", "s3://", "local paths"]),
    "a storage whose package is not there": ({"paths": ["az://nowhere/a"]}, ["az://nowhere/a", 'pip install "insula[']),
    "a server that is not there": ({"paths": ["http://127.0.0.1:9/x.jsonl"]}, ["http://127.0.0.1:9/x.jsonl"]),
}


@pytest.mark.parametrize("what", LISTED)
def test_files_that_cannot_be_listed(what: str, refused: Callable[..., None]) -> None:
    settings, words = LISTED[what]
    refused({"job.json": json.dumps({"delimited_files": settings})}, words, lines=3)


def test_a_name_that_is_not_utf8(trial: Any) -> None:
    trial.write({"job.json": '{"delimited_files": {"paths": ["rows"]}}', "rows/a.jsonl": "1\n"})
    with open(os.fsencode(trial.project) + b"/rows/\xff.jsonl", "wb") as file:
        file.write(b"2\n")
    trial.say().must("\\xff.jsonl", "UTF-8", "rename", lines=1)
    assert trial.jobs == []


LINES: dict[str, tuple[bytes, list[str]]] = {
    "not closed": (b'{"a": \n', ["not JSON"]),
    "Latin-1": ('"é"\n'.encode("latin-1"), ["not UTF-8", "0xe9"]),
    "two values": (b"1 2\n", ["not JSON", "position 3"]),
    "too deep": (b"[" * 100_000 + b"]" * 100_000 + b"\n", ["too deeply"]),
    "a NUL": (b"\0\n", ["not JSON"]),
    "noise": (NOISE.replace(b"\n", b"") + b"\n", ["not UTF-8"]),
}


@pytest.mark.parametrize("what", LINES)
def test_a_bad_line_costs_itself(what: str, trial: Any) -> None:
    line, words = LINES[what]
    trial.write({"job.json": '{"delimited_files": {"paths": ["rows.jsonl"]}}', "rows.jsonl": b"1\n" + line + b"3\n"})
    said = trial.say("run", trial.project, "--executor", "inline", "--output", trial.home / "out")
    assert (said.code, len(said.err.splitlines())) == (1, 3), said.err
    assert "sample 1 is given up" in said.err
    (letter,) = (json.loads(line) for line in (trial.home / "out" / "dead_letters.jsonl").read_text().splitlines())
    assert (letter["index"], letter["line"]) == (1, 2)
    assert all(word in letter["error"]["message"] for word in words), letter["error"]
    assert len((trial.home / "out" / "predictions.jsonl").read_text().splitlines()) == 2
