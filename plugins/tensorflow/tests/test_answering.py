from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np
import pytest
from lightserver import Array, Echo

from insula_tensorflow import answering, messages, wire
from insula_tensorflow.answering import Refusal
from insula_tensorflow.hosting import MISSING, Host, HostSettings, ModelPlace
from insula_tensorflow.signature import UNHOLDABLE, Signature, TensorInfo


@pytest.fixture
def model() -> Echo:
    return Echo(shape=(None, 2))


@pytest.fixture
def host(model: Echo) -> Host:
    made = Host(HostSettings((ModelPlace("m", "/models/m/3"), ModelPlace("late", "/late"))))
    made.models["m"].backend, made.models["m"].state = model, messages.AVAILABLE
    return made


def asked(name: str = "m", **inputs: Array) -> Any:
    request = messages.PredictRequest()
    request.model_spec.name = name
    for key, array in inputs.items():
        wire.encode(array, request.inputs[key])
    return request


def answered(host: Host, request: Any) -> Any:
    response = messages.PredictResponse()
    answering.predict(host, request, response)
    return response


def refusal(host: Host, request: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as raised:
        answered(host, request)
    return raised.value.code.name, raised.value.details


ROWS = np.ones((3, 2), np.float32)


def test_an_answer_names_model_version_and_signature(host: Host) -> None:
    response = answered(host, asked(x=ROWS))
    assert wire.decode(response.outputs["y"]).tolist() == ROWS.tolist()
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("m", 3, "serving_default")


def test_only_the_outputs_that_are_asked_for_are_sent(host: Host, model: Echo) -> None:
    y = model.signatures["serving_default"].outputs["y"]
    model.signatures["serving_default"].outputs["z"] = y  # type: ignore[index]
    model._function = lambda inputs: {"y": inputs["x"], "z": inputs["x"]}
    request = asked(x=ROWS)
    assert sorted(answered(host, request).outputs) == ["y", "z"]
    request.output_filter.append("z")
    assert list(answered(host, request).outputs) == ["z"]
    request.output_filter.append("q")
    assert refusal(host, request) == ("INVALID_ARGUMENT", "output_filter names q; the outputs are y, z")


@pytest.mark.parametrize(
    "inputs, told",
    [
        ({}, "the inputs miss x; they are x"),
        ({"x": ROWS, "z": ROWS}, "the inputs name z; they are x"),
        ({"x": ROWS.astype("float64")}, "input x is float64 and must be float32"),
        ({"x": np.array([["a", "b"]])}, "input x is string and must be float32"),
        ({"x": ROWS[0]}, "input x has shape [2] and must have [?, 2]"),
        ({"x": ROWS.T}, "input x has shape [2, 3] and must have [?, 2]"),
    ],
)
def test_wrong_inputs_are_told(host: Host, model: Echo, inputs: Mapping[str, Array], told: str) -> None:
    assert refusal(host, asked(**inputs)) == ("INVALID_ARGUMENT", told)
    assert not model.calls


def test_an_input_that_is_no_tensor_is_told(host: Host) -> None:
    request = asked(x=ROWS)
    request.inputs["x"].tensor_content = b"1"
    assert refusal(host, request) == (
        "INVALID_ARGUMENT",
        "input x: a tensor of 6 DT_FLOAT has 1 bytes in place of 24",
    )


def test_models_and_versions_that_are_not_there(host: Host) -> None:
    assert refusal(host, asked("n", x=ROWS)) == ("NOT_FOUND", "there is no model 'n'; there are m, late")
    request = asked(x=ROWS)
    request.model_spec.version.value = 4
    assert refusal(host, request) == ("NOT_FOUND", "model m has no version 4, but 3")
    request.model_spec.version.value = 0
    assert answered(host, request).model_spec.version.value == 3


def test_a_signature_that_is_not_there(host: Host) -> None:
    request = asked(x=ROWS)
    request.model_spec.signature_name = "train"
    code, told = refusal(host, request)
    assert code == "FAILED_PRECONDITION"
    assert told == "model m: it has no signature 'train'; its signatures are serving_default"


def test_a_signature_that_numpy_cannot_hold(host: Host, model: Echo) -> None:
    sparse = {"s": TensorInfo("s", UNHOLDABLE, None)}
    model.signatures["serving_default"] = Signature("serving_default", sparse, {})
    assert refusal(host, asked(x=ROWS)) == ("UNIMPLEMENTED", "signature serving_default: numpy has no dtype for s")


def test_a_model_that_is_loading_and_one_that_failed(host: Host) -> None:
    assert refusal(host, asked("late", x=ROWS)) == ("UNAVAILABLE", "model late is being loaded")
    host.fail(MISSING)
    assert refusal(host, asked("late", x=ROWS)) == ("FAILED_PRECONDITION", f"model late could not be loaded: {MISSING}")
    assert host.faults[1] == f"model late (/late): {MISSING}"


class OpError(Exception):
    """As TensorFlow's errors: with a code of gRPC."""

    def __init__(self, code: grpc.StatusCode) -> None:
        super().__init__("told by TensorFlow")
        self.error_code = code.value[0]


@pytest.mark.parametrize(
    "error, code",
    [
        (OpError(grpc.StatusCode.INVALID_ARGUMENT), "INVALID_ARGUMENT"),
        (OpError(grpc.StatusCode.RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED"),
        (OpError(grpc.StatusCode.UNAVAILABLE), "INTERNAL"),
        (MemoryError(), "RESOURCE_EXHAUSTED"),
        (ValueError("odd"), "INTERNAL"),
    ],
)
def test_what_a_model_raises_has_a_code(host: Host, model: Echo, error: Exception, code: str) -> None:
    def fail(inputs: Mapping[str, Array]) -> dict[str, Array]:
        raise error

    model._function = fail
    assert refusal(host, asked(x=ROWS))[0] == code


def test_status_tells_state_version_and_fault(host: Host) -> None:
    host.models["late"].fault, host.models["late"].state = "broken", messages.END
    for name, state, fault in (("m", messages.AVAILABLE, ""), ("late", messages.END, "broken")):
        request = messages.GetModelStatusRequest()
        request.model_spec.name = name
        response = messages.GetModelStatusResponse()
        answering.status(host, request, response)
        (version,) = response.model_version_status
        assert (version.version, version.state) == (3 if name == "m" else 1, state)
        assert (version.status.error_message, bool(version.status.error_code)) == (fault, bool(fault))


@pytest.mark.parametrize("field", [[], ["graph"]])
def test_metadata_is_of_signatures_only(host: Host, field: list[str]) -> None:
    request = messages.GetModelMetadataRequest(metadata_field=field)
    request.model_spec.name = "m"
    with pytest.raises(Refusal, match="there is signature_def"):
        answering.signatures(host, request, messages.GetModelMetadataResponse())


def test_a_models_file_is_read() -> None:
    plain = {
        "models": [{"name": "m", "path": "/m"}],
        "batching": {"max_batch_size": 4, "batch_interval": 0.1},
        "intra_op_threads": 2,
        "inter_op_threads": None,
        "gpu": False,
        "imports": ["tensorflow_text"],
    }
    settings = HostSettings.parse(plain)
    assert settings.models == (ModelPlace("m", "/m"),)
    assert settings.batching is not None
    assert settings.batching.batch_interval == 0.1
    assert settings.imports == ("tensorflow_text",)
    assert not settings.typed_values
