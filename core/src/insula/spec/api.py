"""One entry of cortex.yaml, as Cortex's batch APIs 0.19 and later wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from insula.records import frozen
from insula.spec.texts import check_environment, check_path

Returns = Literal["auto", "each", "whole", "nothing"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]


@frozen
class ModelSpec:
    """One model by name; `path` is a local path or a storage URL, relative paths are the project's."""

    name: str
    path: str
    signature_key: str | None = None


@frozen
class ModelsSpec:
    """The models that an API lists, in whichever of Cortex's shapes they were written.

    `listed` are the models named one by one; `directory` is a folder of which every entry is a model.
    """

    listed: tuple[ModelSpec, ...] = ()
    directory: str | None = None
    signature_key: str | None = None

    def __bool__(self) -> bool:
        return bool(self.listed or self.directory)


@frozen
class PredictorSpec:
    """The `predictor` section: which type, which class, with what configuration.

    `settings` is the predictor type's own part of the section, structured by the class that its descriptor names.
    """

    type: str
    path: str | None = attrs.field(default=None, validator=check_path)
    config: Mapping[str, Any] = attrs.field(factory=dict)
    python_path: str | None = attrs.field(default=None, validator=check_path)
    env: Mapping[str, str] = attrs.field(factory=dict, validator=check_environment)
    log_level: LogLevel = "info"
    returns: Returns = "auto"
    models: ModelsSpec = attrs.field(factory=ModelsSpec)
    settings: Any = None


@frozen
class ComputeSpec:
    """The `compute` section of one worker.

    `cpu` is a share of cores (1.0 is one core), `mem` bytes of private memory, both None when unset. `targets` holds, by
    the name of each hardware target that the section selects, that target's own settings.
    """

    cpu: float | None = None
    mem: int | None = None
    targets: Mapping[str, Any] = attrs.field(factory=dict)


@frozen
class ApiSpec:
    """One entry of cortex.yaml.

    `raw` is the entry as the user wrote it, which predictors get as `api_spec`; `ignored` are the fields that meant
    something on a Cortex cluster only.
    """

    name: str
    predictor: PredictorSpec
    compute: ComputeSpec = attrs.field(factory=ComputeSpec)
    kind: str = "BatchAPI"
    raw: Mapping[str, Any] = attrs.field(factory=dict)
    ignored: tuple[str, ...] = ()
