"""The models of an API, in every shape in which Cortex let one write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from insula.loading.findings import Findings, pick
from insula.records import frozen
from insula.spec.api import ModelSpec, ModelsSpec
from insula.spec.texts import check_path

KEYS = ("model_path", "models", "signature_key")
SINGLE = "_cortex_default"
_CLUSTER_ONLY = ("cache_size", "disk_cache_size")


def _filled(instance: object, attribute: Any, value: Any) -> None:
    if value is not None and not value.strip():
        raise ValueError("must not be empty")
    check_path(instance, attribute, value)


def _text() -> Any:
    return attrs.field(default=None, validator=_filled)


@frozen
class _Entry:
    name: str = attrs.field(validator=_filled)
    path: str | None = _text()
    model_path: str | None = _text()
    signature_key: str | None = _text()

    def __attrs_post_init__(self) -> None:
        if (self.path is None) == (self.model_path is None):
            raise ValueError("give the model's path (as path or as model_path, not both)")


@frozen
class _Section:
    path: str | None = _text()
    paths: tuple[_Entry, ...] | None = None
    dir: str | None = _text()
    signature_key: str | None = _text()

    def __attrs_post_init__(self) -> None:
        if sum(one is not None for one in (self.path, self.paths, self.dir)) != 1:
            raise ValueError("give exactly one of path, paths and dir")


@frozen
class _Single:
    model_path: str | None = _text()
    signature_key: str | None = _text()


def load_models(predictor: Mapping[str, Any], findings: Findings) -> tuple[ModelsSpec, tuple[str, ...]]:
    """Return the models of a `predictor` section, and the fields that mattered on a cluster only."""
    given = pick(predictor, KEYS)
    single = findings.structure(pick(given, ("model_path", "signature_key")), _Single, "predictor") or _Single()
    if "models" in given and "model_path" in given:
        findings.add("give either model_path or models, not both", "predictor", "models")
    if "models" not in given:
        return _of_path(single.model_path, single.signature_key), ()
    models = given["models"]
    if isinstance(models, Mapping):
        return _of_section(models, single.signature_key, findings)
    return _listed(findings.structure(models, tuple[_Entry, ...], "predictor", "models"), single, findings), ()


def _of_path(path: str | None, signature_key: str | None) -> ModelsSpec:
    listed = (ModelSpec(SINGLE, path, signature_key),) if path is not None else ()
    return ModelsSpec(listed, signature_key=signature_key)


def _of_section(
    models: Mapping[str, Any], signature_key: str | None, findings: Findings
) -> tuple[ModelsSpec, tuple[str, ...]]:
    ignored = tuple(f"predictor.models.{key}" for key in models if key in _CLUSTER_ONLY)
    given = {key: value for key, value in models.items() if value is not None and key not in _CLUSTER_ONLY}
    section = findings.structure(given, _Section, "predictor", "models")
    if section is None:
        return ModelsSpec(), ignored
    single = _Single(signature_key=section.signature_key or signature_key)
    if section.paths is not None:
        return _listed(section.paths, single, findings, "paths"), ignored
    if section.path is not None:
        return _of_path(section.path, single.signature_key), ignored
    return ModelsSpec((), section.dir, single.signature_key), ignored


def _listed(entries: tuple[_Entry, ...] | None, single: _Single, findings: Findings, *inner: str) -> ModelsSpec:
    seen: set[str] = set()
    for index, entry in enumerate(entries or ()):
        if entry.name in seen:
            findings.add(f"a second model named {entry.name}", "predictor", "models", *inner, index, "name")
        seen.add(entry.name)
    listed = [
        ModelSpec(entry.name, entry.path or entry.model_path or "", entry.signature_key or single.signature_key)
        for entry in entries or ()
    ]
    return ModelsSpec(tuple(listed), signature_key=single.signature_key)
