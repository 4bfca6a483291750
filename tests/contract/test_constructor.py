"""What a predictor's constructor may take, and what it gets."""

from __future__ import annotations

import itertools
import json
import sys

import pytest

NAMES = ("config", "api_spec", "job_spec")
SUBSETS = [names for size in range(4) for names in itertools.permutations(NAMES, size)]


@pytest.mark.parametrize("names", SUBSETS, ids=lambda names: "-".join(names) or "none")
def test_any_subset_in_any_order(project, names) -> None:
    project.predictor(
        f"""
        class PythonPredictor:
            def __init__({", ".join(("self", *names))}):
                self.got = [{", ".join(names)}]
            def predict(self, payload):
                return [[sorted(one) for one in self.got] for _ in payload]
        """,
        config={"from_config": 1},
    )
    left = project.run([1])
    found = dict(zip(names, left.predictions[0], strict=True))
    assert left.status == "succeeded"
    assert found.get("config", ["from_config"]) == ["from_config"]
    assert found.get("api_spec", ["name", "predictor"]) == ["name", "predictor"]
    assert "total_batch_count" in found.get("job_spec", ["total_batch_count"])


SHAPES = {
    "no constructor": "class PythonPredictor:",
    "keywords only": """
        class PythonPredictor:
            def __init__(self, *, job_spec, config):
                assert job_spec["job_id"] and config == {"a": 1}
    """,
    "positional only": """
        class PythonPredictor:
            def __init__(self, config, job_spec, /):
                assert job_spec["job_id"] and config == {"a": 1}
    """,
    "all names": """
        class PythonPredictor:
            def __init__(self, **names):
                assert sorted(names) == ["api_spec", "config", "job_spec"]
    """,
    "own parameters with defaults": """
        class PythonPredictor:
            def __init__(self, config, threshold=0.5, *, other=None):
                assert config == {"a": 1} and threshold == 0.5
    """,
    "inherited": """
        class Base:
            def __init__(self, job_spec):
                self.id = job_spec["job_id"]
        class PythonPredictor(Base):
    """,
    "a dataclass": """
        import dataclasses
        from typing import Any
        @dataclasses.dataclass
        class PythonPredictor:
            config: dict
            job_spec: Any
            seen: list = dataclasses.field(default_factory=list)
    """,
    "an attrs class": """
        import attrs
        @attrs.define
        class PythonPredictor:
            config: dict
            seen: list = attrs.field(factory=list)
    """,
    "made by __new__": """
        class PythonPredictor:
            def __new__(cls, *args, **names):
                return super().__new__(cls)
            def __init__(self, config):
                assert config == {"a": 1}
    """,
    "made by __new__ alone": """
        import typing
        class Base(typing.NamedTuple):
            config: dict
        class PythonPredictor(Base):
    """,
    "decorated": """
        import functools
        def log(function):
            @functools.wraps(function)
            def call(*args, **names):
                return function(*args, **names)
            return call
        class PythonPredictor:
            @log
            def __init__(self, config):
                assert config == {"a": 1}
    """,
    "a class decorator": """
        def same(cls):
            return cls
        @same
        class PythonPredictor:
    """,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_class(project, shape) -> None:
    lines = SHAPES[shape].strip("\n").splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    text = "\n".join(line[indent:] for line in lines).rstrip()
    project.predictor(text + "\n    def predict(self, payload):\n        return payload\n", config={"a": 1})
    left = project.run()
    assert (left.status, left.predictions) == ("succeeded", [0, 1, 2, 3, 4])


WHERE = {
    "imported": "from model.best import PythonPredictor",
    "aliased": "from model.best import Best as PythonPredictor",
    "by assignment": "import model.best\nPythonPredictor = model.best.Best",
    "inherited": "from model.best import Best\nclass PythonPredictor(Best): pass",
    "star": "from model.best import *",
    "conditional": "try:\n    import missing\nexcept ImportError:\n    from model.best import Best as PythonPredictor",
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_class_from_elsewhere(project, where, executor) -> None:
    project.write(
        "model/best.py",
        """
        class Best:
            def predict(self, payload):
                return [2 * one for one in payload]
        PythonPredictor = Best
        """,
    )
    project.predictor(WHERE[where])
    assert project.run(executor=executor).predictions == [0, 2, 4, 6, 8]


def test_config_is_merged_and_the_submission_wins(project) -> None:
    project.predictor(
        """
        class PythonPredictor:
            def __init__(self, config):
                self.config = config
            def predict(self, payload):
                return [self.config]
        """,
        config={"model": {"name": "a", "size": 1}, "kept": True, "list": [1, 2]},
    )
    left = project.run([1], config={"model": {"name": "b"}, "list": [3], "new": None})
    assert left.predictions == [{"model": {"name": "b", "size": 1}, "kept": True, "list": [3], "new": None}]


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_what_the_specs_hold(project, executor) -> None:
    project.predictor(
        """
        class PythonPredictor:
            def __init__(self, api_spec, job_spec):
                self.seen = {"api_spec": api_spec, "job_spec": job_spec}
            def predict(self, payload):
                return (self.seen,)
        """,
        config={"a": 1},
        env={"X": "1"},
    )
    project.entry["networking"] = {"endpoint": "x"}
    left = project.run(b"1\n2\n3\n", executor=executor, config={"b": 2}, timeout=1000)
    seen = left.predictions[0][0]
    assert seen["api_spec"] == project.entry
    job_spec = seen["job_spec"]
    assert job_spec["total_batch_count"] == 2
    assert job_spec["workers"] == 1
    assert job_spec["api_name"] == "api"
    assert job_spec["job_id"] == left.summary["job_id"]
    assert job_spec["delimited_files"] == {"paths": ["rows.jsonl"], "batch_size": 2}
    assert (job_spec["config"], job_spec["timeout"]) == ({"b": 2}, 1000)
    assert job_spec["output"] == str(project.output)
    assert job_spec["created_time"] <= job_spec["start_time"]


def test_the_items_themselves_are_not_shown(project) -> None:
    project.predictor(
        """
        class PythonPredictor:
            def __init__(self, job_spec):
                self.seen = job_spec["item_list"]
            def predict(self, payload):
                return (self.seen,)
        """
    )
    assert project.run([1, 2]).predictions == [[{"batch_size": 2}]]


def test_a_constructor_without_job_spec_does_not_wait_for_the_total(project) -> None:
    project.predictor(
        """
        class PythonPredictor:
            def __init__(self, config):
                pass
            def predict(self, payload):
                return payload
            def on_job_complete(self):
                pass
        """
    )
    assert project.run().status == "succeeded"


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_environment_and_paths(project, executor) -> None:
    project.write("library/helper.py", "NAME = 'from python_path'\n")
    project.write("helper.py", "NAME = 'from the project'\n")
    project.write("beside.py", "NAME = 'beside'\n")
    project.write(".env", 'export A=dotenv # a comment\nB="$A $FROM_CORTEX"\n')
    project.predictor(
        """
        import os, sys, json
        import helper, beside
        SEEN = [os.environ["A"], os.environ["B"], os.environ["ONLY_ENV"], os.getcwd(), helper.NAME, beside.NAME]
        class PythonPredictor:
            def predict(self, payload):
                return [SEEN]
        """,
        python_path="library",
        env={"A": "cortex", "ONLY_ENV": "1", "FROM_CORTEX": "x"},
    )
    left = project.run([1], executor=executor)
    folder = str(project.folder)
    assert left.predictions == [["dotenv", "dotenv x", "1", folder, "from python_path", "beside"]]


def test_two_projects_in_one_process_do_not_share_modules(project, tmp_path) -> None:
    for name in ("a", "b"):
        project.folder = tmp_path / name
        project.folder.mkdir()
        project.write("helper.py", f"NAME = {name!r}\n")
        project.predictor(
            """
            import helper
            class PythonPredictor:
                def predict(self, payload):
                    return [helper.NAME for _ in payload]
            """
        )
        assert project.run([1]).predictions == [name]
    assert "helper" not in sys.modules


@pytest.mark.parametrize("executor", ["inline", "process"])
def test_a_constructor_that_raises_is_told_with_its_traceback(project, executor) -> None:
    project.predictor(
        """
        class PythonPredictor:
            def __init__(self):
                raise FileNotFoundError("no weights here")
            def predict(self, payload):
                return payload
        """
    )
    left = project.run(executor=executor)
    assert left.status == "worker_error"
    message = left.summary["message"]
    assert "no worker stays alive: FileNotFoundError: no weights here" in message
    assert 'predictor.py", line 4, in __init__' in message
    assert "insula" not in message.replace(str(project.folder), "")


def test_classes_of_the_predictor_file_can_be_unpickled_by_name(project) -> None:
    project.predictor(
        """
        import pickle
        class Model:
            def __call__(self, one):
                return one + 1
        class PythonPredictor:
            def __init__(self):
                self.model = pickle.loads(pickle.dumps(Model()))
            def predict(self, payload):
                return [self.model(one) for one in payload]
        """
    )
    assert project.run(executor="process").predictions == [1, 2, 3, 4, 5]


def test_the_summary_is_what_the_file_says(project) -> None:
    left = project.predict("return payload")
    written = json.loads((project.output / "summary.json").read_text())
    assert written == {**left.summary, "end_time": written["end_time"], "seconds": written["seconds"]}
    assert (written["samples"], written["predictions"], written["batches"]) == (5, 5, 3)
