"""The API spec in a worker, where settings are of classes that only the plugins' descriptors name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from insula.descriptors import HardwareTarget, PredictorType
from insula.spec import ApiSpec
from insula.spec.plain import from_plain


def api_from_plain(plain: Mapping[str, Any], kind: PredictorType, target: HardwareTarget) -> ApiSpec:
    """Return the API spec of which `to_plain` made `plain`, with the settings of its plugins."""
    api = from_plain(ApiSpec, plain)
    settings = from_plain(kind.settings, api.predictor.settings) if api.predictor.settings is not None else None
    targets = {
        name: from_plain(target.settings, own) if name == target.name else own
        for name, own in api.compute.targets.items()
    }
    return attrs.evolve(
        api,
        predictor=attrs.evolve(api.predictor, settings=settings),
        compute=attrs.evolve(api.compute, targets=targets),
    )
