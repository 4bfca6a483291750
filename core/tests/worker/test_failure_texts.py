from __future__ import annotations

from insula.worker.tracebacks import describe


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def test_half_a_character() -> None:
    failure = describe(ValueError("\ud800"))
    assert (failure.type, failure.message) == ("ValueError", "\\ud800")


def test_a_text_that_cannot_be_had() -> None:
    assert describe(Mute()).message == "<its text cannot be had: RuntimeError>"


def test_a_very_long_text_keeps_both_ends() -> None:
    message = describe(ValueError(f"begin{'x' * 10**6}end")).message
    assert len(message) < 21_000
    assert message.startswith("beginxx")
    assert message.endswith("xxend")
    assert "980,008 characters left out" in message
