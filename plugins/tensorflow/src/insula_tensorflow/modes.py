"""Where models run, by what the user wrote; and what does not go together."""

from __future__ import annotations

from collections.abc import Sequence

from insula.spec import ComputeSpec, ModelSpec
from insula_tensorflow.settings import Section

# The targets that TensorFlow itself runs on.
_OWN_TARGETS = {"cpu", "gpu"}


def misfits(section: Section, models: Sequence[ModelSpec], compute: ComputeSpec) -> list[str]:
    """Return what is wrong between the type's settings, the models and the hardware."""
    serving = section.serving
    faults = []
    if serving is not None and serving.hosts:
        if models:
            faults.append(
                f"the server at {serving.hosts[0]} has its own models: leave model_path and models out, and name them "
                "under tensorflow_serving.models"
            )
    elif not models:
        faults.append("missing: predictor type tensorflow needs a model_path, or models")
    foreign = ", ".join(sorted(set(compute.targets) - _OWN_TARGETS))
    if foreign and (serving is None or not (serving.hosts or serving.server)):
        faults.append(
            f"TensorFlow itself does not run on {foreign}: it takes tensorflow_serving with server: "
            "tensorflow_model_server, or with addresses of servers that do"
        )
    return faults
