"""`import insula` is cheap: it imports no framework, cloud library or anything else that takes its time."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A finder in front of the others hears also of what is not installed here and would only be tried.
LISTENER = """
import sys
asked = set()
class Listener:
    @staticmethod
    def find_spec(name, path=None, target=None):
        asked.add(name)
sys.meta_path.insert(0, Listener)
before = set(sys.modules)
{code}
asked |= set(sys.modules) - before
print("\\n".join(sorted(asked)))
"""

FRAMEWORKS = {"numpy", "pandas", "scipy", "sklearn", "torch", "tensorflow", "onnxruntime", "ray", "grpc"}
CLOUD = {
    "boto3",
    "botocore",
    "s3fs",
    "aiobotocore",
    "google",
    "gcsfs",
    "azure",
    "adlfs",
    "fsspec",
    "aiohttp",
    "requests",
}
SLOW = {
    "rich",
    "yaml",
    "cattrs",
    "click",
    "importlib_metadata",
    "packaging",
    "pathspec",
    "sqlite3",
    "multiprocessing",
}


def imported(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", LISTENER.format(code=code)], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


@pytest.mark.parametrize("code", ["import insula", "from insula import hookimpl", "import insula.descriptors"])
def test_import_insula(code: str) -> None:
    names = imported(code)
    assert "insula" in names
    assert names & (FRAMEWORKS | CLOUD | SLOW) == set()


def test_a_standby_is_started_before_anything_heavy() -> None:
    names = imported("import insula.executors.launching")
    assert names & (FRAMEWORKS | CLOUD | SLOW | {"attr", "pluggy", "orjson"}) == set()


def test_what_a_worker_needs_of_the_plugin_system() -> None:
    # Workers are told where their plugins are: no scan, no requirement to parse.
    code = (
        "from insula.plugins import Reference, compose, load\n"
        "reference = Reference('insula.hardware', 'cpu', 'insula.hardware.cpu:plugin', 'insula', '0')\n"
        "compose([(str(reference), load(reference))]).hardware_target()"
    )
    names = imported(code)
    assert "insula" in names
    assert names & (FRAMEWORKS | CLOUD | SLOW) == set()


def test_the_listener_hears_what_is_not_installed() -> None:
    code = "try:\n    import torch_that_is_not_there\nexcept ImportError:\n    import json.tool"
    assert {"torch_that_is_not_there", "json"} <= imported(code)
