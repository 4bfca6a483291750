from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from insula.cli.group import insula
from insula.plugins import finding

TYPES = """
from pathlib import Path

import insula
from insula.descriptors import PredictorType


class Plugin:
    def __init__(self, name, template):
        self.type = PredictorType(name, class_name=None, template=template)

    @insula.hookimpl
    def insula_predictor_type(self):
        return self.type


with_one = Plugin("templated", Path(__file__).parent / "template")
without = Plugin("bare", None)
"""


@pytest.fixture(autouse=True)
def types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    info = tmp_path / "insula_templated-2.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: insula-templated\nVersion: 2.0\n")
    info.joinpath("entry_points.txt").write_text(
        "[insula.predictors]\ntemplated = insula_templated_type:with_one\nbare = insula_templated_type:without\n"
    )
    tmp_path.joinpath("insula_templated_type.py").write_text(TYPES)
    template = tmp_path / "template"
    for name in ("cortex.yaml", ".cortexignore", "lib/part.py", "lib/__pycache__/part.pyc"):
        template.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        template.joinpath(name).write_text(name)
    monkeypatch.syspath_prepend(str(tmp_path))
    finding._scan.cache_clear()
    yield
    finding._scan.cache_clear()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_project_is_made(runner: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = runner.invoke(insula, ["init", str(tmp_path / "new" / "one"), "--type", "templated"])
    assert done.exit_code == 0, done.stderr
    assert files(tmp_path / "new" / "one") == [".cortexignore", "cortex.yaml", "lib/part.py"]
    assert f"insula run {tmp_path / 'new' / 'one'}" in done.stdout
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert runner.invoke(insula, ["init", "--type", "templated"]).exit_code == 0
    assert files(here) == files(tmp_path / "new" / "one")


def test_nothing_is_overwritten(runner: CliRunner, tmp_path: Path) -> None:
    project = tmp_path / "mine"
    project.joinpath("lib").mkdir(parents=True)
    project.joinpath("lib/part.py").write_text("mine")
    done = runner.invoke(insula, ["init", str(project), "--type", "templated"])
    assert done.exit_code == 2
    assert "lib/part.py is there already" in done.stderr
    assert files(project) == ["lib/part.py"]


@pytest.mark.parametrize(("kind", "says"), [("bare", "insula-templated 2.0) has no template"), ("nope", "nope")])
def test_no_template(kind: str, says: str, runner: CliRunner, tmp_path: Path) -> None:
    done = runner.invoke(insula, ["init", str(tmp_path / "new"), "--type", kind])
    assert done.exit_code == 2
    assert says in done.stderr
    assert not tmp_path.joinpath("new").exists()


def test_a_folder_that_cannot_be_made(runner: CliRunner, tmp_path: Path) -> None:
    tmp_path.joinpath("file").touch()
    done = runner.invoke(insula, ["init", str(tmp_path / "file" / "new"), "--type", "templated"])
    assert done.exit_code == 2
    assert "cannot be written" in done.stderr
