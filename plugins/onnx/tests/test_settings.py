from __future__ import annotations

from typing import Any

import pytest

from insula_onnx.settings import OnnxSettings, Section


def test_the_section_may_be_left_out() -> None:
    assert Section().onnx == OnnxSettings()


@pytest.mark.parametrize(
    "fields, told",
    [
        ({"providers": ()}, "providers is empty"),
        ({"providers": ("A",), "provider_options": {"B": {}}}, "provider_options names B, which providers does not"),
        ({"intra_op_threads": 0}, "intra_op_threads must be at least 1, not 0"),
    ],
)
def test_wrong_settings_are_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        OnnxSettings(**fields)
