import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from insula.errors import SourceError
from insula.sources.listing import list_files


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.jsonl", "a.jsonl", "d/e/z.jsonl", "d/x.txt", "d/.hidden"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "empty").mkdir()
    return tmp_path


def names(tree: Path, *paths: str, includes: Sequence[str] = (), excludes: Sequence[str] = ()) -> list[str]:
    return [os.path.relpath(found.uri, tree) for found in list_files(paths, includes, excludes, tree)]


def fault(tree: Path, *paths: str) -> str:
    with pytest.raises(SourceError) as caught:
        list_files(paths, [], [], tree)
    return str(caught.value).replace(str(tree), "TREE")


def test_an_input_has_an_absolute_path_a_size_and_a_stamp(tree: Path) -> None:
    (found,) = list_files(["./d/../a.jsonl"], [], [], tree)
    status = (tree / "a.jsonl").stat()
    assert (found.uri, found.size, found.stamp) == (str(tree / "a.jsonl"), 7, str(status.st_mtime_ns))
    assert found.name is None


def test_paths_keep_their_order_and_folders_are_sorted_by_name(tree: Path) -> None:
    assert names(tree, "b.jsonl", "a.jsonl") == ["b.jsonl", "a.jsonl"]
    assert names(tree, "d", "a.jsonl") == ["d/.hidden", "d/e/z.jsonl", "d/x.txt", "a.jsonl"]
    assert names(tree, str(tree / "a.jsonl")) == ["a.jsonl"]
    assert names(tree, f"file://{tree}/a.jsonl") == ["a.jsonl"]


def test_globs_are_expanded_and_sorted(tree: Path) -> None:
    assert names(tree, "*.jsonl") == ["a.jsonl", "b.jsonl"]
    assert names(tree, "**/*.jsonl") == ["a.jsonl", "b.jsonl", "d/e/z.jsonl"]
    assert names(tree, "d*") == ["d/.hidden", "d/e/z.jsonl", "d/x.txt"]
    assert names(tree, str(tree / "[ab].jsonl")) == ["a.jsonl", "b.jsonl"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tree: Path) -> None:
    (tree / "[ab].jsonl").write_text("")
    assert names(tree, "[ab].jsonl") == ["[ab].jsonl"]


def test_a_project_folder_that_looks_like_a_glob_is_no_glob(tree: Path) -> None:
    project = tree / "[1]*"
    project.mkdir()
    (project / "in.jsonl").write_text("")
    assert names(project, "*.jsonl") == ["in.jsonl"]


def test_includes_and_excludes_see_the_whole_path(tree: Path) -> None:
    assert names(tree, "d", includes=["**.jsonl"]) == ["d/e/z.jsonl"]
    assert names(tree, "d", includes=[f"{tree}/d/*"]) == ["d/.hidden", "d/x.txt"]
    assert names(tree, "d", includes=["**/d/**"], excludes=["**/.*"]) == ["d/e/z.jsonl", "d/x.txt"]
    with pytest.raises(SourceError, match="none of the 3 files found passes includes and excludes"):
        names(tree, "d", includes=["*.jsonl"])


def test_all_paths_that_cannot_be_listed_are_named_together(tree: Path) -> None:
    assert fault(tree, "nothing", "a.jsonl", "*.csv", "empty", "ftp://host/key").splitlines() == [
        "TREE/nothing: there is no such file or folder",
        "TREE/*.csv: no file matches",
        "TREE/empty: the folder holds no file",
        "ftp://host/key: insula cannot read ftp://; it knows local paths and s3://, gs://, az://, abfs://, http://, https://",
    ]


def test_a_file_named_twice_is_an_error(tree: Path) -> None:
    assert fault(tree, "a.jsonl", "*.jsonl") == "TREE/a.jsonl: the file is named twice"
    assert fault(tree, "a.jsonl", "a.jsonl") == "TREE/a.jsonl: the file is named twice"
    (tree / "link").symlink_to("a.jsonl")
    assert fault(tree, "a.jsonl", "link") == "TREE/link: the file is named twice, also as TREE/a.jsonl"


def test_links_to_folders_are_followed_but_not_in_circles(tree: Path) -> None:
    outside = tree / "outside"
    outside.mkdir()
    (outside / "o.jsonl").write_text("")
    (tree / "d" / "linked").symlink_to(outside)
    (tree / "d" / "e" / "up").symlink_to(tree / "d")
    assert names(tree, "d") == ["d/.hidden", "d/e/z.jsonl", "d/linked/o.jsonl", "d/x.txt"]


def test_a_link_to_nothing_is_named(tree: Path) -> None:
    (tree / "d" / "broken").symlink_to("gone")
    assert fault(tree, "d") == "TREE/d/broken: the file cannot be read: No such file or directory"
    assert fault(tree, "d/broken") == "TREE/d/broken: the file cannot be read: No such file or directory"


def test_what_is_neither_file_nor_folder_is_an_error_if_it_is_named(tree: Path) -> None:
    os.mkfifo(tree / "d" / "pipe")
    assert names(tree, "d") == ["d/.hidden", "d/e/z.jsonl", "d/x.txt"]
    assert fault(tree, "d/pipe") == "TREE/d/pipe: it is neither a file nor a folder"


def test_files_and_folders_without_permission_are_named(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "a.jsonl")  # root may read everything
    assert fault(tree, "a.jsonl", "b.jsonl") == "TREE/a.jsonl: the file cannot be read: permission denied"

    def refuse(path: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    assert fault(tree, "d") == "TREE/d: the folder cannot be listed: Permission denied"
