"""`insula retry` and `insula results`, with the real engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Insula = Callable[..., "subprocess.CompletedProcess[str]"]
Rows = Callable[["list[dict[str, object]]"], None]
GUILTY = {3, 4, 5, 9, 13}


def newest(insula: Insula) -> str:
    found: str = json.loads(insula("jobs", "--json").stdout)[0]["job_id"]
    return found


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def failed(insula: Insula, rows: Rows, project: Path, tmp_path: Path) -> str:
    """A job of twenty rows with five dead letters, and one row that is no JSON."""
    rows([{"a": number, **({"fail": "no"} if number in GUILTY else {})} for number in range(19)])
    with project.joinpath("rows.jsonl").open("a") as file:
        file.write("no JSON\n")
    arguments = ["--input", project / "rows.jsonl", "--batch-size", 4, "--workers", 1, "--executor", "inline"]
    done = insula("run", project, *arguments, "--output", tmp_path / "out")
    assert done.returncode == 1, done.stderr
    return newest(insula)


def mend(project: Path, *still: int) -> None:
    predictor = project / "predictor.py"
    text = predictor.read_text().replace('row.get("fail")', f'row["a"] in {still!r}')
    predictor.write_text(text.replace('ValueError(row["fail"])', 'ValueError("still")'))


def test_dead_letters_are_tried_again(failed: str, insula: Insula, rows: Rows, project: Path, tmp_path: Path) -> None:
    mend(project, 9)
    done = insula("retry", failed, "--output", tmp_path / "again", "--json")
    assert done.returncode == 1, done.stderr
    summary = json.loads(done.stdout)
    # 3 to 5 follow each other and are one batch; what was no JSON is none again.
    assert (summary["samples"], summary["batches"], summary["predictions"], summary["dead_letters"]) == (6, 4, 4, 2)
    again = lines((tmp_path / "again" / "predictions.jsonl").read_text())
    assert [(line["index"], line["prediction"]) for line in again] == [(3, 6), (4, 8), (5, 10), (13, 26)]
    assert len({line["batch_id"] for line in again}) == 2
    letters = lines((tmp_path / "again" / "dead_letters.jsonl").read_text())
    assert [(letter["index"], letter["error"]["type"]) for letter in letters] == [
        (9, "ValueError"),
        (19, "Unreadable"),
    ]
    assert letters[1]["input"] == "no JSON"

    whole = lines(insula("results", failed, "--with-retries").stdout)
    assert [(line["index"], line["prediction"]) for line in whole] == [
        (number, 2 * number) for number in range(19) if number != 9
    ]
    assert len(lines(insula("results", failed).stdout)) == 14

    # A retry's own dead letters can be retried, under the same index.
    project.joinpath("predictor.py").write_text(
        project.joinpath("predictor.py").read_text().replace('row["a"] in (9,)', "False")
    )
    assert insula("retry", newest(insula), "--quiet").returncode == 1
    whole = lines(insula("results", failed, "--with-retries").stdout)
    assert [line["index"] for line in whole] == list(range(19))
    left = lines(insula("results", failed, "--with-retries", "--dead-letters").stdout)
    assert [letter["index"] for letter in left] == [19]


def test_one_prediction_for_a_batch_has_the_index_of_its_first(failed: str, insula: Insula, project: Path) -> None:
    project.joinpath("predictor.py").write_text(
        "class Predictor:\n    def predict(self, payload):\n        return {'sum': sum(row['a'] for row in payload)}\n"
    )
    assert insula("retry", failed, "--batch-size", 2, "--quiet").returncode == 1
    printed = lines(insula("results", newest(insula)).stdout)
    found = [(line["index"], line["count"], line["prediction"]["sum"]) for line in printed]
    assert found == [(3, 2, 7), (5, 1, 5), (9, 1, 9), (13, 1, 13)]


def test_what_cannot_be_retried(insula: Insula, project: Path, failed: str) -> None:
    with project.joinpath("rows.jsonl").open("a") as file:
        file.write("{}\n")
    done = insula("retry", failed, "--json")
    assert done.returncode == 2
    assert "rows.jsonl is no longer what it was" in done.stderr
    assert json.loads(done.stdout)["status"] == "enqueue_failed"
    assert newest(insula) == failed


def test_copies(failed: str, insula: Insula, tmp_path: Path) -> None:
    copied = tmp_path / "copied"
    assert insula("results", failed, "--output", copied).returncode == 0
    for name in ("predictions.jsonl", "dead_letters.jsonl", "summary.json"):
        assert (copied / name).read_bytes() == (tmp_path / "out" / name).read_bytes()
    done = insula("results", failed, "--output", copied)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    (tmp_path / "out" / "predictions.jsonl").unlink()
    done = insula("results", failed)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no longer there" in done.stderr
