"""Patterns of `includes` and `excludes`, against a matcher that is slow and plain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from insula.sources.patterns import chooser

pytestmark = pytest.mark.timeout(1200)
fuzz = settings.get_profile("fuzz")

patterns = st.text("ab/*?[]{}!-,\\.é", max_size=12) | st.lists(
    st.sampled_from(("*", "**", "?", "[ab]", "[!a]", "[a-b]", "{a,b}", "{*,/}", "{a*,{b,}}", "\\*", "a", "b", "/", "é")),
    max_size=10,
).map("".join)  # fmt: skip
paths = st.text("ab/.-*é\n", max_size=12)


class Malformed(Exception):
    """A pattern that says nothing."""


Node = tuple[str, object]


def parse(pattern: str, at: int = 0, *, inside: bool = False) -> tuple[list[list[Node]], int]:
    """Return the choices, each a sequence of nodes, that a pattern (or what is in its braces) means; and where it ends."""
    choices: list[list[Node]] = [[]]
    while at < len(pattern):
        character, at = pattern[at], at + 1
        if character == "*":
            double = pattern[at : at + 1] == "*"
            while pattern[at : at + 1] == "*":
                at += 1
            choices[-1].append(("any", double))
        elif character == "?":
            choices[-1].append(("one", None))
        elif character == "[":
            node, at = parse_class(pattern, at)
            choices[-1].append(node)
        elif character == "{":
            below, at = parse(pattern, at, inside=True)
            choices[-1].append(("choice", below))
        elif character == "}" and inside:
            return choices, at
        elif character == "," and inside:
            choices.append([])
        else:
            if character == "\\":
                if at == len(pattern):
                    raise Malformed
                character, at = pattern[at], at + 1
            choices[-1].append(("character", character))
    if inside:
        raise Malformed
    return choices, at


def parse_class(pattern: str, at: int) -> tuple[Node, int]:
    negated = pattern[at : at + 1] == "!"
    at += negated
    ranges: list[tuple[str, str]] = []

    def member() -> str:
        nonlocal at
        if pattern[at : at + 1] == "\\":
            at += 1
        if at >= len(pattern):
            raise Malformed
        at += 1
        return pattern[at - 1]

    while pattern[at : at + 1] != "]":
        low = high = member()
        if pattern[at : at + 1] == "-" and pattern[at + 1 : at + 2] not in ("", "]"):
            at += 1
            high = member()
        if high < low:
            raise Malformed
        ranges.append((low, high))
    if not ranges:
        raise Malformed
    return ("class", (negated, ranges)), at + 1


def ends(nodes: list[Node], path: str, start: int) -> Iterator[int]:
    """Yield everywhere that a sequence of nodes can end, when it begins at `start`."""
    reached = {start}
    for kind, value in nodes:
        reached = {stop for place in reached for stop in steps(kind, value, path, place)}
    yield from reached


def steps(kind: str, value: object, path: str, at: int) -> Iterator[int]:
    here = path[at : at + 1]
    if kind == "any":
        yield at
        while at < len(path) and (value or path[at] != "/"):
            at += 1
            yield at
    elif kind == "choice":
        assert isinstance(value, list)
        for choice in value:
            yield from ends(choice, path, at)
    elif here and fits(kind, value, here):
        yield at + 1


def fits(kind: str, value: object, character: str) -> bool:
    if kind == "class":
        assert isinstance(value, tuple)
        negated, ranges = value
        return negated != any(low <= character <= high for low, high in ranges)
    return character != "/" if kind == "one" else character == value


def slowly(pattern: str, path: str) -> bool:
    choices, _ = parse(pattern)
    return any(len(path) in ends(choice, path, 0) for choice in choices)


@fuzz
@given(patterns, paths)
@example("{*,a}" * 12 + "x", "a" * 40)
@example("*a" * 20 + "x", "a" * 60)
@example("**a*/" * 12 + "x", "aa/" * 40)
@example("{**,{*,a{**,b}}}" * 9 + "x", "ab/" * 30)
def test_patterns(pattern: str, path: str) -> None:
    try:
        wanted = slowly(pattern, path)
    except Malformed:
        with pytest.raises(ValueError, match="the pattern .* cannot be read: "):
            chooser([pattern], [])
        return
    assert chooser([pattern], [])(path) is wanted
    assert chooser([], [pattern])(path) is not wanted
