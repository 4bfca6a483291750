"""cortex.yaml and submissions: whatever is written there, there are faults or there is a spec."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insula import exact
from insula.descriptors import HardwareTarget, NoSettings, PredictorType, Source
from insula.documents import parse_document
from insula.errors import PluginError, UserError
from insula.loading import load_submission, parse_overrides, structure_api
from insula.sources.settings import DelimitedFiles, FilePathLister, ItemList
from insula.spec.plain import to_plain

pytestmark = pytest.mark.timeout(1200)
fuzz = settings.get_profile("fuzz")

KINDS = {
    "python": PredictorType("python", "PythonPredictor", models="optional"),
    "onnx": PredictorType("onnx", "ONNXPredictor", models="required", hardware=("gpu",)),
}
TARGETS = {"gpu": HardwareTarget("gpu", ("gpu",), NoSettings)}
SOURCES = {
    "delimited_files": Source("delimited_files", DelimitedFiles),
    "file_path_lister": Source("file_path_lister", FilePathLister),
    "item_list": Source("item_list", ItemList, inline=True),
}
API = """\
- name: iris  # a comment
  kind: BatchAPI
  predictor: &p
    type: onnx
    path: predictor.py
    config: {threshold: 0.5, labels: [a, 'b', "c\\n"], none: ~, on: true}
    models:
      paths:
        - {name: one, path: s3://bucket/one.onnx}
        - name: two
          path: two.onnx
    env: {A: "1", B: two}
    returns: each
  compute: {cpu: 200m, mem: 512Mi, gpu: 1}
"""
SUBMISSION = json.dumps(
    {
        "workers": 2,
        "delimited_files": {"paths": ["a.jsonl", "s3://b/c"], "includes": ["**.jsonl"], "batch_size": 3},
        "config": {"a": {"b": [1, 2.5, None, True, "é"]}},
        "timeout": 3600,
        "retries": 1,
        "output": "out",
        "sqs_dead_letter_queue": {"arn": "x", "max_receive_count": 3},
    },
    indent=1,
)
WORDS = (
    *(
        "\n",
        "\t",
        " ",
        "  ",
        ":",
        ": ",
        "-",
        "- ",
        "? ",
        "#",
        ",",
        "'",
        '"',
        "\\",
        "[",
        "]",
        "{",
        "}",
        "[[[[[[",
        "{{{{{{",
    ),
    *(
        "&a ",
        "*a",
        "*p",
        "!x ",
        "!!int ",
        "!!bool ",
        "!!binary ",
        "!!set ",
        "<<: *p",
        "<<: [1]",
        "---\n",
        "...\n",
        "%YAML 9",
    ),
    *(
        "|",
        ">",
        "|2-\n",
        "~",
        "null",
        "NaN",
        ".nan",
        "1e999",
        "-0",
        "0x",
        "1_0",
        "9" * 30,
        "9" * 5000,
        "2026-11-23",
        "=",
        "y",
    ),
    *(
        "\0",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ud800",
        "\\ud800",
        "\\u0000",
        "é",
        "\U0001f600",
        "\x7f",
        "\r",
        "\r\n",
        "name",
        "x" * 300,
    ),
)


@st.composite
def changed(draw: st.DrawFn, *originals: str) -> bytes:
    """A valid text in which a few places were cut out, doubled or written over."""
    text = draw(st.sampled_from(originals))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.sampled_from((0, 0, 1, 2, 5, 20, 200))))
        middle = draw(st.sampled_from(("", text[start:stop] * 2, *WORDS)) | st.text(max_size=4))
        text = text[:start] + middle + text[stop:]
    return text.encode("utf-8", "surrogatepass")


def find_kind(word: str) -> PredictorType:
    if word not in KINDS:
        raise PluginError(f"predictor.type: there is no predictor type {word!r:.60}")
    return KINDS[word]


def find_source(word: str) -> Source:
    if word not in SOURCES:
        raise PluginError(f"job submission: there is no source {word!r:.60}")
    return SOURCES[word]


def check_message(error: UserError) -> None:
    """Hold every line of an error to a length that one can read."""
    for line in str(error).split("\n"):
        assert 5 < len(line) < 1500, line


def read(text: bytes, *, as_json: bool) -> None:
    """Read a text as whichever of the two documents."""
    try:
        document = parse_document(text, "x", json=as_json)
    except UserError as error:
        check_message(error)
        return
    for load in (
        lambda: structure_api(document, None, find_kind, TARGETS.get),
        lambda: load_submission(document, find_source),
    ):
        try:
            made: Any = load()
        except UserError as error:
            check_message(error)
        else:
            # What was accepted can be kept and sent.
            plain = to_plain(attrs_of(made))
            assert exact.loads(exact.dumps([plain, made.raw])) is not None


def attrs_of(made: Any) -> Any:
    """The spec without what its plugin structured, which the core does not write."""
    import attrs

    return attrs.evolve(made, settings=None) if hasattr(made, "settings") else made


@fuzz
@given(changed(API, SUBMISSION) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary())
def test_yaml(text: bytes) -> None:
    read(text, as_json=False)


keys = st.sampled_from(
    [
        *("workers", "config", "timeout", "retries", "output", "batch_timeout", "sqs_dead_letter_queue", "max_failed_batches"),
        *("delimited_files", "item_list", "file_path_lister", "items", "batch_size", "paths", "s3_paths", "includes"),
        *("name", "kind", "predictor", "compute", "type", "path", "models", "env", "mem", "cpu", "gpu", "join_input"),
    ]
) | st.text(max_size=5)  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([10**30, -(10**30), 0, 1, "python", "BatchAPI", "s3://a", "a", "", "[", "1G", "\0"])
    | st.text(max_size=8)
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5), max_leaves=12
)


@fuzz
@given(
    changed(SUBMISSION)
    | st.dictionaries(keys, trees, max_size=6).map(lambda tree: json.dumps(tree).encode())
    | st.binary(max_size=60)
)
def test_json(text: bytes) -> None:
    read(text, as_json=True)


@fuzz
@given(
    st.lists(
        st.text(max_size=30) | st.tuples(keys, st.text(max_size=20) | st.sampled_from(WORDS)).map("=".join), max_size=3
    )
)
def test_options(options: list[str]) -> None:
    try:
        made = parse_overrides(options)
    except UserError as error:
        check_message(error)
    else:
        assert isinstance(made, dict)
