from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from lightserver import Array, Echo

from insula_tensorflow.batching import Batcher

LONG = 60.0  # no test waits as long


def rows(count: int, first: float = 0, size: int = 2, dtype: str = "float32") -> Array:
    return np.arange(count * size, dtype=dtype).reshape(count, size) + np.asarray(first, dtype)


def together(batcher: Batcher, requests: Sequence[Array]) -> list[Array | Exception]:
    """Send requests from threads of their own, in this order; return the answers in the same."""
    answers: list[Any] = [None] * len(requests)
    signature = batcher.signatures["serving_default"]

    def ask(number: int) -> None:
        try:
            answers[number] = batcher.predict(signature, {"x": requests[number]})["y"]
        except Exception as error:
            answers[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(len(requests))]
    for number, thread in enumerate(threads):
        thread.start()
        _until(lambda number=number: batcher.requests > number)  # type: ignore[misc]
    for thread in threads:
        thread.join(LONG)
    return answers


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def doubled(inputs: Mapping[str, Array]) -> dict[str, Array]:
    return {"y": inputs["x"] * 2}


def sizes(model: Echo) -> list[int]:
    return [len(call["x"]) for call in model.calls]


def test_requests_are_joined_up_to_the_size_and_each_gets_its_own_rows() -> None:
    model = Echo(shape=(None, 2), function=doubled)
    batcher = Batcher(model, 6, LONG)
    requests = [rows(1, 10), rows(2, 20), rows(3, 30)]
    answers = together(batcher, requests)
    assert [answer.tolist() for answer in answers] == [(2 * one).tolist() for one in requests]
    assert sizes(model) == [6]
    assert (batcher.requests, batcher.runs) == (3, 1)


def test_a_request_does_not_wait_longer_than_the_interval() -> None:
    batcher = Batcher(Echo(shape=(None, 2)), 100, 0.05)
    start = time.monotonic()
    assert together(batcher, [rows(3)])[0].tolist() == rows(3).tolist()
    assert 0.05 <= time.monotonic() - start < LONG


def test_what_does_not_fit_any_more_begins_the_next_run() -> None:
    model = Echo(shape=(None, 2))
    answers = together(Batcher(model, 4, LONG), [rows(3, 1), rows(3, 2), rows(1, 3)])
    assert [answer.tolist() for answer in answers] == [rows(3, 1).tolist(), rows(3, 2).tolist(), rows(1, 3).tolist()]
    assert sorted(sizes(model)) == [3, 4]


@pytest.mark.parametrize("count", [4, 9])
def test_a_request_that_fills_a_run_does_not_wait(count: int) -> None:
    model = Echo(shape=(None, 2))
    together(Batcher(model, 4, LONG), [rows(count)])
    assert sizes(model) == [count]


def test_requests_of_other_shapes_or_dtypes_are_not_joined() -> None:
    model = Echo(shape=None)
    requests = [rows(1, size=2), rows(1, size=3), rows(1, dtype="float64")]
    answers = together(Batcher(model, 3, 0.2), requests)
    assert [answer.shape for answer in answers] == [(1, 2), (1, 3), (1, 2)]
    assert len(model.calls) == 3


def test_a_bad_request_fails_alone() -> None:
    def picky(inputs: Mapping[str, Array]) -> dict[str, Array]:
        if (inputs["x"] < 0).any():
            raise ValueError(f"negative among {len(inputs['x'])}")
        return doubled(inputs)

    batcher = Batcher(Echo(shape=(None, 2), function=picky), 3, LONG)
    good, bad, fine = together(batcher, [rows(1), rows(1, -100), rows(1, 7)])
    assert good.tolist() == (2 * rows(1)).tolist()
    assert fine.tolist() == (2 * rows(1, 7)).tolist()
    assert isinstance(bad, ValueError)
    assert str(bad) == "negative among 1"


def test_requests_for_which_there_is_no_memory_together_run_alone() -> None:
    model = Echo(shape=(None,))
    large = np.broadcast_to(np.float32(1), 2**58)  # without memory of its own
    answers = together(Batcher(model, 2**59, LONG), [large, large])
    assert [getattr(answer, "shape", answer) for answer in answers] == [large.shape] * 2


def test_outputs_that_are_not_by_row_are_of_single_runs() -> None:
    model = Echo(shape=(None, 2), function=lambda inputs: {"y": inputs["x"].sum(axis=0)})
    batcher = Batcher(model, 4, LONG)
    requests = [rows(3), rows(1, 5)]
    assert [answer.tolist() for answer in together(batcher, requests)] == [one.sum(axis=0).tolist() for one in requests]
    # Found out once: these would wait for each other for a minute.
    start = time.monotonic()
    together(batcher, [rows(1)])
    assert time.monotonic() - start < LONG / 2


@pytest.mark.parametrize("shape", [(), (3,), (2, None)])
def test_signatures_without_rows_are_run_alone(shape: tuple[int | None, ...]) -> None:
    model = Echo(shape=shape)
    array = np.zeros([2 if size is None else size for size in shape], np.float32)
    assert together(Batcher(model, 4, LONG), [array])[0].shape == array.shape


def test_inputs_of_unlike_length_are_run_alone() -> None:
    model = Echo(shape=(None,))
    signature = model.signatures["serving_default"]
    model.signatures["serving_default"] = type(signature)(
        "serving_default", {"x": signature.inputs["x"], "z": signature.inputs["x"]}, signature.outputs
    )
    batcher = Batcher(model, 100, LONG)
    inputs = {"x": np.zeros(2, np.float32), "z": np.zeros(3, np.float32)}
    assert len(batcher.predict(batcher.signatures["serving_default"], inputs)["y"]) == 2


def test_every_one_of_many_requests_gets_its_own_answer() -> None:
    model = Echo(shape=(None, 2), function=doubled)
    batcher = Batcher(model, 8, 0.002)
    wrong: list[float] = []

    def ask(worker: int) -> None:
        for turn in range(50):
            request = rows(1 + turn % 3, worker * 1000 + turn)
            answer = batcher.predict(batcher.signatures["serving_default"], {"x": request})["y"]
            if answer.tolist() != (2 * request).tolist():
                wrong.append(worker)

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not wrong
    assert batcher.requests == 200
    assert batcher.runs < 200
