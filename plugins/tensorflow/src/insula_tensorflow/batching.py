"""Requests that come at the same time, joined into one run of a model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np

from insula_tensorflow.backend import Array, Backend
from insula_tensorflow.signature import Signature

_Inputs = Mapping[str, Array]
_Outputs = dict[str, Array]


class _Group:
    """Requests that are gathered; the first one runs them for all."""

    def __init__(self) -> None:
        self.members: list[_Inputs] = []
        self.sizes: list[int] = []
        self.full = threading.Event()
        self.done = threading.Event()
        self.parts: Sequence[_Outputs] | None = None  # None when they are done: each has to run alone

    def add(self, inputs: _Inputs, size: int) -> int:
        self.members.append(inputs)
        self.sizes.append(size)
        return len(self.members) - 1


class Batcher:
    """A model whose concurrent requests are joined along their first dimension.

    Requests of one signature, whose inputs agree in everything but their first dimension, are gathered for a while and run
    as one. A joined run that fails is repeated request by request, so that a bad one fails alone. A signature whose outputs
    do not have one row for each row of input is not joined again.

    Args:
        backend: the model, which may be called from several threads.
        max_batch_size: rows of a joined run at most; a larger request runs alone.
        batch_interval: seconds that the first request of a run waits for others.
    """

    def __init__(self, backend: Backend, max_batch_size: int, batch_interval: float) -> None:
        self._backend = backend
        self._most = max_batch_size
        self._interval = batch_interval
        self._lock = threading.Lock()
        self._gathering: dict[Hashable, _Group] = {}
        self._apart: set[str] = set()
        self.requests = 0
        self.runs = 0

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """The model's signatures."""
        return self._backend.signatures

    def predict(self, signature: Signature, inputs: _Inputs) -> _Outputs:
        """Run a signature, perhaps together with other threads' requests."""
        with self._lock:
            self.requests += 1
        size = None if signature.key in self._apart else _size(signature, inputs)
        if size is None or size >= self._most:
            return self._run(signature, inputs)
        key = (signature.key, *((name, array.dtype.str, array.shape[1:]) for name, array in sorted(inputs.items())))
        group, place = self._enter(key, inputs, size)
        if place == 0:
            self._lead(key, group, signature)
        group.done.wait()
        return self._run(signature, inputs) if group.parts is None else group.parts[place]

    def close(self) -> None:
        """Close the model."""
        self._backend.close()

    def _run(self, signature: Signature, inputs: _Inputs) -> _Outputs:
        with self._lock:
            self.runs += 1
        return self._backend.predict(signature, inputs)

    def _enter(self, key: Hashable, inputs: _Inputs, size: int) -> tuple[_Group, int]:
        with self._lock:
            group = self._gathering.get(key)
            if group is not None and sum(group.sizes) + size > self._most:
                group.full.set()
                group = None
            if group is None:
                group = self._gathering[key] = _Group()
            place = group.add(inputs, size)
            if sum(group.sizes) == self._most:
                del self._gathering[key]
                group.full.set()
            return group, place

    def _lead(self, key: Hashable, group: _Group, signature: Signature) -> None:
        try:
            group.full.wait(self._interval)
            with self._lock:
                if self._gathering.get(key) is group:
                    del self._gathering[key]
            if len(group.members) > 1:
                group.parts = self._run_joined(signature, group)
        finally:
            group.done.set()

    def _run_joined(self, signature: Signature, group: _Group) -> Sequence[_Outputs] | None:
        try:
            joined = {name: np.concatenate([one[name] for one in group.members]) for name in group.members[0]}
            outputs = self._run(signature, joined)
        except Exception as error:  # whatever it is, it may be the fault of one request, which is run alone next
            log = logging.getLogger(__name__)
            log.warning("%d joined requests failed (%s: %s); each is run alone", *_told(group, error))
            return None
        parts = _split(outputs, group.sizes)
        if parts is None:
            self._apart.add(signature.key)
        return parts


def _told(group: _Group, error: Exception) -> tuple[int, str, Exception]:
    return len(group.members), type(error).__name__, error


def _size(signature: Signature, inputs: _Inputs) -> int | None:
    """Return the rows of a request; None if it has none that others could be put behind."""
    for name, array in inputs.items():
        declared = signature.inputs[name].shape
        if not array.ndim or (declared is not None and declared[:1] != (None,)):
            return None
    for output in signature.outputs.values():
        if output.shape is not None and output.shape[:1] != (None,):
            return None
    sizes = {len(array) for array in inputs.values()}
    return sizes.pop() if len(sizes) == 1 else None


def _split(outputs: _Outputs, sizes: Sequence[int]) -> list[_Outputs] | None:
    """Return the outputs of each request; None if one of them does not have a row for each row of input."""
    if any(array.shape[:1] != (sum(sizes),) for array in outputs.values()):
        return None
    ends: Any = np.cumsum(sizes)
    pieces = {name: np.split(array, ends[:-1]) for name, array in outputs.items()}
    return [{name: pieces[name][place] for name in outputs} for place in range(len(sizes))]
