from __future__ import annotations

import json

from insula.plugins import Reference
from insula.plugins.checking import HOOKS
from insula.plugins.reference import ROLES

ONNX = Reference("insula.predictors", "onnx", "insula_onnx.plugin:plugin", "insula-onnx", "0.1.0")


def test_a_reference_survives_json() -> None:
    assert Reference.from_plain(json.loads(json.dumps(ONNX.to_plain()))) == ONNX


def test_a_reference_reads_as_a_user_would_say_it() -> None:
    assert str(ONNX) == 'predictor type "onnx" (insula-onnx 0.1.0)'
    assert ONNX.offer == "insula-onnx 0.1.0 (insula_onnx.plugin:plugin)"


def test_every_role_is_described_by_a_hook_that_exists() -> None:
    assert {role.descriptor for role in ROLES.values()} - {None} <= set(HOOKS)
