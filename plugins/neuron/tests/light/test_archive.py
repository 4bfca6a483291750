from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from insula_neuron.archive import Archive, ModelFault, find, inspect

CODE = "def forward(self, x):\n  return ops.neuron.forward_v2([x], self.model)\n"
NEWER = "class Model(Module):\n  model : __torch__.torch.classes.neuron.Model\n"


def archive(path: Path, *code: str, extra: str | None = None, others: tuple[str, ...] = ("data.pkl",)) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for number, text in enumerate(code):
            written.writestr(f"{path.stem}/code/__torch__/m{number}.py", text)
        for name in others:
            written.writestr(f"{path.stem}/{name}", "")
        if extra is not None:
            written.writestr(f"{path.stem}/extra/neuron.json", extra)
    return path


@pytest.mark.parametrize(
    "code, compiled",
    [
        ([CODE], True),
        (["pass", NEWER], True),
        (["def forward(self, x):\n  return x\n"], False),
        (["ops.aten.neuron"], False),
    ],
)
def test_whether_it_is_compiled(tmp_path: Path, code: list[str], compiled: bool) -> None:
    path = archive(tmp_path / "m.pt", *code)
    assert inspect(path) == Archive(path, compiled)


def test_it_may_say_for_what(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.pt", CODE, extra='{"batch_size": 4, "cores": 2, "by": "hand"}')
    assert inspect(path) == Archive(path, True, batch_size=4, cores=2)


@pytest.mark.parametrize(
    "extra, told",
    [
        ("{", "its neuron.json is no JSON"),
        ("4", "its neuron.json must be an object"),
        ('{"batch_size": 0}', "batch_size 0, which must be a number from 1 on"),
        ('{"batch_size": true}', "batch_size True"),
        ('{"cores": "2"}', "cores '2'"),
    ],
)
def test_what_it_says_must_make_sense(tmp_path: Path, extra: str, told: str) -> None:
    with pytest.raises(ModelFault, match=told):
        inspect(archive(tmp_path / "m.pt", CODE, extra=extra))


@pytest.mark.parametrize(
    "content, told",
    [
        (b"", "the file is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "a pointer of Git LFS"),
        (b"<html>not found</html>", r"no TorchScript archive; it begins with b'<html>not found<'"),
        (b"PK\x03\x04 and no more", "cut off or damaged"),
    ],
)
def test_what_is_no_archive(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "m.pt"
    path.write_bytes(content)
    with pytest.raises(ModelFault, match=told):
        inspect(path)


def test_what_was_saved_another_way(tmp_path: Path) -> None:
    with pytest.raises(ModelFault, match="written by torch.save, not by torch.jit.save"):
        inspect(archive(tmp_path / "m.pt"))
    with pytest.raises(ModelFault, match="it is a zip file"):
        inspect(archive(tmp_path / "n.pt", others=("notes.txt",)))
    with pytest.raises(ModelFault, match="no such file"):
        inspect(tmp_path / "absent.pt")


def test_a_zip_that_cannot_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "m.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("m/code/__torch__/m0.py", CODE * 100)
    content = bytearray(path.read_bytes())
    content[80:90] = b"\xff" * 10
    path.write_bytes(content)
    with pytest.raises(ModelFault, match="cut off or damaged"):
        inspect(path)


def test_a_folder_holds_one_model(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    with pytest.raises(ModelFault, match="a folder must hold one model file .*here: none"):
        find(tmp_path)
    path = archive(tmp_path / "1" / "m.pt", CODE)
    (tmp_path / "notes.txt").touch()
    assert find(tmp_path) == find(path) == path
    archive(tmp_path / "other.pth", CODE)
    with pytest.raises(ModelFault, match=r"here: 1/m.pt, other.pth"):
        find(tmp_path)
