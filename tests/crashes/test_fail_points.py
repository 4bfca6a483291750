"""Each named fail point, killed once before and once after, early and late; then resumed, then checked."""

from __future__ import annotations

import pytest

from insula.failpoints import NAMES

# Which passage of a point is killed: the first, and a later one where every job has one.
PASSAGES = {
    "spool": {"before": (1,), "after": (1,)},
    "split": {"before": (1, 3), "after": (1,)},
    "lease": {"before": (1, 5), "after": (1, 3)},
    "read": {"before": (1, 9), "after": (1, 9)},
    "predict": {"before": (1, 9), "after": (1, 9)},
    "part-write": {"before": (1, 3), "after": (1, 3)},
    "sync": {"before": (1, 3), "after": (1, 3)},
    "report": {"before": (1, 3), "after": (1, 3)},
    "commit": {"before": (1, 2, 3, 4, 9), "after": (1, 2, 3, 4, 9)},
    "export": {"before": (1, 4), "after": (1, 4)},
    "watermark": {"before": (1, 2), "after": (1, 2)},
    "completion": {"before": (1,), "after": (1,)},
    "rename": {"before": (1,), "after": (1,)},
}
IN_WORKERS = {"lease:after", "read", "predict", "part-write", "sync", "report"}
CASES = [
    (name, when, passage) for name, both in PASSAGES.items() for when, passages in both.items() for passage in passages
]


def test_every_point_is_here() -> None:
    assert set(PASSAGES) == set(NAMES)


@pytest.mark.parametrize("name, when, passage", CASES)
def test_a_kill_loses_and_doubles_nothing(trial, name: str, when: str, passage: int) -> None:
    point = f"{name}:{when}:{passage}"
    if name == "spool":
        process = trial.run_items(200, point)
    else:
        trial.write_rows(1000, files=4)
        # The watermark moves every two seconds, and at the end.
        pause = 0.036 if (name, passage) == ("watermark", 2) else 0.004
        process = trial.run(pause, point)
    trial.finish_resuming(process)
    assert trial.once.exists(), f"no process came to {point}"
    trial.check()
    in_worker = name in IN_WORKERS or f"{name}:{when}" in IN_WORKERS
    # The first commit is that of the first epoch.
    begun = 1 if in_worker or point == "commit:before:1" else 2
    assert trial.summary()["coordinators"] == begun


def test_two_points_in_a_row(trial) -> None:
    trial.write_rows(1000, files=4)
    trial.finish(trial.run(0.004, "commit:after:6"), (-9,))
    for point in ("export:after:1", "rename:after:1", "completion:before:1", "completion:after:1"):
        trial.once.unlink()
        trial.finish(trial.resume(point), (-9,))
    trial.finish(trial.resume())
    trial.check()
    assert trial.summary()["coordinators"] == 6
