"""From words to plugins: what a job names is found, loaded and put together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insula import plugins
from insula.descriptors import HardwareTarget, PredictorType, Source
from insula.documents import Document
from insula.errors import PluginError
from insula.hooks import Hooks
from insula.loading import load_submission, structure_api
from insula.plugins import Reference
from insula.records import frozen
from insula.spec import ApiSpec, Submission


@frozen
class Composed:
    """A job's specs and the plugins that they name."""

    api: ApiSpec
    submission: Submission
    kind: PredictorType
    target: HardwareTarget
    source: Source
    predictor_reference: Reference
    hardware_reference: Reference
    source_reference: Reference
    hooks: Hooks


class _Found:
    """Plugins by role, as the specs name them."""

    def __init__(self) -> None:
        self.references: dict[str, Reference] = {}
        self.objects: dict[str, object] = {}
        self.kinds: dict[str, PredictorType] = {}
        self.targets: dict[str, HardwareTarget] = {}
        self.sources: dict[str, Source] = {}

    def find(self, group: str, name: str) -> tuple[Reference, object]:
        reference = plugins.find(group, name)
        found = plugins.load(reference)
        self.references[group], self.objects[group] = reference, found
        return reference, found

    def predictor(self, name: str) -> PredictorType:
        return self.kinds.setdefault(name, plugins.predictor_type(*self.find("insula.predictors", name)))

    def hardware(self, key: str) -> HardwareTarget:
        return self.targets.setdefault(key, plugins.hardware_target(*self.find("insula.hardware", key)))

    def source(self, key: str) -> Source:
        return self.sources.setdefault(key, plugins.source(*self.find("insula.sources", key)))


def compose(cortex_yaml: Document, api_name: str | None, submission: Document) -> Composed:
    """Find, load and compose what the two documents name.

    Raises:
        SpecError: with every fault of a document.
        PluginError: if a plugin cannot be used.
    """
    found = _Found()
    api = structure_api(cortex_yaml, api_name, found.predictor, found.hardware)
    if not api.compute.targets:
        found.hardware("cpu")
    target = found.targets[found.references["insula.hardware"].name]
    asked = load_submission(submission, found.source)
    groups = ("insula.predictors", "insula.hardware", "insula.sources")
    hooks = plugins.compose([(str(found.references[group]), found.objects[group]) for group in groups])
    predictor, hardware, source = (found.references[group] for group in groups)
    return Composed(
        api=api,
        submission=asked,
        kind=found.kinds[predictor.name],
        target=target,
        source=found.sources[source.name],
        predictor_reference=predictor,
        hardware_reference=hardware,
        source_reference=source,
        hooks=hooks,
    )


def shown_submission(raw: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Return the submission as predictors see it: without inline items."""
    shown = dict(raw)
    if source.inline and isinstance(shown.get(source.key), Mapping):
        shown[source.key] = {key: value for key, value in shown[source.key].items() if key != "items"}
    return shown


def create_executor(name: str, options: Mapping[str, Any]) -> Any:
    """Make the executor that a job names.

    Raises:
        PluginError: if it cannot be used.
    """
    reference = plugins.find("insula.executors", name)
    found = plugins.load(reference)
    plugins.executor_type(reference, found)
    executor = plugins.compose([(str(reference), found)]).create_executor(options)
    if executor is None:
        raise PluginError(f"{reference} made no executor")
    return executor
