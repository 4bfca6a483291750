from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PLACEHOLDER = 'raise ImportError("WRONG PACKAGE. Please install the package from Neuron Repository")\n'
LOAD = """
import sys
from insula_neuron import libraries
try:
    print("loaded", libraries.load(int(sys.argv[1]) if sys.argv[1:] else None).__name__)
except libraries.LibraryFault as fault:
    print("fault", fault)
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages that a child process sees first."""
    return tmp_path


def offer(site: Path, module: str, code: str, version: str | None = None) -> None:
    (site / module).mkdir()
    (site / module / "__init__.py").write_text(code)
    if version is not None:
        name = module.replace("_", "-")
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


def load(site: Path, *cores: int) -> str:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{LOAD}", *map(str, cores)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_one_that_is_there(site: Path) -> None:
    offer(site, "torch_neuron", "", "2.9")
    assert load(site) == load(site, 4) == load(site, 2) == "loaded torch_neuron"


def test_with_both_the_chip_decides(site: Path) -> None:
    offer(site, "torch_neuron", "")
    offer(site, "torch_neuronx", "")
    assert load(site, 4) == "loaded torch_neuron"
    assert load(site, 2) == load(site) == "loaded torch_neuronx"


def test_neither_is_there(site: Path) -> None:
    told = load(site, 4)
    assert "neither torch_neuronx nor torch_neuron is installed" in told
    assert '--extra-index-url https://pip.repos.neuron.amazonaws.com "insula-neuron[inf1]"' in told
    assert '"insula-neuron[inf2]"' in load(site, 2)


@pytest.mark.parametrize("code", [PLACEHOLDER, 'raise ImportError("something else")\n'])
def test_the_placeholder_is_recognised_by_what_it_says_or_by_its_release(site: Path, code: str) -> None:
    offer(site, "torch_neuronx", code, "1.0")
    told = load(site)
    assert "torch-neuronx is the placeholder that the public index has under this name" in told
    assert "pip uninstall torch-neuronx, then pip install --extra-index-url" in told


def test_a_placeholder_beside_the_real_one_harms_nobody(site: Path) -> None:
    offer(site, "torch_neuron", PLACEHOLDER, "1.0")
    offer(site, "torch_neuronx", "", "2.1")
    assert load(site, 4) == load(site, 2) == "loaded torch_neuronx"


def test_the_extras_do_not_resolve_to_the_placeholders() -> None:
    asked = [Requirement(text) for text in requires("insula-neuron") or ()]
    libraries = {one.name: one for one in asked if one.name.startswith("torch")}
    assert {name: str(one.marker) for name, one in libraries.items()} == {
        "torch-neuron": 'extra == "inf1"',
        "torch-neuronx": 'extra == "inf2"',
    }
    assert not any(
        one.specifier.contains(placeholder) for one in libraries.values() for placeholder in ("1.0", "1.0.0")
    )


@pytest.mark.parametrize("kind", ["ImportError", "OSError", "RuntimeError"])
def test_a_library_that_cannot_be_imported(site: Path, kind: str) -> None:
    offer(site, "torch_neuronx", f'raise {kind}("libnrt.so.1: cannot open shared object file")\n', "2.1")
    told = load(site)
    assert "torch_neuronx cannot be imported: libnrt.so.1: cannot open shared object file" in told
    assert "placeholder" not in told
