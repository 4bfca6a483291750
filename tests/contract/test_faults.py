"""What is wrong with a project: one message, the user's frames only, and no job left behind."""

from __future__ import annotations

import json

import pytest

from insula.errors import UserError

GOOD = "class PythonPredictor:\n    def predict(self, payload): return payload\n"

FAULTS = {
    "syntax error": (
        "class PythonPredictor:\n    def predict(self, payload)\n        return payload\n",
        ["predictor.py", "line 2", "SyntaxError"],
    ),
    "wrong indentation": (
        "class PythonPredictor:\n  def a(self): pass\n   x = 1\n",
        ["IndentationError", "line 3"],
    ),
    "import error": (
        "import not_installed_anywhere\n" + GOOD,
        [
            'predictor.py", line 1',
            "ModuleNotFoundError: No module named 'not_installed_anywhere'",
            "not_installed_anywhere is neither a module of the project nor installed for /",
        ],
    ),
    "error deeper": (
        "import helper\n" + GOOD,
        ['predictor.py", line 1', 'helper.py", line 2', "ZeroDivisionError"],
    ),
    "exit while importing": (
        "import sys\nsys.exit('bye')\n" + GOOD,
        ['predictor.py", line 2', "SystemExit: bye"],
    ),
    "missing class": (
        "class Predictor:\n    def predict(self, payload): return payload\n",
        ["predictor.py:1: it defines no class PythonPredictor", "did you mean to name Predictor so?"],
    ),
    "a function of that name": ("def PythonPredictor(): pass\n", ["PythonPredictor is no class"]),
    "deleted again": (
        "class PythonPredictor: pass\ndel PythonPredictor\n",
        ["PythonPredictor is missing", "classes there: none"],
    ),
    "no predict": (
        "class PythonPredictor:\n    def predcit(self, payload): return payload\n",
        ["predictor.py:1: PythonPredictor: it has no method predict", "did you mean to name predcit so?"],
    ),
    "no predict, inherited": (
        "class A: pass\nclass PythonPredictor(A): pass\n",
        ["PythonPredictor has no method predict"],
    ),
    "predict is no method": (
        "class A:\n    predict = 3\nclass PythonPredictor(A): pass\n",
        ["PythonPredictor has no method predict"],
    ),
    "wrong parameter": (
        "class PythonPredictor:\n    def predict(self, batch): return batch\n",
        [
            "predictor.py:2: PythonPredictor.predict: the parameter batch is unknown",
            "accepted: payload, batch_id, headers, query_params",
        ],
    ),
    "wrong parameter, inherited": (
        "class A:\n    def predict(self, data): pass\nclass PythonPredictor(A): pass\n",
        ["PythonPredictor.predict: the parameter data is unknown and has no default"],
    ),
    "wrong constructor": (
        GOOD + "    def __init__(self, conf): pass\n",
        [
            "predictor.py:3: PythonPredictor.__init__: the parameter conf is unknown",
            "did you mean config? accepted: config, api_spec, job_spec",
        ],
    ),
    "wrong constructor, decorated": (
        "def same(cls): return cls\n@same\n" + GOOD + "    def __init__(self, onnx_client): pass\n",
        ["PythonPredictor.__init__: the parameter onnx_client is unknown"],
    ),
    "two faults": (
        "class PythonPredictor:\n    def __init__(self, a): pass\n    def predict(self, b): pass\n",
        ["parameter a ", "parameter b "],
    ),
    "async": (
        "class PythonPredictor:\n    async def predict(self, payload): pass\n",
        ["PythonPredictor.predict is an async function"],
    ),
    "generator": (
        "class PythonPredictor:\n    def predict(self, payload): yield from payload\n",
        ["PythonPredictor.predict is a generator"],
    ),
    "completion with a parameter": (
        GOOD + "    def on_job_complete(self, job): pass\n",
        ["PythonPredictor.on_job_complete: the parameter job is unknown and has no default; accepted: none"],
    ),
    "no self": (
        "class PythonPredictor:\n    def predict(): pass\n",
        ["PythonPredictor.predict: its first parameter must be self"],
    ),
    "not UTF-8": (
        b"class PythonPredictor:\n    def predict(self, payload): return '\xff'\n",
        ["predictor.py", "utf-8"],
    ),
    "a null byte": (b"class PythonPredictor:\n    x = '\0'\n", ["predictor.py", "null"]),
}


@pytest.mark.parametrize("what", FAULTS)
@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_predictor_that_cannot_be_used(project, what, executor) -> None:
    text, said = FAULTS[what]
    project.write("helper.py", "\n1 / 0\n")
    project.write("predictor.py", text)
    with pytest.raises(UserError) as error:
        project.run(executor=executor)
    message = str(error.value)
    for words in said:
        assert words.lower() in message.lower()
    assert message.count("Traceback") <= 1
    assert "/insula/" not in message
    assert "importlib" not in message
    assert (project.jobs, project.output.exists()) == ([], False)


def test_a_file_that_is_not_there(project) -> None:
    project.predictor("", path="predictr.py")
    with pytest.raises(UserError, match=r"there is no file predictr\.py in .*; did you mean predictor\.py\?"):
        project.run()
    assert (project.jobs, project.output.exists()) == ([], False)


def test_a_plugin_that_is_not_installed(project) -> None:
    project.predictor("")
    project.entry = {
        "name": "api",
        "predictor": {"type": "python", "path": "predictor.py"},
        "compute": {"inf": 1},
    }
    with pytest.raises(UserError, match="pip install insula-neuron"):
        project.run()
    assert (project.jobs, project.output.exists()) == ([], False)


def test_all_faults_of_a_document_at_once(project) -> None:
    project.predictor("", returns="sometimes", log_level="loud", env={"A": 1})
    project.entry["compute"] = {"mem": "much"}
    with pytest.raises(UserError) as error:
        project.run()
    for field in ("predictor.returns", "predictor.log_level", "predictor.env.A", "compute.mem"):
        assert field in str(error.value)
    assert "cortex.yaml:" in str(error.value)
    assert project.jobs == []


@pytest.mark.parametrize(
    "change",
    [
        {"workers": 0},
        {"retries": -1},
        {"timeout": 0},
        {"nonsense": 1},
        {"config": [1]},
        {"item_list": {"items": []}},
        {"workers": "2"},
    ],
    ids=str,
)
def test_a_submission_that_is_wrong(project, change) -> None:
    with pytest.raises(UserError, match=next(iter(change))):
        project.predict("return payload", **change)
    assert (project.jobs, project.output.exists()) == ([], False)


def test_a_dotenv_that_runs_a_command(project) -> None:
    project.write(".env", "A=$(whoami)\nB=1\n")
    with pytest.raises(UserError, match=r"\.env:1: commands are not run"):
        project.predict("return payload")
    assert (project.jobs, project.output.exists()) == ([], False)


@pytest.mark.parametrize("name", ["missing.jsonl", "nothing/*.jsonl", "s3://bucket/rows.jsonl"])
def test_an_input_that_is_not_there(project, name) -> None:
    project.predictor(GOOD)
    project.write("cortex.yaml", "name: api\npredictor: {type: python, path: predictor.py}\n")
    project.write("job.json", json.dumps({"delimited_files": {"paths": [name]}}))
    with pytest.raises(UserError, match=name.replace("*", r"\*")):
        project.run_as_it_is()
    assert (project.jobs, project.output.exists()) == ([], False)


def test_a_job_in_which_everything_fails_ends_at_once(project) -> None:
    left = project.predict("raise ValueError('always')", range(1000), batch_size=10, retries=1)
    assert (left.status, left.letters, left.lines) == ("worker_error", [], [])
    assert "batches all failed: ValueError: always" in left.summary["message"]
    assert 'predictor.py", line 3, in predict' in left.summary["message"]
    assert left.summary["attempts_failed"] < 50


def test_more_failed_batches_than_allowed(project) -> None:
    body = "if payload[0] % 4 == 0:\n    raise ValueError('every second batch')\nreturn payload"
    left = project.predict(body, range(1000), batch_size=2, max_failed_batches=5)
    assert left.status == "worker_error"
    assert "batches failed; max_failed_batches is 5" in left.summary["message"]
