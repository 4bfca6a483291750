"""`.env` and `.cortexignore`, whatever is in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insula.errors import ProjectError
from insula.project.dotenv import parse_dotenv
from insula.project.files import project_files

pytestmark = pytest.mark.timeout(1200)
fuzz = settings.get_profile("fuzz")

ENV = (
    *("\n", "\n", "=", "=", "A", "B", "export ", "export", "#", " #", " ", "\t", "\r\n", "\r", "1", "_", "é"),
    *("\0", "\\", "\\\n", "'", '"', "$A", "${A}", "${A:-x}", "$(x)", "`x`", "$", "${", "\\$", "\\n", "\ufeff"),
    *("\x85", "\u2028", "x" * 200),
)  # fmt: skip
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@fuzz
@given(st.lists(st.sampled_from(ENV), max_size=30).map("".join) | st.text(max_size=40))
def test_dotenv(text: str) -> None:
    lines: list[str] = []
    variables: dict[str, str] = {}
    try:
        variables = parse_dotenv(text, {"A": "a"})
    except ProjectError as error:
        lines = str(error).split("\n")
    if lines:
        assert all(re.match(r"\.env:\d+: ", line) and len(line) < 900 for line in lines), lines
        numbers = [int(line.split(":")[1]) for line in lines]
        assert numbers == sorted(numbers)
        assert numbers[-1] <= text.count("\n") + 1
    assert all(NAME.fullmatch(name) and "\0" not in value for name, value in variables.items())


@fuzz
@given(st.text(st.characters(exclude_characters="'\0\r\n", exclude_categories=["Cs"]), max_size=20))
def test_what_is_quoted_comes_as_it_stands(value: str) -> None:
    assert parse_dotenv(f"export A='{value}' # '\nB=\"${{A}}\"\n", {}) == {"A": value, "B": value}


IGNORE = (
    *("\n", "\n", "*", "**", "/", "?", "!", "#", "\\", "\\ ", " ", "  \n", "[", "]", "[!", "[^", "[a-z]", "[z-a]"),
    *("[[:alpha:]]", "a", "b", ".py", "a/", "/a", "a/**", "**/b", "***", "\0", "\t", "\r\n", "\ufeff", "é"),
    *("{a,b}", "(", ")", "|", "+", "$", "^"),
)  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in ("a", "b.py", "c/a", "c/b/d.txt", "é", "[x]", ".env", ".hidden", "cortex.yaml"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder


@fuzz
@given(
    lines=st.lists(st.sampled_from(IGNORE), max_size=20).map("".join).map(str.encode)
    | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.binary(max_size=20)
)
def test_cortexignore(project: Path, lines: bytes) -> None:
    (project / ".cortexignore").write_bytes(b"")
    everything = set(project_files(project))
    (project / ".cortexignore").write_bytes(lines)
    message, found = "", list[Path]()
    try:
        found = project_files(project)
    except ProjectError as error:
        message = str(error)
    if message:
        assert ".cortexignore" in message
        assert len(message) < 400
    assert found == sorted(set(found), key=str)
    assert set(found) <= everything
