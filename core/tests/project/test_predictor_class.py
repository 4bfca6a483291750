from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from insula.errors import ProjectError
from insula.project.predictor_class import check_predictor


def check(project: Path, source: str, arguments: tuple[str, ...] = ()) -> None:
    (project / "predictor.py").write_text(source)
    check_predictor(project, "predictor.py", "PythonPredictor", arguments)


GOOD = {
    "plain": "class PythonPredictor:\n def __init__(self, config): ...\n def predict(self, payload, batch_id): ...",
    "any order": "class PythonPredictor:\n def __init__(self, job_spec, config): ...\n def predict(self, batch_id): ...",
    "defaults": "class PythonPredictor:\n def predict(self, payload, extra=1, *, more=2): ...",
    "all of them": "class PythonPredictor(object):\n def __init__(self, **kw): ...\n def predict(self, *args, **kw): ...",
    "positional": "class PythonPredictor:\n def predict(self, payload, /): ...",
    "self among the rest": "class PythonPredictor:\n def predict(*args): ...",
    "Cortex's names": "class PythonPredictor:\n def predict(self, headers, query_params): ...\n def post_predict(x): ...",
    "imported": "from elsewhere import PythonPredictor",
    "imported with the rest": "from elsewhere import *",
    "aliased": "class Mine:\n def predict(self, foo): ...\nPythonPredictor = Mine",
    "inherited": "class PythonPredictor(Base): pass",
    "inherited and overridden": "class PythonPredictor(Base):\n def predict(self, foo): ...",
    "metaclass": "class PythonPredictor(metaclass=Meta):\n def predict(self, foo): ...",
    "decorated": "@decorator\nclass PythonPredictor:\n def predict(self, foo): ...",
    "decorated method": "class PythonPredictor:\n @decorator\n def predict(self, foo): ...",
    "async": "class PythonPredictor:\n async def predict(self, foo): ...",
    "conditional": "if x:\n class PythonPredictor:\n  def predict(self, foo): ...",
    "conditional method": "class PythonPredictor:\n if x:\n  def predict(self, foo): ...",
    "defined twice": "class PythonPredictor:\n def predict(self, foo): ...\nclass PythonPredictor:\n def predict(self): ...",
    "method defined twice": "class PythonPredictor:\n def predict(self, foo): ...\n def predict(self, payload): ...",
    "method replaced": "class PythonPredictor:\n def predict(self, foo): ...\n predict = wrap(predict)",
    "wrapped later": "class PythonPredictor:\n def predict(self, foo): ...\nPythonPredictor = wrap(PythonPredictor)",
    "patched later": "class PythonPredictor:\n pass\nPythonPredictor.predict = predict",
    "patched by a function": "class PythonPredictor:\n pass\ndef patch():\n PythonPredictor.predict = predict\npatch()",
    "assigned": "class PythonPredictor:\n def __init__(self):\n  self.predict = 1",
    "attributes made": "class PythonPredictor:\n def __getattr__(self, name): ...",
    "made by code": "globals()['Python' + 'Predictor'] = 3",
    "module attributes": "def __getattr__(name): ...",
    "another syntax": "class PythonPredictor:\n def predict(self, foo): print 'x'",
    "the same name twice": "class PythonPredictor:\n def predict(self, payload, payload): ...",
    "a NUL": "\0",
    "too deep": "(" * 5000 + ")" * 5000,
    "predict is a class attribute": "class PythonPredictor:\n predict = staticmethod(f)",
}


@pytest.mark.parametrize("source", GOOD.values(), ids=GOOD)
def test_what_is_fine_or_cannot_be_seen(tmp_path: Path, source: str) -> None:
    check(tmp_path, source)


@pytest.mark.parametrize(
    "source, words",
    [
        (
            "\nclass PythonPredictor:\n def predict(self, payloads): ...",
            ["predictor.py:3: PythonPredictor.predict: the parameter payloads", "did you mean payload?", "batch_id"],
        ),
        (
            "class PythonPredictor:\n def __init__(self, conf, onnx_clent): ...\n def predict(self): ...",
            ["the parameter conf", "config", "did you mean onnx_client?"],
        ),
        ("class PythonPredictor:\n def predict(self, *, samples): ...", ["the parameter samples"]),
        ("class PythonPredictor:\n def predict(): ...", ["predictor.py:2: ", "must be self"]),
        ("class PythonPredicter:\n def predict(self): ...", ["predictor.py:1: it defines no class", "PythonPredicter"]),
        ("", ["predictor.py:1: it defines no class PythonPredictor"]),
        ("class PythonPredictor:\n def predct(self): ...", ["predictor.py:1: ", "it has no method predict", "predct"]),
        ("class PythonPredictor:\n def run(self): self.model.predict(1)", ["no method predict"]),
        (
            "class PythonPredictor:\n def predict(self, foo): ...\nif __name__ == '__main__':\n PythonPredictor().predict(1)",
            ["the parameter foo"],
        ),
    ],
)  # fmt: skip
def test_what_is_certain(tmp_path: Path, source: str, words: list[str]) -> None:
    with pytest.raises(ProjectError) as raised:
        check(tmp_path, source, ("onnx_client",))
    for word in words:
        assert word in str(raised.value)


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as raised:
        check(tmp_path, "class PythonPredictor:\n def predict(self, a, b): ...\n def __init__(self, c): ...")
    places = [line.split(" ")[0] for line in str(raised.value).splitlines()]
    assert places == ["predictor.py:2:", "predictor.py:2:", "predictor.py:3:"]


def test_the_file(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "predictor.py").write_text("")
    for path, words in [
        ("src/predicter.py", r"no file src/predicter\.py in .*; did you mean src/predictor\.py\?"),
        ("nowhere/predictor.py", "no file nowhere/predictor.py"),
        ("src/predictor.py/a.py", "no file"),
        ("src", "is a folder"),
        ("a\0b", "cannot be read"),
    ]:
        with pytest.raises(ProjectError, match=words):
            check_predictor(tmp_path, path, "PythonPredictor")


def test_another_encoding(tmp_path: Path) -> None:
    source = "# coding: latin-1\nclass PythonPredictor:\n def predict(self, payload): return 'é'"
    (tmp_path / "predictor.py").write_bytes(source.encode("latin-1"))
    check_predictor(tmp_path, "predictor.py", "PythonPredictor")


PIECES = "class PythonPredictor|(Base)|:|\n| |def predict|(self, x)|(self)|=|PythonPredictor|@|..."
pieces = st.sampled_from(PIECES.split("|"))


@given(st.lists(pieces).map("".join))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_source_is_fine_or_refused(tmp_path: Path, source: str) -> None:
    with suppress(ProjectError):
        check(tmp_path, source)
