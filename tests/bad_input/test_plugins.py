"""Plugins that are broken, claimed twice, too new, or none; each installed as pip leaves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

HEAD = "import insula\nfrom insula.descriptors import PredictorType\n\n\nclass Plugin:\n    @insula.hookimpl\n"
GOOD = (
    f"{HEAD}    def insula_predictor_type(self):\n        return PredictorType('odd', class_name='PythonPredictor')\n"
)

TABLE: dict[str, tuple[str, str, list[str]]] = {
    "import fails": ("import not_there\n", "insula>=0.1,<1", ["odd", "insula-odd 1.0", "not_there"]),
    "a syntax error": ("def x(\n", "insula>=0.1,<1", ["odd", "insula-odd 1.0", "SyntaxError"]),
    "no such object": ("x = 1\n", "insula>=0.1,<1", ["odd", "insula-odd 1.0", "plugin"]),
    "made for another insula": (f"{GOOD}\n\nplugin = Plugin()\n", "insula>=7,<8", ["insula-odd 1.0", "insula", ">=7"]),
    "describes nothing": ("plugin = object()\n", "insula>=0.1,<1", ["odd", "insula-odd 1.0"]),
    "describes with a word": (
        f"{HEAD}    def insula_predictor_type(self):\n        return 'odd'\n\n\nplugin = Plugin()\n",
        "insula>=0.1,<1",
        ["odd", "insula-odd 1.0", "PredictorType", "str"],
    ),
    "raises": (
        f"{HEAD}    def insula_predictor_type(self):\n        raise OSError('no driver')\n\n\nplugin = Plugin()\n",
        "insula>=0.1,<1",
        ["odd", "insula-odd 1.0", "no driver"],
    ),
    "a misspelt hook": (
        f"{GOOD}\n    @insula.hookimpl\n    def insula_predikt_batch(self):\n        pass\n\n\nplugin = Plugin()\n",
        "insula>=0.1,<1",
        ["insula-odd 1.0", "insula_predikt_batch"],
    ),
}


def install(site: Path, module: str, code: str, requires: str) -> None:
    """Install a distribution that offers the predictor type `odd`."""
    site.joinpath(f"{module}.py").write_text(code)
    name = module.replace("_", "-")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: {requires}\n"
    )
    info.joinpath("entry_points.txt").write_text(f"[insula.predictors]\nodd = {module}:plugin\n")


def say(trial: Any, site: Path) -> Any:
    trial.write({"cortex.yaml": "name: api\npredictor: {type: odd, path: predictor.py}\n"})
    return trial.say_outside("run", trial.project, "--executor", "inline", environment={"PYTHONPATH": str(site)})


@pytest.mark.parametrize("what", TABLE)
def test_bad_plugin(what: str, trial: Any, tmp_path: Path) -> None:
    code, requires, words = TABLE[what]
    site = tmp_path / "site"
    site.mkdir()
    install(site, "insula_odd", code, requires)
    say(trial, site).must(*words, lines=8, characters=900)
    assert trial.jobs == []


def test_one_name_of_two(trial: Any, tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    for module in ("insula_odd", "insula_even"):
        install(site, module, f"{GOOD}\n\nplugin = Plugin()\n", "insula>=0.1,<1")
    say(trial, site).must('"odd"', "insula-odd 1.0", "insula-even 1.0", "uninstall", lines=1)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("predictor: {type: nowhere, path: predictor.py}", ["predictor.type: ", '"nowhere"', "onnx, python"]),
        ("predictor: {type: python, path: predictor.py}\ncompute: {tpu: 1}", ["compute.tpu: ", "cpu"]),
        ("predictor: {type: onnx, path: p.py, model_path: m}\ncompute: {tpu: 1}", ["compute.tpu: ", "cpu"]),
        ("predictor: {type: python, path: predictor.py}\ncompute: {gpu: 1}", ["compute.gpu", "no GPU"]),
    ],
)
def test_plugins_that_are_not_there(
    entry: str, words: list[str], refused: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    refused({"cortex.yaml": f"name: api\n{entry}\n"}, words, lines=1)
