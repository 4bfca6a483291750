from __future__ import annotations

import pytest

from insula.spec import ComputeSpec, ModelSpec
from insula_tensorflow.modes import misfits
from insula_tensorflow.settings import Section, ServingSettings

MODELS = (ModelSpec("m", "m"),)
HOST = Section(tensorflow_serving=ServingSettings(address="h:1", models=("m",)))
OWN = Section(tensorflow_serving=ServingSettings(embedded=True))
TFS = Section(tensorflow_serving=ServingSettings(server="tensorflow_model_server"))
INF = ComputeSpec(targets={"inf": object()})


@pytest.mark.parametrize("section", [Section(), OWN, TFS])
def test_models_are_needed_but_where_the_server_has_them(section: Section) -> None:
    assert misfits(section, (), ComputeSpec()) == ["missing: predictor type tensorflow needs a model_path, or models"]
    assert misfits(section, MODELS, ComputeSpec(targets={"gpu": object()})) == []
    assert misfits(HOST, (), ComputeSpec()) == []
    assert "the server at h:1 has its own models" in misfits(HOST, MODELS, ComputeSpec())[0]


def test_other_hardware_is_for_servers_that_run_on_it() -> None:
    for section in (Section(), OWN):
        (fault,) = misfits(section, MODELS, INF)
        assert fault.startswith("TensorFlow itself does not run on inf: it takes tensorflow_serving with server")
    assert misfits(TFS, MODELS, INF) == misfits(HOST, (), INF) == []
