"""The `predictor` section: the core's keys, the predictor type's own, and those of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from insula.descriptors import PredictorType
from insula.loading import models
from insula.loading.findings import Findings, pick
from insula.records import frozen
from insula.spec import PredictorSpec
from insula.structure import nearest

CORE = ("type", "path", "config", "python_path", "env", "log_level", "returns")
CLUSTER_ONLY = (
    "dependencies",
    "image",
    "processes_per_replica",
    "shm_size",
    "tensorflow_serving_image",
    "threads_per_process",
)

FindPredictor = Callable[[str], PredictorType]


@frozen
class Loaded:
    """A `predictor` section: what it says, its type (None if that is at fault), and the fields that are ignored."""

    spec: PredictorSpec | None
    kind: PredictorType | None
    ignored: tuple[str, ...]


def load_predictor(section: Mapping[str, Any] | None, find: FindPredictor, findings: Findings) -> Loaded:
    """Read the `predictor` section, every part of which is judged, whatever is wrong with the others."""
    if section is None:
        return Loaded(None, None, ())
    spec = findings.structure(pick(section, CORE), PredictorSpec, "predictor")
    word = section.get("type")
    if "type" not in section:
        # Which keys there are, only the type can tell; but one of them may be a misspelt `type`.
        meant = [key for key in section if nearest(key, ("type", *CORE, *models.KEYS, *CLUSTER_ONLY)) == "type"]
        findings.refuse_unknown({key: section[key] for key in meant}, ("type",), "predictor")
    kind = findings.look_up(find, word, "predictor", "type") if isinstance(word, str) else None
    before = len(findings.faults)
    listed, ignored = models.load_models(section, findings)
    none_given = not listed and len(findings.faults) == before
    settings = None
    if kind is not None:
        settings = _settings(section, kind, findings)
        _check_path(section, kind, findings)
        _check_models(section, none_given, kind, findings)
        ignored += tuple(f"predictor.{key}" for key in pick(section, CLUSTER_ONLY) if key not in _own_keys(kind))
    return Loaded(spec and attrs.evolve(spec, models=listed, settings=settings), kind, ignored)


def _own_keys(kind: PredictorType) -> set[str]:
    taken = {*CORE, *models.KEYS}
    return {(field.alias or field.name) for field in attrs.fields(kind.settings) if field.init} - taken


def _settings(section: Mapping[str, Any], kind: PredictorType, findings: Findings) -> Any:
    own = _own_keys(kind)
    findings.refuse_unknown(_without(section, CLUSTER_ONLY), {*CORE, *models.KEYS, *own}, "predictor")
    return findings.structure({key: section[key] for key in section if key in own}, kind.settings, "predictor")


def _without(section: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if key not in keys}


def _check_path(section: Mapping[str, Any], kind: PredictorType, findings: Findings) -> None:
    path = section.get("path")
    if kind.class_name is None and path is not None:
        findings.add(f"predictor type {kind.name} runs no code of yours: leave path out", "predictor", "path")
    if kind.class_name is not None and (path is None or path == ""):
        findings.add(f"missing: the file that defines {kind.class_name}", "predictor", "path")


def _check_models(section: Mapping[str, Any], none_given: bool, kind: PredictorType, findings: Findings) -> None:
    if kind.models == "none":
        for key in pick(section, models.KEYS):
            findings.add(f"predictor type {kind.name} takes no models", "predictor", key)
    if kind.models == "required" and none_given:
        findings.add(f"missing: predictor type {kind.name} needs a model_path, or models", "predictor", "models")
