"""Files of lines as they are met in practice, and what becomes of each line."""

from __future__ import annotations

import json

import pytest

from insula.errors import SourceError

GOOD = {
    "no newline at the end": (b"1\n2", [1, 2]),
    "CRLF": (b"1\r\n2\r\n", [1, 2]),
    "blank lines": (b"\n1\n\n   \n\t\r\n2\n\n", [1, 2]),
    "byte order mark": (b"\xef\xbb\xbf1\n2\n", [1, 2]),
    "blanks around": (b"  1  \n\t2\t\r\n", [1, 2]),
    "line separators of Unicode": (
        '"a\u2028b"\n"c\u2029d"\n"e\x85f"\n'.encode(),
        ["a\u2028b", "c\u2029d", "e\x85f"],
    ),
    "numbers that JSON has no word for": (b"[NaN]\n", [["NaN"]]),
    "integers of any size": (b"123456789012345678901234567890\n", [123456789012345678901234567890]),
    "lone surrogates": (b'"\\ud800"\n', ["\ud800"]),
    "null": (b"null\n1\n", [None, 1]),
}


@pytest.mark.parametrize("what", GOOD)
@pytest.mark.parametrize("batch_size", [1, 2, 100])
def test_lines_that_are_read(project, what, batch_size) -> None:
    rows, found = GOOD[what]
    left = project.predict(
        "return [['NaN'] if one != one or isinstance(one, list) else one for one in payload]",
        rows,
        batch_size=batch_size,
    )
    assert (left.status, left.predictions) == ("succeeded", found)
    assert left.indexes == list(range(len(found)))


EMPTY = {
    "empty": b"",
    "a newline": b"\n",
    "blank lines": b"\n \n\r\n\t\n",
    "a byte order mark": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("what", EMPTY)
def test_an_input_without_samples_is_an_error_and_leaves_no_job(project, what) -> None:
    with pytest.raises(SourceError):
        project.predict("return payload", EMPTY[what])
    assert (project.jobs, project.output.exists()) == ([], False)


UNREADABLE = b'{"a": 1}\n\n{"a": \n\xff\xfe\n[1, 2\r\n{"a": 2}\nundefined\n' + b"[" * 5000 + b"\n3"


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
@pytest.mark.parametrize("executor", ["inline", "process"])
def test_unreadable_lines_are_dead_letters(project, batch_size, executor) -> None:
    left = project.predict("return payload", UNREADABLE, batch_size=batch_size, executor=executor)
    assert left.status == "completed_with_failures"
    assert list(zip(left.indexes, left.predictions, strict=True)) == [(0, {"a": 1}), (4, {"a": 2}), (7, 3)]
    assert [(one["index"], one["line"]) for one in left.letters] == [(1, 3), (2, 4), (3, 5), (5, 7), (6, 8)]
    assert {one["source"] for one in left.letters} == {str(project.folder / "rows.jsonl")}
    assert [one["input"] for one in left.letters] == ['{"a":', "\\xff\\xfe", "[1, 2", "undefined", "[" * 5000]
    assert [one["error"]["type"] for one in left.letters] == ["Unreadable"] * 5
    assert left.errors[0].startswith("Unreadable: not JSON: ")
    assert left.errors[1] == "Unreadable: not UTF-8: byte 0xff at position 1"
    assert all(one["attempts"] == 1 for one in left.letters)


def test_lines_that_are_each_invalid_but_valid_together(project) -> None:
    left = project.predict("return payload", b'{"a":[{}\n{}]},{}\n1\n', batch_size=3)
    assert (left.indexes, left.predictions) == ([2], [1])
    assert [one["index"] for one in left.letters] == [0, 1]


def test_where_a_sample_stands_in_several_files(project) -> None:
    project.write("in/a.jsonl", b"1\n\n2\n")
    project.write("in/b.jsonl", b"\n3\n4\n5")
    project.predictor(
        """
        class PythonPredictor:
            def predict(self, payload):
                if 2 in payload or 4 in payload:
                    raise ValueError("even")
                return payload
        """
    )
    source = {"delimited_files": {"paths": ["in"], "batch_size": 3}}
    left = run_with(project, source)
    assert left.predictions == [1, 3, 5]
    found = [(one["index"], one["source"].rpartition("/")[2], one["line"], one["input"]) for one in left.letters]
    assert found == [(1, "a.jsonl", 3, 2), (3, "b.jsonl", 3, 4)]


def run_with(project, source):
    """Run with another source than that of a list of items."""
    project.write("cortex.yaml", json.dumps(project.entry))
    project.write("job.json", json.dumps({"retries": 0, **source}))
    return project.run_as_it_is()


def test_items_that_fail_name_their_position(project) -> None:
    left = project.predict("raise ValueError(payload[0])", ["a", {"b": 1}], batch_size=1)
    found = [(one["index"], one["source"], one["line"], one["input"]) for one in left.letters]
    assert found == [(0, "item_list", None, "a"), (1, "item_list", None, {"b": 1})]


def test_file_paths_as_samples(project) -> None:
    for name in ("b.jpg", "a.jpg", "notes.txt", "deep/c.jpg"):
        project.write(f"images/{name}", b"")
    project.predictor(
        """
        import os
        class PythonPredictor:
            def predict(self, payload):
                return [os.path.basename(one) for one in payload]
        """
    )
    left = run_with(project, {"file_path_lister": {"paths": ["images"], "includes": ["**.jpg"], "batch_size": 2}})
    assert left.predictions == ["a.jpg", "b.jpg", "c.jpg"]


def test_a_failed_batch_tells_its_input_and_traceback(project) -> None:
    left = project.predict("return [1 / one['n'] for one in payload]", b'{"n": 2}\n{"n": 0}\n', batch_size=2, retries=2)
    (letter,) = left.letters
    assert (letter["index"], letter["line"], letter["input"], letter["attempts"]) == (1, 2, {"n": 0}, 3)
    assert letter["error"]["type"] == "ZeroDivisionError"
    traceback = letter["error"]["traceback"]
    assert traceback.startswith("Traceback (most recent call last):\n")
    assert 'predictor.py", line 3, in predict' in traceback
    assert "/insula/" not in traceback
    assert "pluggy" not in traceback
