from __future__ import annotations

from typing import Any

import pytest

from insula_tensorflow.durations import seconds


@pytest.mark.parametrize(
    "written, expected",
    [
        ("100ms", 0.1),
        ("2s", 2.0),
        ("1m30s", 90.0),
        ("1.5h", 5400.0),
        ("250us", 0.00025),
        ("7µs", 7e-6),
        (3, 3.0),
        (0.5, 0.5),
    ],
)
def test_durations_are_seconds(written: Any, expected: float) -> None:
    assert seconds(written) == pytest.approx(expected)


@pytest.mark.parametrize("written", ["", "2", "s", "2 s", "2s3", "-1s", "2sec", -1, float("nan"), float("inf"), True])
def test_anything_else_is_refused(written: Any) -> None:
    with pytest.raises(ValueError, match="is no duration, such as 100ms"):
        seconds(written)
