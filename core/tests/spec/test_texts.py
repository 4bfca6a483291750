from __future__ import annotations

import pytest

from insula.spec.texts import check_environment, check_path, is_passable, is_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a/b", True),
        ("é", True),
        ("\udcff", True),
        ("", False),
        ("a\0", False),
        ("\ud800", False),
        ("a" * 255, True),
        ("a" * 256, False),
        ("s3://bucket/" + "a" * 256, True),
        ("a/" * 3000, False),
    ],
)
def test_paths(text: str, path: bool) -> None:
    assert is_path(text) is path
    if text and not path:
        with pytest.raises(ValueError, match="is not a path"):
            check_path(None, None, text)


def test_what_is_left_out_is_passed_over() -> None:
    check_path(None, None, None)
    check_path(None, None, "")
    assert is_passable("")


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "\0"), ("A", "\ud800")])
def test_variables_that_no_environment_can_hold(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="variable|value"):
        check_environment(None, None, {"GOOD": "", name: value})
