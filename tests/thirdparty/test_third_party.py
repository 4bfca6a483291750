"""Plugins of a package that the core has never heard of: found through entry points, run end to end."""

from __future__ import annotations

import json

COUNT = {"count_up": {"stop": 25, "batch_size": 4}, "workers": 2}


def _rows(path):
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def test_type_target_source_and_executor_together(site, tmp_path) -> None:
    site.write({"type": "multiply", "factor": 3}, COUNT, compute={"beads": 5, "rows": 2})
    output = tmp_path / "out"
    site.insula("run", str(site.project), "--executor", "marked", "--output", str(output))
    lines = _rows(output / "predictions.jsonl")
    assert [line["index"] for line in lines] == list(range(25))
    found = [line["prediction"] for line in lines]
    assert found == [{"product": 3 * n, "on": "5 beads in 2 rows", "by": "acme"} for n in range(25)]
    assert (output / "multiplied").exists(), "its own insula_job_complete was called"
    summary = json.loads((output / "summary.json").read_text())
    assert (summary["status"], summary["batches"], summary["workers"]) == ("succeeded", 7, 2)


def test_each_alone_beside_the_core_s_own(site, tmp_path) -> None:
    site.write({"type": "multiply"}, {"item_list": {"items": [5, "ab", None]}, "retries": 0})
    site.insula("run", str(site.project), "--executor", "inline", "--output", str(tmp_path / "out"), code=1)
    found = [line["prediction"]["product"] for line in _rows(tmp_path / "out/predictions.jsonl")]
    assert found == [10, "abab"]
    (letter,) = _rows(tmp_path / "out/dead_letters.jsonl")
    assert (letter["index"], letter["error"]["type"]) == (2, "TypeError")

    (site.project / "predictor.py").write_text(
        "class PythonPredictor:\n    def predict(self, payload):\n        return [1 / (n - 6) for n in payload]\n"
    )
    site.write({"type": "python", "path": "predictor.py"}, {**COUNT, "retries": 0})
    site.insula("run", str(site.project), "--output", str(tmp_path / "out2"), code=1)
    (letter,) = _rows(tmp_path / "out2/dead_letters.jsonl")
    assert (letter["index"], letter["source"], letter["line"], letter["input"]) == (6, "the numbers", 7, 6)


def test_a_service_for_all_and_as_the_target_has_it(site, tmp_path) -> None:
    site.write({"type": "multiply", "served": True}, COUNT)
    checked = json.loads(site.insula("check", str(site.project), "--json").stdout)
    assert checked["services"] == [{"name": "saying", "worker": None}]
    site.insula("run", str(site.project), "--output", str(tmp_path / "out"))
    found = [line["prediction"] for line in _rows(tmp_path / "out/predictions.jsonl")]
    assert [one["product"] for one in found] == [2 * n for n in range(25)]
    assert {one["says"] for one in found} == {"one for all"}
    assert len({one["server"] for one in found}) == 1

    site.write({"type": "multiply", "served": True}, COUNT, compute={"beads": 5})
    said = site.insula("check", str(site.project)).stdout
    assert "saying for worker 0" in said
    assert "saying for worker 1" in said
    site.insula("run", str(site.project), "--output", str(tmp_path / "out2"))
    found = [line["prediction"] for line in _rows(tmp_path / "out2/predictions.jsonl")]
    # Its worker's own environment is its own too.
    assert {one["beads"] for one in found} == {"5"}
    assert {one["says"] for one in found} <= {"the one on abacus:0", "the one on abacus:1"}
    assert len({(one["server"], one["says"]) for one in found}) == len({one["says"] for one in found})


def test_what_the_plugins_refuse(site) -> None:
    site.write({"type": "multiply", "factor": "3"}, COUNT)
    assert "predictor.factor: expected an integer" in site.insula("run", str(site.project), code=2).stderr

    site.write({"type": "multiply", "factor": 0}, COUNT)
    assert "predictor.factor: 0 would leave nothing" in site.insula("run", str(site.project), code=2).stderr

    site.write({"type": "multiply", "path": "predictor.py"}, COUNT)
    said = site.insula("run", str(site.project), code=2).stderr
    assert "predictor type multiply runs no code of yours: leave path out" in said

    site.write({"type": "multiply"}, {**COUNT, "workers": 3}, compute={"beads": 5})
    said = site.insula("run", str(site.project), code=2).stderr
    assert "compute.beads: 3 workers of 5 beads, and 2 would fit" in said

    (site.project / "predictor.py").write_text(
        "class PythonPredictor:\n    def predict(self, payload): return payload\n"
    )
    site.write({"type": "python", "path": "predictor.py"}, COUNT, compute={"beads": 5})
    said = site.insula("run", str(site.project), code=2).stderr
    assert "predictor type python cannot run on hardware target abacus" in said
    assert list((site.home / "jobs").glob("*")) == []


def test_a_job_of_third_parties_is_resumed(site, tmp_path) -> None:
    site.write({"type": "multiply"}, COUNT, compute={"beads": 1})
    output = tmp_path / "out"
    words = ("run", str(site.project), "--output", str(output), "--workers", "1")
    environment = {"INSULA_FAIL_POINT": "predict:before:5", "INSULA_FAIL_ONCE": str(tmp_path / "once")}
    killed = _with(site, environment).insula(*words, "--executor", "inline", code=-9)
    assert killed.returncode == -9
    (job,) = (site.home / "jobs").iterdir()
    site.insula("resume", job.name)
    found = [line["prediction"]["product"] for line in _rows(output / "predictions.jsonl")]
    assert found == [2 * n for n in range(25)]


def _with(site, variables):
    class Armed(type(site)):
        environment = {**site.environment, **variables}

    return Armed(site.packages, site.project, site.home)


BROKEN = {
    "broken": "[insula.predictors]\nbroken = broken_plugin:plugin\n",
    "left": "[insula.predictors]\ntwice = left:plugin\n",
    "right": "[insula.predictors]\ntwice = right:plugin\n",
    "early": "[insula.hardware]\nearly = early:plugin\n",
    "other-role": "[insula.wishes]\nwish = wish:plugin\n",
}


def test_bad_neighbours_harm_nobody_and_are_listed(site, tmp_path) -> None:
    for name, entry_points in BROKEN.items():
        site.offer(name.replace("-", "_"), entry_points, "insula>=7,<8" if name == "early" else "insula>=0.1,<1")
    (site.packages / "broken_plugin.py").write_text("print('to stdout')\nimport not_installed_anywhere\n")
    site.write({"type": "multiply"}, COUNT, compute={"beads": 1})
    site.insula("run", str(site.project), "--output", str(tmp_path / "out"))
    assert len(_rows(tmp_path / "out/predictions.jsonl")) == 25

    listed = {(one["name"], one["distribution"]): one for one in json.loads(site.insula("plugins", "--json").stdout)}
    status = {name: one["status"] for (name, _), one in listed.items()}
    expected = {
        "multiply": "ok", "python": "ok", "beads": "ok", "rows": "ok", "count_up": "ok", "marked": "ok", "cpu": "ok",
        "gpu": "ok", "delimited_files": "ok", "item_list": "ok", "file_path_lister": "ok", "inline": "ok", "process": "ok",
        "broken": "broken", "twice": "duplicate", "early": "too new", "wish": "broken",
    }  # fmt: skip
    # Other packages of insula may be installed beside.
    assert expected.items() <= status.items()
    cause = {name: one["cause"] for (name, _), one in listed.items()}
    assert "No module named 'not_installed_anywhere'" in cause["broken"]
    assert "left 1.0 (left:plugin)" in cause["twice"]
    assert "right 1.0 (right:plugin)" in cause["twice"]
    assert "insula <8,>=7, and this is insula" in cause["early"]
    assert "upgrade insula" in cause["early"]
    assert "insula has no group of entry points insula.wishes" in cause["wish"]

    shown = site.insula("plugins").stdout
    for word in ("acme-insula", "too new", "duplicate", "not_installed_anywhere"):
        assert word in shown


def test_a_bad_plugin_that_is_named_is_an_error(site) -> None:
    for name in ("broken", "left", "right", "early"):
        site.offer(name, BROKEN[name], "insula>=7,<8" if name == "early" else "insula>=0.1,<1")
    (site.packages / "broken_plugin.py").write_text("1 / 0\n")
    for name, said in {"broken": "ZeroDivisionError", "twice": "claimed more than once"}.items():
        site.write({"type": name}, COUNT)
        assert said in site.insula("run", str(site.project), code=2).stderr
    site.write({"type": "multiply"}, COUNT, compute={"early": 1})
    assert "upgrade insula" in site.insula("run", str(site.project), code=2).stderr
    assert list((site.home / "jobs").glob("*")) == []
