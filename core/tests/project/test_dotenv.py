from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import ProjectError
from insula.project.dotenv import parse_dotenv, read_dotenv

ENVIRONMENT = {"HOME": "/home/me", "EMPTY": ""}


@pytest.mark.parametrize(
    "text, variables",
    [
        ("", {}),
        ("# comment\n\n  \n", {}),
        ("A=1", {"A": "1"}),
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB='2'\r\n", {"A": "1", "B": "2"}),
        ("  A = 1  ", {"A": "1"}),
        ("A=", {"A": ""}),
        ("A=''", {"A": ""}),
        ('A=""', {"A": ""}),
        ("A=1\nA=2", {"A": "2"}),
        ("export A=1", {"A": "1"}),
        ("export\tA=1", {"A": "1"}),
        ("export A", {}),
        ("export=1", {"export": "1"}),
        ("A=b c", {"A": "b c"}),
        ("A=b=c", {"A": "b=c"}),
        ("A=1 # comment", {"A": "1"}),
        ("A= # comment", {"A": ""}),
        ("A=#1", {"A": "#1"}),
        ("A=1#2", {"A": "1#2"}),
        ("A='1' # comment", {"A": "1"}),
        ("A='a # b'", {"A": "a # b"}),
        ('A="a # b"', {"A": "a # b"}),
        ("A='$HOME `x` $(x) \\n'", {"A": "$HOME `x` $(x) \\n"}),
        ('A="a\\nb\\t\\"\\$\\\\c\\d"', {"A": 'a\nb\t"$\\c\\d'}),
        ("A='one\ntwo'\nB=2", {"A": "one\ntwo", "B": "2"}),
        ('A="one\ntwo"\nB=2', {"A": "one\ntwo", "B": "2"}),
        ("A=C:\\path\\$HOME", {"A": "C:\\path$HOME"}),
        ("A=it\\'s", {"A": "it's"}),
        ("A='a'b\"c\"", {"A": "abc"}),
        ("A=a'b c'd", {"A": "ab cd"}),
        ("A=$HOME/x", {"A": "/home/me/x"}),
        ("A=${HOME}x", {"A": "/home/mex"}),
        ('A="$HOME/x"', {"A": "/home/me/x"}),
        ("A=1\nB=$A$A", {"A": "1", "B": "11"}),
        ("HOME=/x\nB=$HOME", {"HOME": "/x", "B": "/x"}),
        ("A=[$UNSET$EMPTY]", {"A": "[]"}),
        ("A=$", {"A": "$"}),
        ("A=$1 5$", {"A": "$1 5$"}),
        ("A=\\$HOME", {"A": "$HOME"}),
        ("A=é", {"A": "é"}),
        ('A={"a": 1}', {"A": "{a: 1}"}),
        ("A='{\"a\": 1}'", {"A": '{"a": 1}'}),
    ],
)
def test_variables(text: str, variables: dict[str, str]) -> None:
    assert parse_dotenv(text, ENVIRONMENT) == variables


@pytest.mark.parametrize(
    "text, message",
    [
        ("A=$(date)", ".env:1: commands are not run"),
        ('A=1\nB="$(date)"', ".env:2: commands are not run"),
        ("A=`date`", ".env:1: commands are not run"),
        ('A="`date`"', ".env:1: commands are not run"),
        ("A='1", ".env:1: the quote ' is not closed"),
        ('A="1\nB=2', '.env:1: the quote " is not closed'),
        ("A", ".env:1: expected NAME=value, found no = behind A"),
        ("A: 1", ".env:1: 'A:' is not a name"),
        ("1A=1", ".env:1: '1A' is not a name"),
        ("A-B=1", ".env:1: 'A-B' is not a name"),
        ("=1", ".env:1: '' is not a name"),
        ("export export A=1", ".env:1: expected NAME=value, found no = behind export"),
        ("A=${HOME:-x}", ".env:1: expected ${NAME}"),
        ("A=${}", ".env:1: expected ${NAME}"),
        ("A=${HOME", ".env:1: expected ${NAME}"),
        ("A=\0", ".env:1: a value cannot hold a NUL character"),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        parse_dotenv(text, ENVIRONMENT)
    assert str(raised.value).startswith(message)


def test_all_faults_at_once() -> None:
    with pytest.raises(ProjectError) as raised:
        parse_dotenv("A='one\ntwo'\n\nB=`x`\nC=1\nD", {})
    assert [line.split(": ")[0] for line in str(raised.value).splitlines()] == [".env:4", ".env:6"]


def test_reading(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path, {}) == {}
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfA=1\n")
    assert read_dotenv(tmp_path, {}) == {"A": "1"}
    (tmp_path / ".env").write_bytes(b"A=\xff")
    with pytest.raises(ProjectError, match="not UTF-8"):
        read_dotenv(tmp_path, {})
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()
    assert read_dotenv(tmp_path, {}) == {}


@given(st.text() | st.text(alphabet="AB=$(){}`'\"\\ #\n\texport"))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ProjectError):
        variables = parse_dotenv(text, ENVIRONMENT)
        assert all(name.isidentifier() and "\0" not in value for name, value in variables.items())


@given(
    st.dictionaries(st.from_regex(r"[A-Z_]{1,5}", fullmatch=True), st.text(st.characters(exclude_characters="'\0\r")))
)
def test_what_is_quoted_comes_back(variables: dict[str, str]) -> None:
    assert parse_dotenv("\n".join(f"{name}='{value}'" for name, value in variables.items()), {}) == variables
