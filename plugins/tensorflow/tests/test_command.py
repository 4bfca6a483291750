from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from insula.cli.group import insula
from insula_tensorflow.command import command, serve

PAGE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "tensorflow-serving.md"


def run(*words: str) -> Result:
    return CliRunner().invoke(insula, ["tensorflow", "serve", *words])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that looks like a SavedModel from outside."""
    path = tmp_path / "iris"
    path.mkdir()
    (path / "saved_model.pb").write_bytes(b"\x08\x01")
    return path


@pytest.mark.parametrize(
    "words, told",
    [
        (("--name", "a", "--name", "b"), "there are 1 PATHs and 2 --name; give one for each, or none"),
        (("--max-batch-size", "4"), "--max-batch-size and --batch-interval go together"),
        (("--batch-interval", "1ms"), "--max-batch-size and --batch-interval go together"),
        (("--batch-interval", "soon"), "'soon' is no duration, such as 100ms, 2s"),
    ],
)
def test_what_does_not_go_together_is_told(model: Path, words: tuple[str, ...], told: str) -> None:
    done = run(str(model), *words)
    assert done.exit_code == 2
    assert told in done.output


@pytest.mark.parametrize("other", ["iris", "iris.zip", "iris/3", "iris/3/saved_model.pb", "iris/saved_model.pb"])
def test_two_models_of_one_name(model: Path, other: str) -> None:
    done = run(str(model), f"elsewhere/{other}")
    assert done.exit_code == 2
    assert "two models are named iris; give each PATH a --name" in done.output


def test_every_bad_path_is_told(model: Path) -> None:
    (model / "saved_model.pb").write_bytes(b"")
    done = run(str(model), "nowhere")
    assert done.exit_code == 2
    assert f"model iris ({model}): saved_model.pb is empty" in done.output
    assert "model nowhere (nowhere): there is no such file or folder" in done.output


def test_a_path_is_needed() -> None:
    done = run()
    assert done.exit_code == 2
    assert "Missing argument 'PATH...'" in done.output


def test_the_page_names_every_option() -> None:
    options = {name for parameter in serve.params for name in parameter.opts if name.startswith("--")}
    table = PAGE.read_text().partition("| option |")[2]
    assert set(re.findall(r"`(--[a-z-]+)`", table)) == options


def test_the_command_imports_no_framework_until_it_serves() -> None:
    import subprocess
    import sys

    code = "import sys, insula_tensorflow.command; print(sorted({'grpc', 'numpy', 'tensorflow'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
    assert command.commands == {"serve": serve}
