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

_ANY, _WITHIN, _ONE = ".*", "[^/]*", "[^/]"


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Translate a pattern into an expression that is to match a whole path.

    Raises:
        ValueError: if a bracket or brace is not closed, a class is empty or backwards, or a backslash ends the pattern.
    """
    return re.compile(_Translation(pattern).whole(), re.DOTALL)


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

    def whole(self) -> str:
        expression = ""
        braces = 0
        while self.at < len(self.pattern):
            character = self._next()
            if character == "{":
                braces += 1
                expression += "(?:"
            elif character == "}" and braces:
                braces -= 1
                expression += ")"
            elif character == "," and braces:
                expression += "|"
            else:
                expression += self._term(character)
        if braces:
            raise self._fault("{ is not closed")
        return expression

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
        return ValueError(f"the pattern {self.pattern!r} cannot be read: {what}")
