"""Predictors, `.env` and `.cortexignore` as nobody should write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

GOOD = "class PythonPredictor:\n    def predict(self, payload):\n        return payload\n"

TABLE: dict[str, tuple[dict[str, str | bytes | None], list[str]]] = {
    "a syntax error": (
        {"predictor.py": "class PythonPredictor:\n    def predict(self, payload)\n        return payload\n"},
        ['predictor.py", line 2', "SyntaxError"],
    ),
    "not UTF-8": ({"predictor.py": GOOD.encode() + b"x = '\xff'\n"}, ["predictor.py", "utf-8"]),
    "a missing package": (
        {"predictor.py": f"import not_there\n{GOOD}"},
        ['predictor.py", line 1', "No module named 'not_there'"],
    ),
    "an error of a file that it imports": (
        {"predictor.py": f"import helper\n{GOOD}", "helper.py": "\n1 / 0\n"},
        ['predictor.py", line 1', 'helper.py", line 2', "ZeroDivisionError"],
    ),
    "another class": ({"predictor.py": "class Predictor:\n    pass\n"}, ["predictor.py:1: ", "PythonPredictor"]),
    "no predict": (
        {"predictor.py": "class PythonPredictor:\n    def predcit(self, payload): pass\n"},
        ["predictor.py:1: PythonPredictor: ", "predict", "predcit"],
    ),
    "an unknown parameter": (
        {"predictor.py": "class PythonPredictor:\n    def predict(self, batch): pass\n"},
        ["predictor.py:2: PythonPredictor.predict: ", "batch", "batch_id?", "payload"],
    ),
    "an unknown parameter of the constructor": (
        {"predictor.py": f"{GOOD}    def __init__(self, conf): pass\n"},
        ["predictor.py:4: PythonPredictor.__init__: ", "conf", "config?", "job_spec"],
    ),
    "a generator": (
        {"predictor.py": "class PythonPredictor:\n    def predict(self, payload): yield 1\n"},
        ["PythonPredictor.predict", "generator"],
    ),
    "async": (
        {"predictor.py": "class PythonPredictor:\n    async def predict(self, payload): return 1\n"},
        ["PythonPredictor.predict", "async"],
    ),
    "an empty file": ({"predictor.py": ""}, ["predictor.py:1: ", "PythonPredictor"]),
    "no file": ({"predictor.py": None}, ["predictor.path: ", "predictor.py"]),
    "another file": ({"predictor.py": None, "predictors.py": GOOD}, ["predictor.path: ", "predictors.py?"]),
    "a folder": ({"predictor.py": None, "predictor.py/x": ""}, ["predictor.path: ", "folder"]),
    "a file of another kind": (
        {"cortex.yaml": "name: api\npredictor: {type: python, path: job.json}\n"},
        ["predictor.path: ", "job.json", ".py"],
    ),
    "a class for another type": (
        {"cortex.yaml": "name: api\npredictor: {type: onnx, path: predictor.py, model_path: job.json}\n"},
        ["predictor.py:1: ", "ONNXPredictor", "PythonPredictor"],
    ),
    "a model that is none": (
        {
            "cortex.yaml": "name: api\npredictor: {type: onnx, path: predictor.py, model_path: job.json}\n",
            "predictor.py": GOOD.replace("Python", "ONNX") + "    def __init__(self, onnx_client): pass\n",
        },
        ["job.json", "model"],
    ),
    "commands in .env": ({".env": "A=$(whoami)\n"}, [".env:1: ", "commands"]),
    "three faults of .env": ({".env": "1A=b\nB\nC='x\n"}, [".env:1: '1A'", ".env:2: ", ".env:3: ", "quote"]),
    ".env is not UTF-8": ({".env": b"A=\xff\n"}, [".env", "UTF-8"]),
    "a bad line of .cortexignore": ({".cortexignore": "a\n[z-a]\n"}, [".cortexignore:2: ", "[z-a]"]),
    ".cortexignore is not UTF-8": ({".cortexignore": b"\xff\n"}, [".cortexignore", "UTF-8"]),
}


@pytest.mark.parametrize("what", TABLE)
def test_bad_predictor(what: str, refused: Callable[..., None]) -> None:
    files, words = TABLE[what]
    refused(files, words, lines=9, characters=800)


RAISING: dict[str, tuple[str, list[str]]] = {
    "an error": ("raise ValueError('no batch today')", ["ValueError: no batch today"]),
    "a text that cannot be written": ("raise ValueError('\\ud800')", ["ValueError: \\ud800"]),
    "a text that cannot be had": ("raise Mute()", ["Mute", "its text cannot be had", "RuntimeError"]),
    "a very long text": ("raise ValueError('x' * 10**6)", ["ValueError: xxx", "characters left out"]),
    "what JSON cannot hold": ("return [object() for _ in payload]", ["TypeError", "JSON"]),
}
MUTE = "class Mute(Exception):\n    def __str__(self): raise RuntimeError('no')\n"


@pytest.mark.parametrize("what", RAISING)
def test_a_predict_that_fails(what: str, trial: Any) -> None:
    body, words = RAISING[what]
    text = f"{MUTE}class PythonPredictor:\n    def predict(self, payload): {body}\n"
    trial.write({"predictor.py": text, "job.json": '{"item_list": {"items": [1, 2, 3]}, "retries": 0}'})
    said = trial.say("run", trial.project, "--executor", "inline", "--output", trial.home / "out")
    assert said.code == 1
    assert "insula" not in said.err
    assert len(said.err.splitlines()) <= 8, said.err
    assert max(map(len, said.err.splitlines())) <= 300
    letters = [json.loads(line) for line in (trial.home / "out" / "dead_letters.jsonl").read_text().splitlines()]
    assert [letter["input"] for letter in letters] == [1, 2, 3]
    for letter in letters:
        error = letter["error"]
        assert all(word in f"{error['type']}: {error['message']}" for word in words), error
        assert len(error["message"]) + len(error["traceback"]) < 50_000


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_constructor_that_fails(executor: str, trial: Any) -> None:
    text = f"{GOOD}    def __init__(self, config): self.model = config['model \\ud800']\n"
    trial.write({"predictor.py": text})
    said = trial.say("run", trial.project, "--executor", executor)
    said.must('predictor.py", line 4, in __init__', "KeyError", "insula resume", code=1, lines=9, characters=700)


def test_a_predictor_that_writes_into_the_socket(trial: Any) -> None:
    text = (
        "import os, stat, time\n"
        "class PythonPredictor:\n"
        "    def predict(self, payload):\n"
        "        for one in map(int, os.listdir('/proc/self/fd')) if payload == [2] else ():\n"
        "            if os.path.exists(f'/proc/self/fd/{one}') and stat.S_ISSOCK(os.fstat(one).st_mode):\n"
        "                os.write(one, b'\\xff' * 64)\n"
        "                time.sleep(60)  # it is ended here\n"
        "        return payload\n"
    )
    submission = '{"item_list": {"items": [1, 2, 3], "batch_size": 1}, "retries": 0, "workers": 1}'
    trial.write({"predictor.py": text, "job.json": submission})
    said = trial.say("run", trial.project, "--output", trial.home / "out")
    assert said.code == 1
    assert "Traceback" not in said.err
    (letter,) = (json.loads(line) for line in (trial.home / "out" / "dead_letters.jsonl").read_text().splitlines())
    assert (letter["index"], letter["error"]["type"]) == (1, "WorkerDied")
    assert "sent what is no message" in letter["error"]["message"]
    assert len((trial.home / "out" / "predictions.jsonl").read_text().splitlines()) == 2
