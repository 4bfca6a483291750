from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from insula_tensorflow.directories import ModelFault, SavedModel, find

Folder = Callable[..., Path]


def test_a_savedmodel_itself_or_its_file(folder: Folder) -> None:
    path = folder("iris")
    assert find(path) == find(path / "saved_model.pb") == SavedModel(path)


def test_the_highest_version_is_taken(folder: Folder) -> None:
    for version in ("2", "10", "009"):
        folder(f"iris/{version}")
    found = find(folder("iris/.hidden").parent)
    assert (found.path.name, found.version) == ("10", 10)


def test_a_folder_around_it_is_passed(folder: Folder) -> None:
    path = folder("outer/inner/3")
    assert find(path.parents[1]) == SavedModel(path, 3)


def _zip(path: Path) -> Path:
    return Path(shutil.make_archive(str(path), "zip", path.parent, path.name))


def test_a_zip_is_unpacked_once(folder: Folder, home: Path) -> None:
    archive = _zip(folder("1560263532"))
    found = find(archive)
    assert (found.path.name, found.version) == ("1560263532", 1560263532)
    assert found.path.is_relative_to(home / "models" / "unpacked")
    before = (found.path / "saved_model.pb").stat().st_ino
    assert (find(archive).path / "saved_model.pb").stat().st_ino == before
    assert [one.name for one in (home / "models" / "unpacked").iterdir()] == [found.path.parent.name]


def test_a_zip_that_leads_out_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../saved_model.pb", b"x")
    with pytest.raises(ModelFault, match=r"its entry '\.\./saved_model\.pb' leads out of the zip"):
        find(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_zip_is_refused(tmp_path: Path, home: Path, packing: int) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("m", bytes(range(256)) * 10)
    content = bytearray(path.read_bytes())
    content[60:100] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(ModelFault, match="the zip cannot be unpacked"):
        find(path)
    assert list((home / "models" / "unpacked").iterdir()) == []


def _file(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def _folders(*names: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for name in names:
            (folder / "m" / name).mkdir(parents=True)
        return folder / "m"

    return make


def _model(content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "m").mkdir()
        (folder / "m" / "saved_model.pb").write_bytes(content)
        return folder / "m"

    return make


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda folder: folder / "none", "there is no such file or folder"),
        (_file("m.h5", b"\x89HDF"), "it is a file of Keras, not a SavedModel; load it and write one with model.export"),
        (_file("m.keras", b"PK\5\6" + bytes(18)), "it is a file of Keras"),
        (_file("m.bin", b"hello"), "it is neither a folder nor a zip; it begins with b'hello'"),
        (_file("m.zip", b""), "the file is empty"),
        (
            _folders("x", "y"),
            "holds neither a saved_model.pb nor versions, folders that are named by numbers (it has x, y)",
        ),
        (_folders(""), "holds neither a saved_model.pb nor versions"),
        (_folders("variables", "assets"), "the folder is a SavedModel without its saved_model.pb"),
        (_folders("1", "2"), "its version 2 holds no saved_model.pb"),
        (_model(b""), "saved_model.pb is empty"),
        (_model(b"version https://git-lfs.github.com/spec/v1\n"), "saved_model.pb is a pointer of Git LFS"),
    ],
)
def test_what_is_no_model_is_told(tmp_path: Path, make: Callable[[Path], Path], told: str) -> None:
    with pytest.raises(ModelFault) as caught:
        find(make(tmp_path))
    assert told in str(caught.value)
