"""The executor `marked`: processes of this machine that know who started them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from insula import hookimpl
from insula.descriptors import ExecutorType
from insula.executors.interface import Start
from insula.executors.process import Process, ProcessExecutor


class MarkedExecutor(ProcessExecutor):
    """Starts processes as insula does, and signs each."""

    def start(self, start: Start) -> Process:
        """Start a worker with one variable more."""
        return super().start(attrs.evolve(start, environment={**start.environment, "MARKED_BY": "acme"}))


class Marked:
    """Makes the executor."""

    @hookimpl
    def insula_executor(self) -> ExecutorType:
        """Describe the executor."""
        return ExecutorType("marked")

    @hookimpl
    def insula_create_executor(self, options: Mapping[str, Any]) -> MarkedExecutor:
        """Make the executor."""
        return MarkedExecutor(**options)


plugin = Marked()
