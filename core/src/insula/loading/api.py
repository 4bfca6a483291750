"""One API of cortex.yaml."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from insula.documents import Document, read_document
from insula.errors import ProjectError
from insula.loading.compute import FindHardware, ignored_fields, load_compute
from insula.loading.entries import choose
from insula.loading.findings import Findings, pick
from insula.loading.predictor import FindPredictor, load_predictor
from insula.records import frozen
from insula.spec import ApiSpec
from insula.structure import did_you_mean, quoted

CONFIG_FILE = "cortex.yaml"
_KIND = "BatchAPI"
_OTHER_KINDS = ("RealtimeAPI", "SyncAPI", "AsyncAPI", "TaskAPI", "TrafficSplitter")
_KEYS = ("name", "kind", "predictor", "compute")
_CLUSTER_ONLY = ("networking",)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)


def _is_name(instance: object, attribute: Any, value: str) -> None:
    if not _NAME.fullmatch(value):
        raise ValueError(
            "a name begins with a letter or digit and has at most 100 letters, digits, hyphens, dots and underscores, "
            f"unlike {quoted(value)}"
        )


@frozen
class _Entry:
    name: str = attrs.field(validator=_is_name)
    predictor: Mapping[str, Any]
    kind: str = _KIND
    compute: Mapping[str, Any] = attrs.field(factory=dict)


def load_api(project: Path, name: str | None, find_predictor: FindPredictor, find_hardware: FindHardware) -> ApiSpec:
    """Read one API of a project's `cortex.yaml`.

    Args:
        project: the project folder.
        name: of the API; None if the file holds only one.
        find_predictor: the predictor type for a word; PluginError if there is none.
        find_hardware: the hardware target for a key of `compute`; None or PluginError if there is none.

    Raises:
        ProjectError: if there is no such file.
        SpecError: with every fault of the entry.
    """
    return structure_api(read_config(project), name, find_predictor, find_hardware)


def structure_api(
    document: Document, name: str | None, find_predictor: FindPredictor, find_hardware: FindHardware
) -> ApiSpec:
    """Read one API of a document, as `load_api` does.

    Raises:
        SpecError: with every fault of the entry.
    """
    findings, entry = choose(document, name)
    _check_kind(entry.get("kind", _KIND), findings)
    findings.refuse_unknown(entry, (*_KEYS, *_CLUSTER_ONLY))
    head = findings.structure(pick(entry, _KEYS), _Entry)
    predictor = load_predictor(_section(entry, "predictor"), find_predictor, findings)
    section = _section(entry, "compute") or {}
    compute = load_compute(section, predictor.kind, find_hardware, findings)
    findings.raise_any()
    # Whatever is missing here was a fault above.
    assert head is not None
    assert predictor.spec is not None
    ignored = (*pick(entry, _CLUSTER_ONLY), *predictor.ignored, *ignored_fields(section))
    return ApiSpec(head.name, predictor.spec, compute, head.kind, raw=entry, ignored=ignored)


def read_config(project: Path) -> Document:
    """Read a project's `cortex.yaml`.

    Raises:
        ProjectError: if there is no such file, or none that can be read.
        SpecError: if it is not UTF-8, empty or malformed.
    """
    try:
        return read_document(project / CONFIG_FILE, CONFIG_FILE)
    except ProjectError as error:
        if isinstance(error.__cause__, (FileNotFoundError, NotADirectoryError)):
            raise ProjectError(f"{project}: {_no_config(project)}") from error
        raise


def _no_config(project: Path) -> str:
    if not project.is_dir():
        what = "this is a file" if project.exists() else "there is no such folder"
        return f"{what}; a project is a folder with a {CONFIG_FILE}"
    other = next((name for name in ("cortex.yml", "cortex.json") if (project / name).exists()), None)
    hint = f" (there is a {other}: rename it)" if other else ""
    return f"there is no {CONFIG_FILE} in this folder{hint}"


def _section(entry: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    section = entry.get(key)
    return section if isinstance(section, Mapping) else None


def _check_kind(kind: Any, findings: Findings) -> None:
    if kind in _OTHER_KINDS:
        findings.add(f"insula runs kind {_KIND} only, and this is a {kind}", "kind")
        # Its other keys are those of another kind: nothing that could be said of them would help.
        findings.raise_any()
    if isinstance(kind, str) and kind != _KIND:
        near = did_you_mean(kind, [_KIND])
        findings.add(f"unknown kind {quoted(kind)}; {near}", "kind")
