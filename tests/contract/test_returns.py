"""What `predict` may return, and what that is taken for."""

from __future__ import annotations

import math

import pytest

EACH = {
    "a list": "[one * 10 for one in payload]",
    "an array": "numpy.array(payload) * 10",
    "an array of floats": "numpy.array(payload, dtype='float32') * 10",
    "a Series": "pandas.Series(payload) * 10",
}


@pytest.mark.parametrize("what", EACH)
def test_one_prediction_a_sample(project, what) -> None:
    left = project.predict(f"import numpy, pandas\nreturn {EACH[what]}")
    assert left.predictions == [0, 10, 20, 30, 40]
    assert left.indexes == [0, 1, 2, 3, 4]
    assert all(set(line) == {"index", "batch_id", "prediction"} for line in left.lines)


def test_a_table_is_one_prediction_a_row(project) -> None:
    left = project.predict(
        "import pandas\nreturn pandas.DataFrame({'x': payload, 'y': [str(one) for one in payload]}, index=payload)"
    )
    assert left.predictions == [{"x": one, "y": str(one)} for one in range(5)]


def test_a_matrix_is_one_row_a_sample(project) -> None:
    left = project.predict("import numpy\nreturn numpy.arange(2 * len(payload)).reshape(-1, 2)", range(3))
    assert left.predictions == [[0, 1], [2, 3], [0, 1]]


WHOLE = {
    "a tuple": ("tuple(payload)", [[0, 1], [2, 3], [4]]),
    "a dict": ("{'n': len(payload)}", [{"n": 2}, {"n": 2}, {"n": 1}]),
    "a string": ("'text'", ["text"] * 3),
    "an integer": ("len(payload)", [2, 2, 1]),
    "a float": ("0.5", [0.5] * 3),
    "a bool": ("False", [False] * 3),
    "a numpy scalar": ("numpy.float32(0.5)", [0.5] * 3),
    "an array without rows": ("numpy.array(7)", [7] * 3),
    "a set": ("{3, 1}", [[1, 3]] * 3),
    "bytes": ("b'ab'", ["YWI="] * 3),
}


@pytest.mark.parametrize("what", WHOLE)
def test_one_prediction_for_the_whole_batch(project, what) -> None:
    text, found = WHOLE[what]
    left = project.predict(f"import numpy\nreturn {text}")
    assert (left.status, left.predictions) == ("succeeded", found)
    assert [(line["index"], line["count"]) for line in left.lines] == [(0, 2), (2, 2), (4, 1)]
    assert (left.summary["predictions"], left.summary["lines"]) == (5, 3)


def test_nothing_returned_is_stored_by_the_predictor(project) -> None:
    left = project.predict("pass")
    assert (left.lines, left.summary["stored_by_predictor"], left.summary["predictions"]) == ([], 5, 0)


def test_none_in_a_list_is_a_prediction(project) -> None:
    left = project.predict("return [None] * len(payload)")
    assert (left.predictions, left.summary["non_finite"]) == ([None] * 5, 0)


RETURNS = [
    ("each", "payload", [0, 1, 2]),
    ("each", "tuple(payload)", [0, 1, 2]),
    ("each", "numpy.array(payload)", [0, 1, 2]),
    ("whole", "payload", [[0, 1], [2]]),
    ("whole", "numpy.array(payload)", [[0, 1], [2]]),
    ("whole", "None", [None, None]),
    ("nothing", "payload", []),
    ("nothing", "None", []),
    ("nothing", "object()", []),
    ("auto", "payload", [0, 1, 2]),
]


@pytest.mark.parametrize("returns, text, found", RETURNS)
def test_the_user_says_what_it_is(project, returns, text, found) -> None:
    left = project.predict(f"import numpy\nreturn {text}", range(3), returns=returns)
    assert (left.status, left.predictions) == ("succeeded", found)


REFUSED = [
    ("auto", "payload[1:]", "ValueError: predict returned 1 predictions for 2 samples"),
    ("auto", "payload * 2", "ValueError: predict returned 4 predictions for 2 samples"),
    ("auto", "[]", "ValueError: predict returned 0 predictions for 2 samples"),
    ("auto", "numpy.zeros(3)", "ValueError: predict returned 3 predictions for 2 samples"),
    ("auto", "pandas.DataFrame({'a': [1]})", "ValueError: predict returned 1 predictions for 2 samples"),
    ("each", "tuple(payload * 2)", "ValueError: predict returned 4 predictions for 2 samples"),
    ("each", "{}", "TypeError: predict returned a value of type dict, but predictor.returns is each"),
    ("each", "None", "TypeError: predict returned None, but predictor.returns is each"),
    ("auto", "(one for one in payload)", "TypeError: predict returned a value of type generator"),
    ("auto", "map(str, payload)", "TypeError: predict returned a value of type map"),
    ("nothing", "(one for one in payload)", "TypeError: predict returned a value of type generator"),
    ("whole", "iter(payload)", "TypeError: predict returned a value of type list_iterator"),
]


@pytest.mark.parametrize("returns, text, error", REFUSED)
def test_what_it_cannot_be(project, returns, text, error) -> None:
    left = project.predict(f"import numpy, pandas\nreturn {text}", [1, 2], returns=returns, isolate_failures=False)
    assert (left.status, left.lines) == ("completed_with_failures", [])
    assert [message.startswith(error) for message in left.errors] == [True, True], left.errors


def test_a_coroutine_is_an_error(project) -> None:
    left = project.predict("async def later():\n    return payload\nreturn later()", [1])
    assert "TypeError: predict returned a value of type coroutine" in left.errors[0]


VALUES = {
    "float('nan')": None,
    "[1.5, float('inf'), {'a': -float('inf')}]": [1.5, None, {"a": None}],
    "numpy.array([1, numpy.nan])": [1.0, None],
    "2 ** 200": 2**200,
    "-(2 ** 63)": -(2**63),
    "2 ** 64 - 1": 2**64 - 1,
    "numpy.uint64(2 ** 64 - 1)": 2**64 - 1,
    "numpy.float32(0.1)": 0.1,
    "numpy.bool_(True)": True,
    "numpy.datetime64('2020-01-02T03:04:05')": "2020-01-02T03:04:05",
    "datetime.date(2020, 1, 2)": "2020-01-02",
    "datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc)": "2020-01-02T03:00:00+00:00",
    "pandas.Timestamp('2020-01-02')": "2020-01-02T00:00:00",
    "pandas.NaT": None,
    "uuid.UUID(int=1)": "00000000-0000-0000-0000-000000000001",
    "decimal.Decimal('1.10')": "1.10",
    "b'\\x00\\xff'": "AP8=",
    "{None: 'none', True: 'bool'}": {"true": "bool", "null": "none"},
    "{2: 'int', 0.5: 'float'}": {"2": "int", "0.5": "float"},
    "(1, (2,))": [1, [2]],
    "{3, 1, 2}": [1, 2, 3],
    "collections.OrderedDict(a=1)": {"a": 1},
    "collections.deque([1])": [1],
    "Point(1, 2)": {"x": 1, "y": 2},
    "'\\ud800 \\u2028 \\x00 \"'": '\ud800 \u2028 \x00 "',
    "pathlib.Path('/a')": "/a",
    "Colour.RED": "red",
}

IMPORTS = """
import collections, dataclasses, datetime, decimal, enum, pathlib, uuid
import numpy, pandas

@dataclasses.dataclass
class Point:
    x: int
    y: int

class Colour(enum.Enum):
    RED = "red"

class PythonPredictor:
    def predict(self, payload):
        return [eval(one) for one in payload]
"""


def test_values_are_written_as_json_has_them(project) -> None:
    project.write("predictor.py", IMPORTS)
    left = project.run(VALUES, batch_size=4)
    assert left.errors == []
    assert dict(zip(VALUES, left.predictions, strict=True)) == VALUES
    assert left.summary["non_finite"] == 4


UNWRITABLE = {
    "object()": "prediction is an object, which JSON cannot hold",
    "{'a': [0, print]}": 'prediction["a"][1] is a builtin_function_or_method, which JSON cannot hold',
    "{(1, 2): 3}": "a key of prediction is a tuple, which JSON cannot have as a key",
    "1j": "prediction is a complex, which JSON cannot hold",
    "{object()}": "prediction[0] is an object, which JSON cannot hold",
    "circular()": "prediction is nested too deeply, or contains itself",
}


def test_what_cannot_be_written_fails_its_sample(project) -> None:
    head = "def circular():\n    one = []\n    one.append(one)\n    return one\n"
    project.write("predictor.py", head + IMPORTS)
    left = project.run(["1", *UNWRITABLE, "2"], batch_size=100, retries=1)
    assert left.predictions == [1, 2]
    assert left.errors == [f"TypeError: {text}" for text in UNWRITABLE.values()]
    assert [letter["input"] for letter in left.letters] == list(UNWRITABLE)
    assert left.summary["attempts_failed"] == 0, "nothing is predicted again"


def test_a_whole_prediction_that_cannot_be_written_fails_its_samples(project) -> None:
    left = project.predict("return (object() if 3 in payload else 1,)", range(4))
    assert left.predictions == [[1], [1]]
    assert left.errors == ["TypeError: prediction[0] is an object, which JSON cannot hold"]


def test_non_finite_numbers_are_counted(project) -> None:
    left = project.predict("return [[math, math] for math in [float('nan')] * len(payload)]", range(3))
    assert left.predictions == [[None, None]] * 3
    assert left.summary["non_finite"] == 6


def test_a_job_that_mixes_kinds_says_so(project) -> None:
    left = project.predict("return payload if len(payload) == 2 else None", range(3))
    assert left.summary["note"] == (
        "predict returned different kinds of results: one prediction a sample, nothing (the predictor stored its output)"
    )
    assert "note" not in project_without_mixing(project)


def project_without_mixing(project):
    project.output = project.output.with_name("again")
    return project.predict("return payload", range(3)).summary


def test_floats_are_exact(project) -> None:
    left = project.predict("return [0.1, 1e300, 5e-324]", [1, 2, 3], batch_size=3)
    assert left.predictions == [0.1, 1e300, 5e-324]
    assert all(map(math.isfinite, left.predictions))
