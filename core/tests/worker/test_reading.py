from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from insula.descriptors import Payload
from insula.spec import BatchRef, Extent, Input
from insula.worker import reading
from insula.worker.cell import Cell, look
from insula.worker.reading import Reader

REFERENCES = [BatchRef(number, number * 2, 2, (Extent(0, number, number + 1),)) for number in range(5)]


class Hooks:
    """A source whose read function is given."""

    def __init__(self, read: Any) -> None:
        self.read = read

    def wrong_answer(self, name: str, wanted: Any, found: Any) -> Exception:
        return TypeError(f"{name} answered {found!r}")


def read_all(inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload]:
    return (Payload([reference.ordinal]) for reference in references)


@pytest.fixture(params=["here", "ahead"])
def make(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Make a reader that reads in this thread, or in one of its own."""

    def make(read: Any) -> Reader:
        reader = Reader(Hooks(read), {}, Cell(tmp_path / "cell"))
        monkeypatch.setattr(reading, "_WORTH_A_THREAD", -1.0 if request.param == "ahead" else 1e9)
        return reader

    return make


def test_each_batch_gets_its_payload(make) -> None:
    assert [payload.samples for payload in make(read_all).read(REFERENCES)] == [[0], [1], [2], [3], [4]]


def test_a_batch_that_cannot_be_read_fails_alone(make) -> None:
    def read(inputs: Any, references: Sequence[BatchRef]) -> Iterator[Payload]:
        for reference in references:
            if reference.ordinal in (1, 4):
                raise ValueError(f"not {reference.ordinal}")
            yield Payload([reference.ordinal])

    found = [str(one) if isinstance(one, Exception) else one.samples for one in make(read).read(REFERENCES)]
    assert found == [[0], "not 1", [2], [3], "not 4"]


def test_a_source_that_answers_too_little_fails_the_rest(make) -> None:
    found = list(make(lambda inputs, references: iter([Payload([0])])).read(REFERENCES[:2]))
    assert found[0].samples == [0]
    assert str(found[1]) == "the source answered 1 payloads for 2 batches"


@pytest.mark.parametrize("answer", [None, ValueError("at once")])
def test_a_source_that_fails_before_its_first_payload_fails_batches(make, answer: Any) -> None:
    def read(inputs: Any, references: Any) -> Any:
        if answer is not None:
            raise answer

    found = [str(one) for one in make(read).read(REFERENCES)]
    assert found == ["insula_read answered None" if answer is None else "at once"] * 5


def test_what_no_batch_answers_for_is_raised_and_does_not_hang(make) -> None:
    def read(inputs: Any, references: Any) -> Iterator[Payload]:
        yield Payload([0])
        raise SystemExit(3)

    found: list[Any] = []

    def consume() -> None:
        try:
            found.extend(make(read).read(REFERENCES))
        except SystemExit as error:
            found.append(error)

    thread = threading.Thread(target=consume, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert isinstance(found[-1], SystemExit)


def test_the_cell_says_what_is_read(tmp_path: Path) -> None:
    seen = []

    def read(inputs: Any, references: Sequence[BatchRef]) -> Iterator[Payload]:
        for _ in references:
            _, doing = look(tmp_path / "cell")
            seen.append((doing.ordinal, doing.skip))
            yield Payload([])

    list(Reader(Hooks(read), {}, Cell(tmp_path / "cell")).read(REFERENCES[:3], skip=7))
    assert seen == [(0, 7), (1, 7), (2, 7)]
    assert look(tmp_path / "cell") == (None, None)
