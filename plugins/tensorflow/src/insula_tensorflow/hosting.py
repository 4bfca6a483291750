"""The models of insula's own server: which they are, how far each has been loaded, and what it is called with."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from insula_tensorflow import messages
from insula_tensorflow.backend import Backend
from insula_tensorflow.batching import Batcher

_LOG = logging.getLogger(__name__)
MISSING = 'TensorFlow is missing here: pip install "insula-tensorflow[embedded]"'


@attrs.frozen
class Batching:
    """How requests are joined: rows at most, and seconds that one waits for others."""

    max_batch_size: int
    batch_interval: float


@attrs.frozen
class ModelPlace:
    """A model to serve: its name, and the folder of its `saved_model.pb`."""

    name: str
    path: str
    version: int | None = None


@attrs.frozen
class HostSettings:
    """What a server serves, and how.

    Args:
        models: at least one.
        batching: None joins nothing.
        intra_op_threads, inter_op_threads: of TensorFlow; None leaves it to TensorFlow.
        gpu: whether models must run on a GPU.
        imports: modules that are imported before models are loaded, for the operations that they add.
        python_path: folders that these modules may be in, beside what is installed.
        typed_values: whether to answer with values one by one, as TensorFlow Serving does, in place of bytes.
    """

    models: tuple[ModelPlace, ...]
    batching: Batching | None = None
    intra_op_threads: int | None = None
    inter_op_threads: int | None = None
    gpu: bool = False
    imports: tuple[str, ...] = ()
    python_path: tuple[str, ...] = ()
    typed_values: bool = False

    @classmethod
    def parse(cls, plain: Mapping[str, Any]) -> HostSettings:
        """Return what a models file holds, in plain data with the names of these attributes."""
        batching = plain.get("batching")
        return cls(
            **{
                **plain,
                "models": tuple(ModelPlace(**model) for model in plain["models"]),
                "batching": None if batching is None else Batching(**batching),
                "imports": tuple(plain.get("imports", ())),
                "python_path": tuple(plain.get("python_path", ())),
            }
        )


class HostedModel:
    """One model, as far as it has been loaded."""

    def __init__(self, place: ModelPlace) -> None:
        self.name = place.name
        self.path = Path(place.path)
        named = int(self.path.name) if self.path.name.isdecimal() else 1
        self.version = named if place.version is None else place.version
        self.state = messages.START
        self.fault: str | None = None
        self.backend: Backend | None = None


class Host:
    """All models of a server."""

    def __init__(self, settings: HostSettings) -> None:
        self.settings = settings
        self.models = {place.name: HostedModel(place) for place in settings.models}

    def load(self) -> None:
        """Load the models one by one; what is wrong with one is its fault, and said to whoever asks for it."""
        # Behind what is installed: a project's own modules must not stand in for those of the server.
        sys.path += [folder for folder in self.settings.python_path if folder not in sys.path]
        for model in self.models.values():
            start = time.monotonic()
            model.state = messages.LOADING
            try:
                model.backend = self._load(model.path)
            except Exception as error:  # whatever TensorFlow raises, clients should be told
                _LOG.exception("model %s (%s) cannot be loaded", model.name, model.path)
                model.fault, model.state = str(error) or type(error).__name__, messages.END
            else:
                model.state = messages.AVAILABLE
                _LOG.info("model %s (%s) loaded in %.1f s", model.name, model.path, time.monotonic() - start)

    def _load(self, path: Path) -> Backend:
        from insula_tensorflow import embedded

        settings = self.settings
        embedded.import_operations(settings.imports)
        backend: Backend = embedded.load(
            path,
            intra_op_threads=settings.intra_op_threads,
            inter_op_threads=settings.inter_op_threads,
            gpu=settings.gpu,
        )
        if settings.batching is None:
            return backend
        return Batcher(backend, settings.batching.max_batch_size, settings.batching.batch_interval)

    def fail(self, fault: str) -> None:
        """Say of every model why it cannot be loaded."""
        for model in self.models.values():
            model.fault, model.state = fault, messages.END

    @property
    def faults(self) -> Sequence[str]:
        """What is wrong with models that could not be loaded."""
        found = [model for model in self.models.values() if model.fault is not None]
        return [f"model {model.name} ({model.path}): {model.fault}" for model in found]

    def summarize(self) -> None:
        """Log how far requests were joined."""
        for model in self.models.values():
            if isinstance(model.backend, Batcher):
                told = (model.name, model.backend.requests, model.backend.runs)
                _LOG.info("model %s: %d requests in %d runs", *told)
