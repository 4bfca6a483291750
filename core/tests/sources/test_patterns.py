import contextlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.sources.patterns import chooser, compile_pattern

CASES = [
    # pattern, what it matches, what it does not
    ("a.jpg", ["a.jpg"], ["A.jpg", "aXjpg", "x/a.jpg", "a.jpgx"]),
    ("*.jpg", ["a.jpg", ".jpg"], ["d/a.jpg", "a.png"]),
    ("**.jpg", ["a.jpg", "s3://b/d/a.jpg", "/x/y.jpg"], ["a.jpg.gz"]),
    ("d/**", ["d/", "d/a", "d/e/f"], ["d", "e/d/a"]),
    ("**/a", ["/a", "x/y/a"], ["a"]),
    ("*/*/a", ["x/y/a", "//a"], ["x/a", "x/y/z/a"]),
    ("***", ["", "a/b"], []),
    ("?", ["a", "é"], ["", "/", "ab"]),
    ("a?c", ["abc"], ["a/c", "ac"]),
    ("[abc]", ["a", "c"], ["d", "", "ab"]),
    ("[a-c]x", ["bx"], ["dx", "-x"]),
    ("[a-cx-z]", ["b", "y"], ["m"]),
    ("[!a]", ["b", "/"], ["a", ""]),
    ("[!a-c]", ["d"], ["b"]),
    ("[a!]", ["a", "!"], ["b"]),
    ("[a-]", ["a", "-"], ["b"]),
    ("[-a]", ["a", "-"], ["b"]),
    ("[*?]", ["*", "?"], ["a"]),
    ("[^a]", ["^", "a"], ["b"]),
    ("[\\]\\-]", ["]", "-"], ["\\"]),
    ("[[]", ["["], ["]"]),
    ("[&&a]", ["&", "a"], ["b"]),
    ("{a,b}", ["a", "b"], ["c", "{a,b}", "ab"]),
    ("{a,}x", ["ax", "x"], ["bx"]),
    ("{}", [""], ["{}"]),
    ("{a*,**/b}", ["ac", "x/y/b"], ["a/c"]),
    ("{a,{b,c}}d", ["ad", "cd"], ["d"]),
    ("**.{jpg,png}", ["x/y.png"], ["x/y.gif"]),
    ("a,b", ["a,b"], ["a"]),
    ("a}", ["a}"], ["a"]),
    ("a]", ["a]"], ["a"]),
    ("\\*", ["*"], ["a", "\\*"]),
    ("\\{a\\,b\\}", ["{a,b}"], ["a"]),
    ("{a\\,b}", ["a,b"], ["a"]),
    ("\\\\", ["\\"], ["\\\\"]),
    ("a.+(b)$|^", ["a.+(b)$|^"], ["aab"]),
    ("a*\n", ["ab\n"], ["ab"]),
    ("**", ["a\nb"], []),
    ("", [""], ["a"]),
]


@pytest.mark.parametrize("pattern, matching, others", CASES)
def test_a_pattern_matches_what_cortex_matched(pattern: str, matching: list[str], others: list[str]) -> None:
    compiled = compile_pattern(pattern)
    assert [path for path in matching if not compiled.fullmatch(path)] == []
    assert [path for path in others if compiled.fullmatch(path)] == []


@pytest.mark.parametrize(
    "pattern, cause",
    [
        ("[ab", "[ is not closed"),
        ("[", "[ is not closed"),
        ("[a-", "[ is not closed"),
        ("[!]", "[] holds no character"),
        ("[]", "[] holds no character"),
        ("[z-a]", "the range z-a is backwards"),
        ("{a,b", "{ is not closed"),
        ("a\\", "nothing follows the last backslash"),
        ("[\\", "nothing follows the last backslash"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_named(pattern: str, cause: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"the pattern {pattern!r} cannot be read: {cause}")):
        compile_pattern(pattern)


@given(st.text(alphabet=st.sampled_from("ab/*?[]{}!-,\\^&|~.é\n"), max_size=12), st.text("ab/-,\n", max_size=6))
def test_any_text_is_a_pattern_or_a_value_error(pattern: str, path: str) -> None:
    with contextlib.suppress(ValueError):
        compile_pattern(pattern).fullmatch(path)


@given(st.text())
def test_an_escaped_text_matches_itself_alone(text: str) -> None:
    compiled = compile_pattern("".join(f"\\{character}" for character in text))
    assert compiled.fullmatch(text)
    assert not compiled.fullmatch(text + "a")


@pytest.mark.parametrize(
    "includes, excludes, chosen",
    [
        ([], [], ["a.jpg", "d/b.jpg", "d/c.txt"]),
        (["**.jpg"], [], ["a.jpg", "d/b.jpg"]),
        ([], ["d/*"], ["a.jpg"]),
        (["**.jpg"], ["**/b.*"], ["a.jpg"]),
        (["a*", "**.txt"], [], ["a.jpg", "d/c.txt"]),
        (["**"], ["**"], []),
    ],
)
def test_excludes_win_over_includes(includes: list[str], excludes: list[str], chosen: list[str]) -> None:
    assert list(filter(chooser(includes, excludes), ["a.jpg", "d/b.jpg", "d/c.txt"])) == chosen


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("{*,a}" * 12 + "x", "a" * 200),
        ("*a" * 30 + "x", "a" * 400),
        ("**a*/" * 12 + "x", "aa/" * 100),
        ("{**,{*,a{**,b}}}" * 9 + "x", "ab/" * 100),
    ],
)
def test_many_stars_take_no_time(pattern: str, path: str) -> None:
    # A regular expression would take years.
    matcher = compile_pattern(pattern)
    assert not matcher.fullmatch(path)
    assert matcher.fullmatch(f"{path}x")


def test_braces_too_deep() -> None:
    with pytest.raises(ValueError, match="braces are inside each other"):
        compile_pattern("{" * 3000 + "}" * 3000)
