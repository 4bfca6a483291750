from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from insula.descriptors import PredictorType
from insula.errors import ProjectError, SpecError
from insula.loading import load_api
from insula.spec import ApiSpec

Load = Callable[..., ApiSpec]

MINIMAL = """\
name: digits
kind: BatchAPI
predictor:
  type: python
  path: predictor.py
"""


def faults(load: Load, text: str, name: str | None = None) -> list[str]:
    with pytest.raises(SpecError) as raised:
        load(text, name)
    return str(raised.value).splitlines()


def test_one_entry(load: Load) -> None:
    api = load(MINIMAL)
    assert (api.name, api.kind, api.ignored) == ("digits", "BatchAPI", ())
    assert (api.predictor.type, api.predictor.path, api.predictor.returns) == (
        "python",
        "predictor.py",
        "auto",
    )
    assert not api.predictor.models
    assert api.raw == yaml.safe_load(MINIMAL)


def test_everything(load: Load) -> None:
    text = """\
- name: digits
  kind: BatchAPI
  networking: {endpoint: x}
  predictor:
    type: onnx
    path: predictor.py
    model_path: model.onnx
    config: {a: 1, b: [x]}
    python_path: src
    env: {A: "1"}
    log_level: debug
    returns: each
    image: repository/image
    providers: [CUDA]
    threads: 2
  compute: {cpu: 200m, mem: 512Mi, gpu: 1, inf: 0, node_groups: [a]}
"""
    api = load(text)
    assert api.predictor.config == {"a": 1, "b": ["x"]}
    assert api.predictor.env == {"A": "1"}
    assert api.predictor.settings.providers == ("CUDA",)
    assert api.predictor.settings.threads == 2
    assert (api.compute.cpu, api.compute.mem) == (0.2, 512 << 20)
    assert api.compute.targets["gpu"].gpu == 1
    assert api.ignored == ("networking", "predictor.image", "compute.node_groups")


def test_null_is_the_same_as_absent(load: Load) -> None:
    api = load(MINIMAL + "  config:\n  env: ~\n  models: null\ncompute:\nnetworking: null\n")
    assert (api.predictor.config, api.predictor.env, api.ignored) == ({}, {}, ())


def test_which_entry(load: Load) -> None:
    two = "- name: one\n  predictor: {type: python, path: a.py}\n- name: two\n  kind: RealtimeAPI\n  other: 1\n"
    assert load(two, "one").name == "one"
    assert load(MINIMAL, "digits").name == "digits"
    assert faults(load, two) == ["cortex.yaml: it holds several APIs (one, two): name the one to run (--api NAME)"]
    assert faults(load, two, "tow") == ["cortex.yaml: no API is named tow; did you mean two?"]
    assert faults(load, two, "two") == [
        "cortex.yaml:4:3: [1].kind: insula runs kind BatchAPI only, and this is a RealtimeAPI"
    ]
    assert "more than one API is named one" in faults(load, "[{name: one}, {name: one}]", "one")[0]
    assert "expected an API, found none" in faults(load, "[]")[0]
    assert "expected a mapping" in faults(load, "[text]")[0]


def test_all_faults_at_once_with_their_lines(load: Load) -> None:
    text = """\
name: a/b
kind: batchAPI
netwrking: {}
predictor:
  type: onnx
  path: 3
  confg: {a: 1}
  config: {1: x}
  env: {A: 1}
  returns: eech
  prvders: 1
  threads: 0
compute:
  cpu: 20q
  memory: 1Gi
  gpu: -1
"""
    # A key that is no string is a fault of the document, reported before its meaning is looked at.
    assert faults(load, text) == ["cortex.yaml:8:12: predictor.config: keys are strings: put 1 in quotes"]
    found = faults(load, text.replace("1: x", "'1': x"))
    assert [line.split(": ")[:2] for line in found] == [
        ["cortex.yaml:1:1", "name"],
        ["cortex.yaml:2:1", "kind"],
        ["cortex.yaml:3:1", "netwrking"],
        ["cortex.yaml:4:1", "predictor.models"],
        ["cortex.yaml:6:3", "predictor.path"],
        ["cortex.yaml:7:3", "predictor.confg"],
        ["cortex.yaml:9:9", "predictor.env.A"],
        ["cortex.yaml:10:3", "predictor.returns"],
        ["cortex.yaml:11:3", "predictor.prvders"],
        ["cortex.yaml:12:3", "predictor.threads"],
        ["cortex.yaml:14:3", "compute.cpu"],
        ["cortex.yaml:15:3", "compute.memory"],
        ["cortex.yaml:16:3", "compute.gpu"],
    ]
    for line, word in [(2, "networking"), (5, "config"), (7, "each"), (8, "providers"), (11, "mem")]:
        assert f"did you mean {word}?" in found[line]


@pytest.mark.parametrize(
    "text, words",
    [
        ("name: a", ["predictor: missing"]),
        ("predictor: {type: python, path: a.py}", ["name: missing"]),
        ("name: a\npredictor: text", ["predictor: expected a mapping"]),
        ("name: a\npredictor: {path: a.py}", ["predictor.type: missing"]),
        (
            "name: a\npredictor: {type: pyton, path: a.py}",
            ['predictor.type: there is no predictor type "pyton"'],
        ),
        ("name: a\npredictor: {type: 3, path: a.py}", ["predictor.type: expected a string"]),
        ("name: a\npredictor: {type: python}", ["predictor.path: missing", "PythonPredictor"]),
        ("name: a\npredictor: {type: python, path: ''}", ["predictor.path: missing", "PythonPredictor"]),
        (
            "name: a\npredictor: {type: ready, path: a.py}",
            ["predictor.path: predictor type ready runs no code"],
        ),
        ("name: a\npredictor: {type: ready, settings: 1}", ["predictor.settings: unknown key"]),
        ("name: ''\npredictor: {type: ready}", ["name: a name begins with"]),
        ("name: a\nkind: 3\npredictor: {type: ready}", ["kind: expected a string"]),
        ("name: a\nkind: TaskAPI\nother: 3", ["kind: insula runs kind BatchAPI only"]),
        ("name: a\npredictor: {type: ready}\ncompute: 3", ["compute: expected a mapping"]),
    ],
)
def test_faults(load: Load, text: str, words: list[str]) -> None:
    (found,) = faults(load, text)
    for word in words:
        assert word in found


def test_a_predictor_type_without_code(load: Load) -> None:
    assert load("name: a\npredictor: {type: ready}").predictor.path is None


def test_no_cortex_yaml(tmp_path: Path) -> None:
    def find_predictor(word: str) -> PredictorType:
        raise AssertionError(word)

    def load(project: Path) -> None:
        load_api(project, None, find_predictor, lambda key: None)

    with pytest.raises(ProjectError, match=r"there is no cortex\.yaml in this folder$"):
        load(tmp_path)
    (tmp_path / "cortex.yml").write_text("")
    with pytest.raises(ProjectError, match=r"there is a cortex\.yml: rename it"):
        load(tmp_path)
    with pytest.raises(ProjectError, match="there is no such folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(ProjectError, match="this is a file"):
        load(tmp_path / "cortex.yml")
    (tmp_path / "cortex.yaml").mkdir()
    with pytest.raises(ProjectError, match="this is a folder"):
        load(tmp_path)


WORDS = (
    "name kind predictor compute networking type path models model_path paths dir signature_key config env image cpu mem "
    "gpu inf any broken providers threads python onnx BatchAPI returns each"
)
words = st.sampled_from(WORDS.split(" "))
data = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words | st.text(max_size=3), inner),
    max_leaves=25,
)


@given(data)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_document_is_an_api_or_refused(load: Load, data: Any) -> None:
    with suppress(SpecError):
        assert isinstance(load(yaml.safe_dump(data)), ApiSpec)


sections = st.fixed_dictionaries(
    {
        "name": words | data,
        "predictor": st.dictionaries(words, data),
        "compute": st.dictionaries(words, data),
    }
)


@given(sections)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_sections_are_an_api_or_refused(load: Load, data: Any) -> None:
    data["predictor"]["type"] = "onnx"
    # There is always a fault, so that there is something to look at.
    data["predictor"]["threads"] = []
    for line in faults(load, yaml.safe_dump(data)):
        assert line.startswith("cortex.yaml")
        assert len(line) < 500
