r"""Patterns of `includes` and `excludes`, as Cortex read them.

They follow gobwas/glob with `/` as the separator, which neither fnmatch (its `*` crosses `/`) nor gitignore (its
patterns need not match the whole path) does:

    *        any characters but /          [abc] [a-z]   one of these characters
    **       any characters                [!abc] [!a-z] one character that is none of these
    ?        one character but /           {a,b*}        one of these patterns
    \c       the character c itself
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Protocol

_ANY, _WITHIN, _ONE = ".*", "[^/]*", "[^/]"


# A regular expression tries every way to share a path out among its stars; more of them than this could take hours.
_MOST_STARS = 2
_MOST_WAYS = 64
_DEEPEST = 20

# An expression for one step, or the choices in a pair of braces.
Node = str | tuple[list[Any], ...]


class Compiled(Protocol):
    """A pattern that can be held against whole paths."""

    def fullmatch(self, string: str, /) -> object:
        """Return something true if the pattern matches."""


def compile_pattern(pattern: str) -> Compiled:
    """Translate a pattern into what is to match a whole path.

    Raises:
        ValueError: if a bracket or brace is not closed, a class is empty or backwards, or a backslash ends the pattern.
    """
    nodes = _Translation(pattern).whole()
    stars, ways = _cost(nodes)
    if stars > _MOST_STARS or ways > _MOST_WAYS:
        return _Stepwise(nodes)
    return re.compile(_expression(nodes), re.DOTALL)


def _cost(nodes: list[Node]) -> tuple[int, int]:
    """Return how many stars there are, and in how many ways the braces can be read."""
    stars, ways = 0, 1
    for node in nodes:
        if isinstance(node, str):
            stars += node in (_ANY, _WITHIN)
        else:
            below = [_cost(choice) for choice in node]
            stars, ways = stars + sum(one for one, _ in below), ways * sum(one for _, one in below)
    return stars, ways


def _expression(nodes: list[Node]) -> str:
    return "".join(
        node if isinstance(node, str) else f"(?:{'|'.join(_expression(choice) for choice in node)})" for node in nodes
    )


class _Stepwise:
    """Matches step by step, knowing after each where in the path it can have ended: slower, and never slow."""

    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes

    def fullmatch(self, path: str, /) -> bool:
        return len(path) in _after(self._nodes, path, {0})


def _after(nodes: list[Node], path: str, places: set[int]) -> set[int]:
    for node in nodes:
        if not places:
            break
        if not isinstance(node, str):
            places = set().union(*(_after(choice, path, places) for choice in node))
        elif node == _ANY:
            places = set(range(min(places), len(path) + 1))
        elif node == _WITHIN:
            places = _within(path, places)
        else:
            fits = re.compile(node, re.DOTALL).match
            places = {place + 1 for place in places if fits(path, place)}
    return places


def _within(path: str, places: set[int]) -> set[int]:
    reached: set[int] = set()
    for place in places:
        while place not in reached:
            reached.add(place)
            if path[place : place + 1] not in ("", "/"):
                place += 1
    return reached


def chooser(includes: Sequence[str], excludes: Sequence[str]) -> Callable[[str], bool]:
    """Return what says whether a path is wanted: one of `includes` (if any are given) matches, none of `excludes` does."""
    wanted = [compile_pattern(pattern) for pattern in includes]
    unwanted = [compile_pattern(pattern) for pattern in excludes]

    def chosen(path: str) -> bool:
        if any(pattern.fullmatch(path) for pattern in unwanted):
            return False
        return not wanted or any(pattern.fullmatch(path) for pattern in wanted)

    return chosen


class _Translation:
    """One pass over a pattern."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def whole(self) -> list[Node]:
        # The choices of each pair of braces that is open, the last of which grows; the pattern itself is the first.
        opened: list[list[list[Node]]] = [[[]]]
        while self.at < len(self.pattern):
            character = self._next()
            if character == "{":
                opened.append([[]])
            elif character == "}" and len(opened) > 1:
                choices = tuple(opened.pop())
                opened[-1][-1].append(choices)
            elif character == "," and len(opened) > 1:
                opened[-1].append([])
            else:
                opened[-1][-1].append(self._term(character))
            if len(opened) > _DEEPEST:
                raise self._fault(f"more than {_DEEPEST - 1} braces are inside each other")
        if len(opened) > 1:
            raise self._fault("{ is not closed")
        return opened[0][0]

    def _term(self, character: str) -> str:
        if character == "*":
            return self._stars()
        if character == "?":
            return _ONE
        if character == "[":
            return self._class()
        return re.escape(self._literal(character))

    def _stars(self) -> str:
        stars = 1
        while self._peek() == "*":
            self.at += 1
            stars += 1
        return _ANY if stars > 1 else _WITHIN

    def _class(self) -> str:
        negated = "^" if self._peek() == "!" else ""
        self.at += len(negated)
        ranges = ""
        while self._peek() != "]":
            ranges += self._range()
        self.at += 1
        if not ranges:
            raise self._fault("[] holds no character")
        return f"[{negated}{ranges}]"

    def _range(self) -> str:
        low = high = self._literal(self._next_in_class())
        if self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in ("", "]"):
            self.at += 1
            high = self._literal(self._next_in_class())
        if high < low:
            raise self._fault(f"the range {low}-{high} is backwards")
        return re.escape(low) if low == high else f"{re.escape(low)}-{re.escape(high)}"

    def _literal(self, character: str) -> str:
        if character != "\\":
            return character
        if self.at == len(self.pattern):
            raise self._fault("nothing follows the last backslash")
        return self._next()

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _next(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def _next_in_class(self) -> str:
        if self.at == len(self.pattern):
            raise self._fault("[ is not closed")
        return self._next()

    def _fault(self, what: str) -> ValueError:
        return ValueError(f"the pattern {self.pattern[:200]!r} cannot be read: {what}")
