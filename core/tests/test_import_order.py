"""A module of the core imports only from those before it, so that the package reads from top to bottom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import insula

ROOT = Path(insula.__file__).parent
ORDER = (
    "records",
    "errors",
    "exact",
    "failpoints",
    "folder",
    "events",
    "spec",
    "structure",
    "documents",
    "model_names",
    "descriptors",
    "loading",
    "hookspecs",
    "hooks",
    "plugins",
    "project",
    "storage",
    "sources",
    "hardware",
    "ledger",
    "results",
    "worker",
    "executors",
    "coordinator",
    "jobs",
    "api",
    "cli",
    "__main__",
    "testing",
)
PLUGIN_SYSTEM = {"hookspecs", "hooks", "plugins"}
# What `from insula import …` gives that is no module: where it is defined.
OFFERED = {
    "hookimpl": "hookspecs",
    "__version__": "errors",
    **dict.fromkeys(("run", "submit", "open_job", "Job", "JobResult"), "api"),
}


def part(file: Path) -> str:
    """Return the module or package at the top of the core that a file belongs to."""
    return file.relative_to(ROOT).with_suffix("").parts[0]


def imports(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of every import, inside functions and `if TYPE_CHECKING` too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def imported_parts(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the part of every import from the core."""
    for line, name in imports(source):
        steps = name.split(".")
        if steps[0] == "insula":
            # `import insula` alone gives what the root offers, which the first hook specification precedes.
            yield line, OFFERED.get(steps[1], steps[1]) if len(steps) > 1 else "hookspecs"


def backward(own: str, source: str) -> list[str]:
    """Return what a module of the part `own` may not import."""
    rank = {name: place for place, name in enumerate(ORDER)}
    return [
        f"line {line}: {own} imports {name}, which comes after it"
        for line, name in imported_parts(source)
        if rank.get(name, len(ORDER)) > rank[own]
    ]


FILES = sorted(file for file in ROOT.rglob("*.py") if file != ROOT / "__init__.py")


def test_every_module_has_its_place() -> None:
    placeless = {part(file) for file in FILES} - set(ORDER)
    assert not placeless, f"give these a place in ORDER: {sorted(placeless)}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_module_imports_only_from_those_before_it(file: Path) -> None:
    assert part(file) in ORDER
    assert backward(part(file), file.read_text()) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_the_plugin_system_alone_knows_pluggy_and_entry_points(file: Path) -> None:
    roots = {name.split(".")[0] for _, name in imports(file.read_text())}
    known = roots & {"pluggy", "importlib_metadata"}
    assert not known or part(file) in PLUGIN_SYSTEM


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("import insula.ledger", ["ledger"]),
        ("from insula import jobs, hookimpl, __version__", ["jobs", "hookspecs", "errors"]),
        ("from insula.worker.loop import Loop", ["worker"]),
        ("def f():\n    from insula.cli import main", ["cli"]),
        ("if TYPE_CHECKING:\n    from insula.cli import main", ["cli"]),
        ("import json", []),
    ],
)
def test_the_walk_sees_every_import(source: str, parts: list[str]) -> None:
    assert [name for _, name in imported_parts(source)] == parts


def test_the_walk_finds_a_step_backward() -> None:
    assert backward("spec", "import json\nfrom insula import hookimpl\nfrom insula.errors import UserError") == [
        "line 2: spec imports hookspecs, which comes after it"
    ]
