"""The `compute` section, and the hardware target that it selects."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from insula.descriptors import HardwareTarget, PredictorType
from insula.errors import PluginError
from insula.loading.findings import Findings, pick
from insula.spec import ComputeSpec
from insula.spec.quantities import cpu, mem
from insula.structure import nearest

CORE = ("cpu", "mem")
CLUSTER_ONLY = ("node_groups",)

FindHardware = Callable[[str], HardwareTarget | None]


def load_compute(
    section: Mapping[str, Any], kind: PredictorType | None, find: FindHardware, findings: Findings
) -> ComputeSpec:
    """Return the `compute` section; its targets are structured by their own settings classes.

    Args:
        section: what the user wrote.
        kind: the predictor type, None if that is at fault.
        find: the hardware target for a key; None or PluginError if there is none.
        findings: gathers the faults.
    """
    core = {key: _quantity(section, key, parse, findings) for key, parse in (("cpu", cpu), ("mem", mem))}
    targets = _targets(section, find, findings)
    _check_single(targets, findings)
    for target, keys in targets.values():
        if kind is not None and not allowed(kind, target):
            findings.add(_not_allowed(kind, target), "compute", next(iter(keys)))
    settings = {name: _settings(target, keys, findings) for name, (target, keys) in targets.items()}
    return ComputeSpec(core["cpu"], core["mem"], settings)


def allowed(kind: PredictorType, target: HardwareTarget) -> bool:
    """Whether a predictor type runs on a hardware target: `cpu` always, others if either lists the other."""
    return (
        target.name == "cpu"
        or target.name in kind.hardware
        or kind.name in target.predictors
        or "*" in target.predictors
    )


def _not_allowed(kind: PredictorType, target: HardwareTarget) -> str:
    runs_on = ", ".join(dict.fromkeys(("cpu", *kind.hardware)))
    serves = ", ".join(target.predictors) or "none by itself"
    return (
        f"predictor type {kind.name} cannot run on hardware target {target.name}: {kind.name} runs on {runs_on}; "
        f"{target.name} serves predictor types: {serves}"
    )


def _quantity(section: Mapping[str, Any], key: str, parse: Callable[[object], Any], findings: Findings) -> Any:
    value = section.get(key)
    if value is None:
        return None
    try:
        return parse(value)
    except ValueError as error:
        findings.add(str(error), "compute", key)
        return None


def _targets(
    section: Mapping[str, Any], find: FindHardware, findings: Findings
) -> dict[str, tuple[HardwareTarget, dict[str, Any]]]:
    targets: dict[str, tuple[HardwareTarget, dict[str, Any]]] = {}
    for key, value in section.items():
        if key in (*CORE, *CLUSTER_ONLY) or value is None or (type(value) in (int, float) and value == 0):
            continue
        target = _find(key, find, findings)
        if target is not None:
            targets.setdefault(target.name, (target, {}))[1][key] = value
    return targets


def _find(key: str, find: FindHardware, findings: Findings) -> HardwareTarget | None:
    meant = nearest(key, (*CORE, *CLUSTER_ONLY))
    try:
        target = find(key)
    except PluginError as error:
        known = f"unknown key; did you mean {meant}?" if meant else str(error).removeprefix("compute: ")
        findings.add(known, "compute", key)
        return None
    if target is None:
        hint = f"did you mean {meant}?" if meant else f"known: {', '.join(CORE)}"
        findings.add(f"unknown key, and no installed hardware target has it; {hint}", "compute", key)
    return target


def _check_single(targets: Mapping[str, tuple[HardwareTarget, Mapping[str, Any]]], findings: Findings) -> None:
    if len(targets) > 1:
        findings.add(f"a worker runs on one hardware target, not on {' and '.join(targets)} at once", "compute")


def _settings(target: HardwareTarget, keys: Mapping[str, Any], findings: Findings) -> Any:
    return findings.structure(dict(keys), target.settings, "compute")


def ignored_fields(section: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that mattered on a Cortex cluster only."""
    return tuple(f"compute.{key}" for key in pick(section, CLUSTER_ONLY))
