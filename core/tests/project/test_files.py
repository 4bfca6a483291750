from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import ProjectError
from insula.project import files
from insula.project.files import changed, changed_files, fingerprint, project_files


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def names(root: Path) -> list[str]:
    return [path.as_posix() for path in project_files(root)]


def test_which_files(tmp_path: Path) -> None:
    make(
        tmp_path,
        "predictor.py", "cortex.yaml", ".env", ".git/config", ".hidden", ".cortexignore", "job.json",
        "src/a.py", "src/a.pyc", "src/__pycache__/a.cpython-311.pyc", "src/__pycache__/b.txt", "src/.env",
        "src/cortex.yaml", "src/.hidden/a", "env/a.pyo", "model.onnx",
    )  # fmt: skip
    (tmp_path / ".cortexignore").write_text("")
    (tmp_path / "venv").mkdir()
    assert names(tmp_path) == [
        ".env",
        "job.json",
        "model.onnx",
        "predictor.py",
        "src/.env",
        "src/a.py",
        "src/cortex.yaml",
    ]


def test_a_folder_named_env_is_a_virtual_environment(tmp_path: Path) -> None:
    make(tmp_path, ".env/bin/python", "a")
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize(
    "patterns, left",
    [
        ("*.bin", ["a.txt", "data/c.txt", "data/deep/d.txt"]),
        ("# comment\n\ndata/", ["a.txt", "b.bin"]),
        ("/data/*\n!/data/deep", ["a.txt", "b.bin", "data/deep/d.txt"]),
        ("data\n!data/c.txt", ["a.txt", "b.bin"]),
        ("*.txt\n!a.txt", ["a.txt", "b.bin"]),
        ("data/**/d.txt\r\nb.*\r\n", ["a.txt", "data/c.txt"]),
        ("\ufeffa.txt", ["b.bin", "data/c.txt", "data/deep/d.txt"]),
        ("*", []),
    ],
)
def test_cortexignore(tmp_path: Path, patterns: str, left: list[str]) -> None:
    make(tmp_path, "a.txt", "b.bin", "data/c.txt", "data/deep/d.txt")
    (tmp_path / ".cortexignore").write_text(patterns)
    assert names(tmp_path) == left


def test_a_faulty_cortexignore(tmp_path: Path) -> None:
    (tmp_path / ".cortexignore").write_text("*.txt\n!\n")
    with pytest.raises(ProjectError, match=r"\.cortexignore:2: '!'"):
        project_files(tmp_path)
    (tmp_path / ".cortexignore").write_bytes(b"\xff")
    with pytest.raises(ProjectError, match="not UTF-8"):
        project_files(tmp_path)


def test_links(tmp_path: Path) -> None:
    project, shared = tmp_path / "project", tmp_path / "shared"
    make(project, "a/file")
    make(shared, "data/one")
    (project / "a/up").symlink_to(project)
    (project / "a/self").symlink_to(project / "a")
    (project / "circle").symlink_to(project / "circle")
    (project / "nowhere").symlink_to(tmp_path / "nowhere")
    (project / "first").symlink_to(shared)
    (project / "second").symlink_to(shared)
    (project / "linked").symlink_to(shared / "data/one")
    assert names(project) == ["a/file", "first/data/one", "linked", "second/data/one"]


def test_what_would_hang_its_reader_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    make(tmp_path, "a")
    assert names(tmp_path) == ["a"]
    assert set(fingerprint(tmp_path, {})) == {"a", "cortex.yaml"}


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="nowhere"):
        project_files(tmp_path / "nowhere")


def test_fingerprint(tmp_path: Path) -> None:
    make(tmp_path, "a", "b/c", "d", "cortex.yaml")
    before = fingerprint(tmp_path, {"name": "x", "config": {"a": 1, "b": 2}})
    assert list(before) == ["cortex.yaml", "a", "b/c", "d"]
    assert fingerprint(tmp_path, {"config": {"b": 2, "a": 1}, "name": "x"}) == before
    (tmp_path / "a").touch()
    (tmp_path / "cortex.yaml").write_text("other comment")
    assert fingerprint(tmp_path, {"name": "x", "config": {"a": 1, "b": 2}}) == before
    (tmp_path / "a").write_text("changed")
    (tmp_path / "d").unlink()
    make(tmp_path, "e")
    after = fingerprint(tmp_path, {"name": "y"})
    assert changed(before, after) == ["a", "cortex.yaml", "d", "e"]
    assert changed_files(tmp_path, before) == ["a", "d"]
    assert changed(before, before) == []


def test_large_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LARGEST_HASHED", 10)
    (tmp_path / "large").write_text("x" * 11)
    os.utime(tmp_path / "large", ns=(1, 1))
    before = fingerprint(tmp_path, {})
    (tmp_path / "large").write_text("y" * 11)
    os.utime(tmp_path / "large", ns=(1, 1))
    assert changed_files(tmp_path, before) == []
    os.utime(tmp_path / "large", ns=(2, 2))
    assert changed_files(tmp_path, before) == ["large"]


def test_names_that_are_not_utf8_can_be_written_as_json(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff")).write_text("")
    assert json.dumps(fingerprint(tmp_path, {}), ensure_ascii=False).encode()


@given(st.lists(st.text(st.characters(exclude_characters="\n\r")) | st.text(alphabet="a/*!?[]\\# .-^")))
def test_any_patterns_exclude_or_are_refused(lines: list[str]) -> None:
    with suppress(ProjectError):
        excluded = files._patterns(lines)
        assert {bool(excluded(name)) for name in ("a", "a/b.txt", "é/")} <= {True, False}


def test_a_name_that_is_not_utf8_is_found_again(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.bin")).write_bytes(b"1")
    before = fingerprint(tmp_path, {})
    json.dumps(before).encode()
    assert changed_files(tmp_path, before) == []
    (tmp_path / os.fsdecode(b"caf\xe9.bin")).write_bytes(b"2")
    assert len(changed_files(tmp_path, before)) == 1
