from __future__ import annotations

import pytest

from insula.executors.interface import Cause


@pytest.mark.parametrize(
    "cause, told",
    [
        (Cause(code=3), "ended with exit code 3"),
        (Cause(signal=9), "was killed by SIGKILL"),
        (Cause(signal=40), "was killed by signal 40"),
        (Cause(code=1, text="lost its machine"), "lost its machine"),
    ],
)
def test_how_a_worker_ended(cause: Cause, told: str) -> None:
    assert str(cause) == told
