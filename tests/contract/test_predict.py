"""What `predict` may take, and when it is called with what."""

from __future__ import annotations

import itertools
import json
import uuid

import pytest

NAMES = ("payload", "batch_id", "headers", "query_params")
SUBSETS = [names for size in range(5) for names in itertools.permutations(NAMES, size)]


@pytest.mark.parametrize("names", SUBSETS, ids=lambda names: "-".join(names) or "none")
def test_any_subset_in_any_order(project, names) -> None:
    project.predictor(
        f"""
        class PythonPredictor:
            def predict({", ".join(("self", *names))}):
                return ([{", ".join(names)}],)
        """
    )
    left = project.run([7, 8], batch_size=2)
    assert left.status == "succeeded"
    ((found,),) = left.predictions
    for name, value in zip(names, found, strict=True):
        assert value == {"payload": [7, 8], "batch_id": left.lines[0]["batch_id"]}.get(name)


SHAPES = {
    "keyword only": "def predict(self, *, payload): return payload",
    "positional only": "def predict(self, payload, /): return payload",
    "all names": "def predict(self, **names): return names['payload']",
    "some and all": "def predict(self, payload, *more, **names): return payload if 'batch_id' in names else None",
    "defaults": "def predict(self, payload, top=3, batch_id=None): return payload if batch_id else None",
    "static": "@staticmethod\ndef predict(payload): return payload",
    "class method": "@classmethod\ndef predict(cls, payload): return payload",
    "callable attribute": "predict = staticmethod(lambda payload: payload)",
    "wrapped": "@logged\ndef predict(self, payload): return payload",
    "wrapped with own parameters": "@positional\ndef predict(self, payload, batch_id): return payload",
    "partial": "predict = functools.partialmethod(helper, 1)",
}

HEAD = """
import functools

def logged(function):
    @functools.wraps(function)
    def call(*args, **names):
        return function(*args, **names)
    return call

def positional(function):
    @functools.wraps(function)
    def call(self, payload):
        return function(self, payload, "id")
    return call

def helper(self, number, payload):
    assert number == 1
    return payload

class PythonPredictor:
"""


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_method(project, shape) -> None:
    body = "".join(f"    {line}\n" for line in SHAPES[shape].splitlines())
    project.write("predictor.py", HEAD + body)
    assert project.run().predictions == [0, 1, 2, 3, 4]


def test_predict_may_be_made_in_the_constructor(project) -> None:
    project.predictor(
        """
        class PythonPredictor:
            def __init__(self):
                self.predict = lambda payload: [one + 1 for one in payload]
            def predict(self, payload):
                raise AssertionError
        """
    )
    assert project.run().predictions == [1, 2, 3, 4, 5]


def test_the_payload_is_a_list_of_one_or_more_samples(project) -> None:
    left = project.predict("return ([type(payload).__name__, len(payload)],)", range(5), batch_size=2)
    assert left.predictions == [[["list", 2]], [["list", 2]], [["list", 1]]]
    assert [(line["index"], line["count"]) for line in left.lines] == [(0, 2), (2, 2), (4, 1)]


def test_batch_ids_are_uuids_one_a_batch(project) -> None:
    left = project.predict("return [batch_id] * len(payload)", range(7), batch_size=3)
    ids = [line["batch_id"] for line in left.lines]
    assert left.predictions == ids
    assert [len(list(same)) for _, same in itertools.groupby(ids)] == [3, 3, 1]
    for one in ids:
        parsed = uuid.UUID(one)
        assert (str(parsed), parsed.version, parsed.variant) == (one, 4, uuid.RFC_4122)


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_batch_keeps_its_id_over_attempts(project, executor) -> None:
    project.predictor(
        """
        import json
        class PythonPredictor:
            def predict(self, payload, batch_id):
                with open("calls.log", "a") as log:
                    first = log.tell() == 0
                    log.write(json.dumps([payload, batch_id]) + "\\n")
                if first:
                    raise RuntimeError("first attempt")
                return payload
        """
    )
    left = project.run([1, 2], executor=executor, batch_size=2, retries=1)
    calls = [json.loads(line) for line in (project.folder / "calls.log").read_text().splitlines()]
    assert left.predictions == [1, 2]
    assert calls == [[[1, 2], left.lines[0]["batch_id"]]] * 2


def test_pieces_have_ids_of_their_own(project) -> None:
    left = project.predict(
        """
        if 3 in payload:
            raise ValueError("not three")
        return [batch_id] * len(payload)
        """,
        range(8),
        batch_size=8,
    )
    assert left.indexes == [0, 1, 2, 4, 5, 6, 7]
    assert left.predictions == [line["batch_id"] for line in left.lines]
    assert len(set(left.predictions)) == 3, "0-1, 2, 4-7"
    assert all(str(uuid.UUID(one)) == one for one in left.predictions)
    assert (left.letters[0]["index"], left.letters[0]["input"], left.errors) == (
        3,
        3,
        ["ValueError: not three"],
    )
    assert left.status == "completed_with_failures"


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_output_stored_by_the_predictor(project, executor) -> None:
    project.predictor(
        """
        import json, pathlib
        class PythonPredictor:
            def __init__(self, job_spec):
                self.folder = pathlib.Path("stored") / job_spec["job_id"]
                self.folder.mkdir(parents=True)
            def predict(self, payload, batch_id):
                with open(self.folder / f"{batch_id}.json", "x") as file:
                    json.dump(payload, file)
        """
    )
    left = project.run(range(5), executor=executor)
    stored = [json.loads(path.read_text()) for path in (project.folder / "stored").glob("*/*.json")]
    assert sorted(stored) == [[0, 1], [2, 3], [4]], "called once a batch: the second time the file would be there"
    assert (left.status, left.lines, left.summary["stored_by_predictor"]) == ("succeeded", [], 5)


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_on_job_complete_sees_the_results(project, executor) -> None:
    project.predictor(
        """
        import json, pathlib
        class PythonPredictor:
            def __init__(self, job_spec):
                self.output = pathlib.Path(job_spec["output"])
            def predict(self, payload):
                if 2 in payload:
                    raise ValueError
                return payload
            def on_job_complete(self):
                rows = (self.output / "predictions.jsonl").read_text().splitlines()
                letters = (self.output / "dead_letters.jsonl").read_text().splitlines()
                with open(self.output / "told.jsonl", "a") as told:
                    told.write(json.dumps([len(rows), len(letters)]) + "\\n")
        """
    )
    left = project.run(executor=executor, workers=2)
    assert left.status == "completed_with_failures"
    assert (project.output / "told.jsonl").read_text() == "[4, 1]\n"


def test_on_job_complete_that_raises(project) -> None:
    project.predictor(
        """
        class PythonPredictor:
            def predict(self, payload):
                return payload
            def on_job_complete(self):
                raise KeyError("upload")
        """
    )
    left = project.run()
    assert left.status == "worker_error"
    assert "on_job_complete failed: KeyError: 'upload'" in left.summary["message"]
    assert 'predictor.py", line 6, in on_job_complete' in left.summary["message"]
    assert left.predictions == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "end, executor",
    [
        ("sys.exit(3)", "inline"),
        ("sys.exit(3)", "process"),
        ("raise KeyboardInterrupt", "process"),  # inline it is Ctrl-C, and ends the job
        ("raise GeneratorExit", "inline"),
        ("raise GeneratorExit", "process"),
    ],
)
def test_what_ends_a_program_costs_its_sample_only(project, end, executor) -> None:
    project.predictor(
        f"""
        import sys
        class PythonPredictor:
            def predict(self, payload):
                if 2 in payload:
                    {end}
                return payload
        """
    )
    left = project.run(executor=executor)
    assert left.predictions == [0, 1, 3, 4]
    assert left.letters[0]["index"] == 2
    assert left.letters[0]["error"]["type"] in ("SystemExit", "KeyboardInterrupt", "GeneratorExit")


def test_a_process_that_exits_costs_its_sample_only(project) -> None:
    project.predictor(
        """
        import os
        class PythonPredictor:
            def predict(self, payload):
                if 2 in payload:
                    os._exit(7)
                return payload
        """
    )
    left = project.run(executor="process")
    assert left.predictions == [0, 1, 3, 4]
    assert left.errors == ["WorkerDied: the worker ended with exit code 7"]


def test_files_that_predict_writes_do_not_stop_a_replaced_worker(project) -> None:
    project.write("data/kept.txt", "as it was")
    project.predictor(
        """
        import os, uuid
        class PythonPredictor:
            def predict(self, payload):
                open(f"data/{uuid.uuid4()}.txt", "w").close()
                if 2 in payload:
                    os._exit(7)
                return payload
        """
    )
    left = project.run(executor="process")
    assert (left.status, left.predictions) == ("completed_with_failures", [0, 1, 3, 4])


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_names_of_the_standard_library_and_of_dependencies_in_the_project(project, executor) -> None:
    names = ("json", "orjson", "uuid", "decimal", "difflib", "attrs", "attr", "pluggy", "queue", "socket", "struct",
             "traceback", "insula", "enum", "typing", "pathlib", "site", "encodings", "mmap", "fractions", "numbers",
             "ctypes", "base64", "datetime", "insula_python", "hashlib", "importlib_metadata")  # fmt: skip
    for name in names:
        project.write(f"{name}.py", "raise ImportError('the file of the project was imported')\n")
    project.predictor(
        """
        class PythonPredictor:
            def predict(self, payload):
                if 2 in payload:
                    raise ValueError
                return [{"bytes": b"x", "big": 1 << 70, "nan": float("nan")} for _ in payload]
        """
    )
    left = project.run(executor=executor, batch_size=5)
    assert left.status == "completed_with_failures", left.log
    assert left.errors == ["ValueError: "]
    assert left.predictions == [{"bytes": "eA==", "big": 1 << 70, "nan": None}] * 4


def test_what_predict_prints_is_in_the_log(project) -> None:
    project.predictor(
        """
        import logging, sys
        class PythonPredictor:
            def predict(self, payload):
                print("printed", payload)
                logging.getLogger("mine").info("logged")
                logging.getLogger("mine").debug("hidden")
                return payload
        """
    )
    log = project.run([1], executor="process").log
    assert "printed [1]" in log
    assert "INFO mine: [batch 0] logged" in log
    assert "hidden" not in log


def test_join_input(project) -> None:
    rows = b'{"id": 1,  "x": NaN}\r\n\n[2 ,3]\n"\xc3\xa9"\n'
    left = project.predict("return [len(payload)] * len(payload)", rows, batch_size=2, join_input=True)
    assert [line["input"] for line in left.lines] == [{"id": 1, "x": None}, [2, 3], "é"]
    assert left.predictions == [2, 2, 1]
