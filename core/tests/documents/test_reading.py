from __future__ import annotations

from pathlib import Path

import pytest

from insula.documents import parse_document, read_document
from insula.errors import ProjectError, SpecError


def test_the_name_decides_the_format(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1e5}')
    (tmp_path / "a.yaml").write_text("a: 1e5")
    assert read_document(tmp_path / "a.json").data == {"a": 1e5}
    assert read_document(tmp_path / "a.yaml", "it").data == {"a": "1e5"}
    assert read_document(tmp_path / "a.yaml", "it").name == "it"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path, words in [
        (tmp_path / "a.yaml", "no such file"),
        (tmp_path / "file" / "a.yaml", "no such file"),
        (tmp_path, "a folder"),
        (Path("a\0b"), "cannot be read"),
        (tmp_path / ("a" * 5000), "cannot be read"),
    ]:
        with pytest.raises(ProjectError, match=words):
            read_document(path)


@pytest.mark.parametrize(
    "text, message",
    [
        (b"a: 1\nb: \xff", "file:2:4: the file is not UTF-8 (the byte 0xff is not); save it as UTF-8"),
        (b"", "file: the file is empty"),
        (b" \n\n", "file: the file is empty"),
        (b"# comment\n", "file: the file holds nothing but comments or null"),
        (b"text", "file:1: expected a mapping or a list, found a single value"),
    ],
)
def test_what_is_no_document(text: bytes, message: str) -> None:
    with pytest.raises(SpecError) as raised:
        parse_document(text, "file", json=False)
    assert str(raised.value) == message
