"""A worker that is long in one batch does not keep others from what waits behind it."""

from __future__ import annotations

import pytest


@pytest.mark.timeout(60)
def test_what_waits_behind_a_slow_batch_is_done_by_another_worker(project) -> None:
    project.predictor(
        """
        import time

        class PythonPredictor:
            def predict(self, payload):
                time.sleep(5 if payload == [3] else 0.2)
                return [time.monotonic() for _ in payload]
        """
    )
    times = project.run(range(8), executor="process", batch_size=1, workers=2).predictions
    slow = times.pop(3)
    assert max(times) < slow - 2
