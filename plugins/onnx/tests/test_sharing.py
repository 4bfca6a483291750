from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import attrs
import onnxruntime
import pytest
from making import identity, scaled

from insula.descriptors import WorkerContext
from insula_onnx import sharing
from insula_onnx.model_file import inspect
from insula_onnx.providers import CPU, CUDA, Providers
from insula_onnx.settings import OnnxSettings

Make = Callable[..., WorkerContext]
Write = Callable[..., Path]
ON_CPU = Providers((CPU,), ({},))


@pytest.fixture(autouse=True)
def _new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_release", lambda: (1, 30))


def test_large_models_are_shared_by_several_workers(context: Make, write: Write) -> None:
    small = inspect(write(identity()))
    large = attrs.evolve(small, size=100 << 20)
    assert sharing.wanted(context(workers=2), large, ON_CPU)
    assert not sharing.wanted(context(workers=1), large, ON_CPU)
    assert not sharing.wanted(context(workers=2), small, ON_CPU)
    assert not sharing.wanted(context(workers=2), large, Providers((CUDA, CPU), ({}, {})))


def test_the_user_decides_otherwise(context: Make, write: Write) -> None:
    small = inspect(write(identity()))
    large = attrs.evolve(small, size=100 << 20)
    assert sharing.wanted(context(settings=OnnxSettings(share_weights=True)), small, ON_CPU)
    assert not sharing.wanted(context(settings=OnnxSettings(share_weights=False), workers=2), large, ON_CPU)


def test_old_releases_share_nothing(context: Make, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_release", lambda: (1, 20))
    assert not sharing.wanted(context(settings=OnnxSettings(share_weights=True)), inspect(write(identity())), ON_CPU)


def test_a_prepared_model_answers_the_same_and_is_made_once(write: Write, tmp_path: Path) -> None:
    model = inspect(write(scaled(2, 4)))
    path = sharing.prepared(model, "all", tmp_path / "cache")
    assert path is not None
    session = onnxruntime.InferenceSession(path, providers=[CPU])
    (found,) = session.run(None, {"x": [[1.0, 2.0, 3.0, 4.0]]})
    assert found.tolist() == [[2, 4, 6, 8]]
    made = path.stat().st_ino
    assert sharing.prepared(model, "all", tmp_path / "cache") == path
    assert path.stat().st_ino == made


def test_a_changed_model_or_level_is_prepared_anew(write: Write, tmp_path: Path) -> None:
    model = inspect(write(scaled(2)))
    first = sharing.prepared(model, "all", tmp_path / "cache")
    os.utime(model.path, ns=(0, 1))
    assert first is not None
    assert len({first, sharing.prepared(model, "all", tmp_path / "cache"),
                sharing.prepared(model, "basic", tmp_path / "cache")}) == 3  # fmt: skip


def test_what_cannot_be_prepared_is_told_and_run_as_it_is(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = inspect(write(scaled(2)))
    model.path.write_bytes(b"no model")
    with caplog.at_level(logging.WARNING):
        assert sharing.prepared(model, "all", tmp_path / "cache") is None
    assert f"the weights of {model.path} are not shared" in caplog.text
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.is_dir()] == []
