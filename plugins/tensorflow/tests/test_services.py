from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from insula_tensorflow import messages
from insula_tensorflow.channel import Calls, Channel
from insula_tensorflow.failures import code_of, details_of
from insula_tensorflow.hosting import Host, HostSettings, ModelPlace
from insula_tensorflow.services import Methods


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[Calls]:
    """The calls of a server that has not imported TensorFlow yet."""
    host = Host(HostSettings((ModelPlace("m", "/m"),)))
    server = grpc.server(ThreadPoolExecutor(2), (Methods(host),))
    channel = Channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}", False, tmp_path)
    server.start()
    yield channel.calls
    channel.close()
    server.stop(0).wait(30)


def test_until_tensorflow_is_imported_models_are_told_to_come(calls: Calls) -> None:
    request = messages.GetModelStatusRequest()
    request.model_spec.name = "m"
    (status,) = calls.get_status(request, timeout=60).model_version_status
    assert status.state == messages.START
    for call, empty in (
        (calls.predict, messages.PredictRequest()),
        (calls.get_metadata, messages.GetModelMetadataRequest()),
    ):
        with pytest.raises(grpc.RpcError) as raised:
            call(empty, timeout=60)
        assert code_of(raised.value) is grpc.StatusCode.UNAVAILABLE


def test_an_error_in_any_language_is_as_short_as_headers_must_be(calls: Calls) -> None:
    request = messages.GetModelStatusRequest()
    request.model_spec.name = "虹" * 5000
    with pytest.raises(grpc.RpcError) as raised:
        calls.get_status(request, timeout=60)
    assert code_of(raised.value) is grpc.StatusCode.NOT_FOUND
    assert details_of(raised.value).startswith("there is no model '虹虹")
