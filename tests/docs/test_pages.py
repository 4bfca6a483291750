"""The reference says what the code says, and links lead somewhere."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

import insula
from insula import failpoints, hookspecs
from insula.cli.group import BUILT_IN
from insula.coordinator.status import Progress
from insula.jobs import finishing
from insula.ledger import schema
from insula.loading import models, predictor, submission
from insula.loading.compute import CLUSTER_ONLY, CORE
from insula.project.contract import CONSTRUCTOR, PREDICT
from insula.sources.settings import DelimitedFiles, FilePathLister, ItemList
from insula.spec import api
from insula.worker import protocol
from insula.worker.environment import THREADS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGE = Path(insula.__file__).parent
# Fail points, for tests; the beginning of names, and a place kept for observers.
TEST_ONLY = {"INSULA_FAIL_POINT", "INSULA_FAIL_ONCE"}
NO_VARIABLES = {"INSULA_STORAGE", "INSULA_OBSERVERS"}
PAGES = sorted(
    path
    for pattern in ("*.md", "*/*.md", "docs/*/*.md", "*/*/README.md")
    for path in ROOT.glob(pattern)
    if not path.relative_to(ROOT).parts[0].startswith(".")
)


def page(name: str) -> str:
    return (DOCS / name).read_text()


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of each table."""
    for line in text.splitlines():
        if line.startswith("|") and not line.startswith("|---"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def named(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


# ------------------------------------------------------------------------------------------------ links


def links(path: Path) -> Iterator[str]:
    without_code = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    yield from (link for link in re.findall(r"\]\(([^)\s]+)\)", without_code) if "://" not in link)


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for link in links(path):
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{link} in {path}"
        assert not anchor or anchor in anchors(file), f"{link} in {path}"


def linked(path: Path) -> set[Path]:
    return {(path.parent / link.partition("#")[0]).resolve() for link in links(path)}


def test_every_page_is_linked_from_the_index() -> None:
    assert DOCS / "README.md" in linked(ROOT / "README.md")
    assert set(DOCS.glob("*/*.md")) - linked(DOCS / "README.md") == set()


# ------------------------------------------------------------------------------------------------ hooks and events


def test_every_hook_has_its_heading() -> None:
    hooks = [
        f"{name}({', '.join(inspect.signature(hook).parameters)})"
        for name, hook in vars(hookspecs).items()
        if name.startswith("insula_")
    ]
    headings = re.findall(r"^### `(insula_[^`]+)`$", page("reference/hooks.md"), flags=re.MULTILINE)
    assert sorted(headings) == sorted(hooks)


def emitted() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and fields of every event that the code emits."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit":
                fields = tuple(str(keyword.arg) for keyword in node.keywords)
                names = [one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)]
                assert names, f"{file}:{node.lineno}: the name of an event must be seen where it is emitted"
                yield from ((str(name), fields) for name in names)


def test_every_event_is_in_the_table_with_its_fields() -> None:
    told = {named(row[0])[0]: tuple(named(row[1])) for row in rows(page("reference/events.md")) if named(row[0])}
    assert told == dict(emitted())


# ------------------------------------------------------------------------------------------------ specs


def first_cells(name: str) -> set[str]:
    return {word for row in rows(page(name)) for word in named(row[0])}


def test_the_keys_of_cortex_yaml() -> None:
    keys = {"name", "kind", *predictor.CORE, *models.KEYS, *CORE, "gpu"}
    assert first_cells("reference/cortex-yaml.md") == keys
    text = page("reference/cortex-yaml.md")
    ignored = [
        *(f"predictor.{key}" for key in predictor.CLUSTER_ONLY),
        *(f"compute.{key}" for key in CLUSTER_ONLY),
    ]
    assert [key for key in (*ignored, "networking") if f"`{key}`" not in text] == []
    levels = [*api.LogLevel.__args__, *api.Returns.__args__]
    assert [word for word in levels if f"`{word}`" not in text] == []


def test_the_keys_of_a_submission() -> None:
    settings = {field.name for source in (DelimitedFiles, FilePathLister) for field in attrs.fields(source)}
    assert first_cells("reference/submission.md") == {*submission._KEYS, *settings}
    assert [field.name for field in attrs.fields(ItemList)] == ["items", "batch_size"]


def test_the_names_that_a_predictor_may_take() -> None:
    told = [word for row in rows(page("reference/predictor.md")) if len(row) == 3 for word in named(row[1])]
    assert told == [*CONSTRUCTOR, *PREDICT]


def literal_keys(function: object) -> set[str]:
    """The string keys that a function puts into dictionaries."""
    tree = ast.parse(inspect.getsource(function))  # type: ignore[arg-type]
    keys = [key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys]
    keys += [
        node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    ]
    return {key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def test_the_fields_of_the_summary() -> None:
    section = page("reference/results.md").partition("## summary.json")[2].partition("\n## ")[0]
    assert {word for row in rows(section) for word in named(row[0])} == literal_keys(finishing.summarise)


def test_the_fields_of_a_status() -> None:
    section = page("reference/cli.md").partition("## insula status")[2].partition("\n## ")[0]
    told = {word for row in rows(section) for word in named(row[0])}
    # What Progress calls shorter, and what stands elsewhere in the object.
    shown = {field.name for field in attrs.fields(Progress)} - {"status", "dead", "attempts", "worker_counts"}
    assert told == shown | {"dead_letters", "attempts_failed", "stalled_batches", "job_status"}


STATUSES = (
    "enqueuing", "running", "succeeded", "completed_with_failures", "enqueue_failed", "worker_error", "worker_oom",
    "timed_out", "stopped", "unexpected_error", "interrupted",
)  # fmt: skip


def test_the_statuses() -> None:
    section = page("reference/statuses.md").partition("## Exit codes")[0]
    assert [named(row[0])[0] for row in rows(section) if named(row[0])] == list(STATUSES)
    assert [row[0] for row in rows(section) if not row[3]] == []
    source = "".join(file.read_text() for file in PACKAGE.rglob("*.py"))
    assert [status for status in STATUSES if f'"{status}"' not in source] == []
    endings = set(re.findall(r'Ending\(\s*"(\w+)"', source)) - {"settled", "completed"}
    assert endings <= set(STATUSES)


def test_the_environment_variables() -> None:
    section = page("reference/environment.md").partition("## insula's own")[2].partition("\n## ")[0]
    told = {name for row in rows(section) for name in named(row[0])} - {"_INSULA_COMPLETE"}
    assert variables(PACKAGE) - {*TEST_ONLY, *NO_VARIABLES} == told


def test_the_environment_variables_of_plugins() -> None:
    text = "".join(path.read_text() for path in PAGES)
    read = {name for folder in ROOT.glob("plugins/*/src") for name in variables(folder)}
    assert {name for name in read if name not in text} == set()


def variables(folder: Path) -> set[str]:
    """Words in quotes: what is read, and not only spoken of."""
    source = "".join(file.read_text() for file in folder.rglob("*.py"))
    return set(re.findall(r'"(INSULA_\w+)"', source))


def test_what_workers_are_given() -> None:
    section = page("reference/environment.md").partition("## In workers")[2]
    assert set(THREADS) <= {name for row in rows(section) for name in named(row[0])}


def test_the_commands_are_in_their_page() -> None:
    headings = re.findall(r"^## insula (\w+)$", page("reference/cli.md"), flags=re.MULTILINE)
    assert headings == list(BUILT_IN)


# ------------------------------------------------------------------------------------------------ explanation


def test_the_architecture_names_what_is_there() -> None:
    text = page("explanation/architecture.md")
    told = {word for row in rows(text) for word in named(row[0])}
    modules = {file.stem for file in PACKAGE.iterdir() if not file.name.startswith(("_", "py.typed"))}
    assert modules - told == set()
    assert set(re.findall(r"CREATE TABLE (\w+)", schema.TABLES)) - told == set()
    assert set(re.findall(r"`(\w+)`", protocol.__doc__ or "")) - told == set()


def test_every_crash_point_is_explained() -> None:
    text = page("explanation/guarantees.md").partition("### At every crash point")[2].partition("\n## ")[0]
    assert [named(row[0])[0] for row in rows(text) if named(row[0])] == list(failpoints.NAMES)
