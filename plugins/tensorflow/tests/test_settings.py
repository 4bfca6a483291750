from __future__ import annotations

from typing import Any

import pytest

from insula.errors import SpecError
from insula.structure import structure
from insula_tensorflow.settings import RemoteModel, Section, ServingSettings


def test_models_are_in_process_unless_a_server_is_named() -> None:
    assert structure({}, Section).in_process
    section = structure({"tensorflow_serving": {"address": "host:8500", "models": ["iris"]}}, Section)
    assert not section.in_process
    assert section.serving is not None
    assert section.serving.hosts == ("host:8500",)


def test_batching_alone_asks_for_a_server_of_ones_own_as_in_cortex() -> None:
    section = structure({"server_side_batching": {"max_batch_size": 8, "batch_interval": "100ms"}}, Section)
    assert section.server_side_batching is not None
    assert section.server_side_batching.batch_interval == 0.1
    assert section.serving == ServingSettings(embedded=True)


def test_models_of_a_server_are_names_or_more() -> None:
    models = ["a", {"name": "b", "signature_key": "predict", "version": 3}]
    settings = structure({"addresses": ["a:1", "[::1]:2"], "models": models}, ServingSettings)
    assert settings.remote_models == (RemoteModel("a"), RemoteModel("b", "predict", 3))
    assert settings.hosts == ("a:1", "[::1]:2")


@pytest.mark.parametrize(
    "written, told",
    [
        ({"tensorflow_serving": {}}, "give exactly one of address, addresses and embedded: true"),
        ({"tensorflow_serving": {"embedded": False}}, "give exactly one of"),
        ({"tensorflow_serving": {"address": "h:1", "embedded": True, "models": ["m"]}}, "give exactly one of"),
        ({"tensorflow_serving": {"address": "h:1"}}, "models is missing"),
        ({"tensorflow_serving": {"addresses": [], "models": ["m"]}}, "addresses is empty"),
        ({"tensorflow_serving": {"address": "http://h:1", "models": ["m"]}}, "is no address, such as localhost:8500"),
        ({"tensorflow_serving": {"address": "h:70000", "models": ["m"]}}, "is no address"),
        ({"tensorflow_serving": {"embedded": True, "models": ["m"]}}, "models goes with address or addresses only"),
        ({"tensorflow_serving": {"embedded": True, "tls": True}}, "tls goes with address"),
        ({"tensorflow_serving": {"address": "h:1", "models": ["m", "m"]}}, "models names m twice"),
        (
            {"tensorflow_serving": {"embedded": True, "timeout": "0s"}},
            "tensorflow_serving.timeout: must be longer than 0 s",
        ),
        ({"tensorflow_serving": {"embedded": True, "retries": -1}}, "retries: must be 0 or more, not -1"),
        ({"tensorflow_serving": {"embedded": True, "server": "tfs"}}, "tensorflow_model_server"),
        (
            {"tensorflow_serving": {"address": "h:1", "models": ["m"], "tls": {"key": "k.pem"}}},
            "both certificate and key",
        ),
        (
            {"server_side_batching": {"max_batch_size": 0, "batch_interval": "1s"}},
            "max_batch_size: must be at least 1, not 0",
        ),
        (
            {"server_side_batching": {"max_batch_size": 1, "batch_interval": "1 day"}},
            "batch_interval: '1 day' is no duration",
        ),
        (
            {"tensorflow": {"imports": ["x"]}, "tensorflow_serving": {"address": "h:1", "models": ["m"]}},
            "tensorflow.imports is for models in workers and in insula's own server",
        ),
        (
            {"tensorflow": {"imports": ["x"]}, "tensorflow_serving": {"server": "tensorflow_model_server"}},
            "tensorflow.imports is for",
        ),
        ({"tensorflow": {"intra_op_threads": 0}}, "tensorflow.intra_op_threads: must be at least 1, not 0"),
        (
            {
                "tensorflow_serving": {"address": "h:1", "models": ["m"]},
                "server_side_batching": {"max_batch_size": 1, "batch_interval": 0},
            },
            "server_side_batching is for a server that insula starts",
        ),
    ],
)
def test_what_is_wrong_is_told(written: dict[str, Any], told: str) -> None:
    with pytest.raises(SpecError) as caught:
        structure(written, Section)
    assert told in str(caught.value)
