"""An independent client, ovmsclient, against insula's server."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from ownserver import OwnServer
from savedmodels import save, spec

# In a process of its own: its messages have the names of TensorFlow's, and one process can hold only one of them.
_ASK = """
import json, sys
import numpy as np
from ovmsclient import make_grpc_client

client = make_grpc_client(sys.argv[1])
rows = np.arange(8, dtype=np.float32).reshape(2, 4)
outputs = client.predict({"x": rows}, "m")
try:
    client.predict({"x": rows[:, :3]}, "m")
    refused = ""
except Exception as error:
    refused = f"{type(error).__name__}: {error}"
print(json.dumps({
    "status": client.get_model_status("m"),
    "metadata": client.get_model_metadata("m"),
    "half": outputs["half"].tolist(),
    "whole": outputs["whole"].tolist(),
    "text": [one.decode() for one in client.predict({"s": [b"a", b"b"]}, "text")],
    "refused": refused,
}))
"""


def _halved(x: Any) -> dict[str, Any]:
    return {"half": x / 2, "whole": tf.cast(x, tf.int64)}


def _shouted(s: Any) -> dict[str, Any]:
    return {"o": tf.strings.join([s, "!"])}


@pytest.fixture(params=[False, True], ids=["content", "typed"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[OwnServer]:
    models = {
        "m": save(tmp_path / "m" / "3", serving_default=(_halved, {"x": spec([None, 4])})),
        "text": save(tmp_path / "text", serving_default=(_shouted, {"s": spec([None], tf.string)})),
    }
    with OwnServer(tmp_path / "server", models, typed_values=request.param) as started:
        for name in models:
            started.reach(name)
        yield started


def test_it_asks_for_status_metadata_and_predictions(server: OwnServer) -> None:
    command = [os.environ["INSULA_TEST_OVMSCLIENT"], "-c", _ASK, server.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["half"] == [[0.0, 0.5, 1.0, 1.5], [2.0, 2.5, 3.0, 3.5]]
    assert told["whole"] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert told["text"] == ["a!", "b!"]
    assert told["status"]["3"]["state"] == "AVAILABLE"
    assert told["metadata"]["model_version"] == 3
    assert told["metadata"]["inputs"]["x"] == {"shape": [-1, 4], "dtype": "DT_FLOAT"}
    assert "input x has shape [2, 3] and must have [?, 4]" in told["refused"]
