from __future__ import annotations

import subprocess
import sys

import pytest
from google.protobuf import descriptor_pool

from insula_tensorflow import messages


def test_the_messages_are_not_in_the_pool_that_all_share() -> None:
    with pytest.raises(KeyError):
        descriptor_pool.Default().FindMessageTypeByName(messages.TensorProto.DESCRIPTOR.full_name)


def test_maps_are_maps() -> None:
    request = messages.PredictRequest()
    request.inputs["a"].dtype = 3
    request.model_spec.version.value = 7
    back = messages.PredictRequest.FromString(request.SerializeToString())
    assert back.inputs["a"].dtype == 3
    assert back.model_spec.version.value == 7


def test_what_is_on_the_wire() -> None:
    # Field 4 with 2 bytes, field 1 as a number: what protobuf's encoding says, by hand.
    assert messages.TensorProto(dtype=1, tensor_content=b"ab").SerializeToString() == b"\x08\x01\x22\x02ab"
    assert messages.TensorProto(float_val=[1.0]).SerializeToString() == b"\x2a\x04\x00\x00\x80\x3f"


def test_fields_of_newer_servers_are_passed_over() -> None:
    assert messages.TensorProto.FromString(b"\x08\x03\x92\x01\x01x").dtype == 3


def test_a_client_imports_nothing_of_tensorflow() -> None:
    code = (
        "import sys, insula_tensorflow.remote; print([m for m in sys.modules if m.split('.')[0][:10] == 'tensorflow'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
