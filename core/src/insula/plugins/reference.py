"""Where a plugin is: which distribution offers it, under which name, for which role."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from insula.records import frozen


@frozen
class Role:
    """What a group of entry points is for.

    Args:
        noun: what one plugin of the group is called.
        word: where a user writes its name.
        descriptor: the hook by which such a plugin describes itself; None for a role that needs none.
    """

    noun: str
    word: str
    descriptor: str | None = None


ROLES: Mapping[str, Role] = {
    "insula.predictors": Role("predictor type", "predictor.type", "insula_predictor_type"),
    "insula.hardware": Role("hardware target", "compute", "insula_hardware_target"),
    "insula.sources": Role("source", "job submission", "insula_source"),
    "insula.executors": Role("executor", "--executor", "insula_executor"),
    "insula.observers": Role("observer", "INSULA_OBSERVERS"),
    "insula.commands": Role("command", "insula"),
}


@frozen(order=True)
class Reference:
    """One entry point of one distribution: plain text, so that it can be sent to a worker.

    Args:
        group: the group of entry points, a key of `ROLES`.
        name: the word that a user writes.
        value: where the object is, as `module:attribute`.
        distribution, version: who offers it.
    """

    group: str
    name: str
    value: str
    distribution: str
    version: str

    @property
    def offer(self) -> str:
        """Who offers it, such as `insula-onnx 0.1.0 (insula_onnx.plugin:plugin)`."""
        return f"{self.distribution} {self.version} ({self.value})"

    def __str__(self) -> str:
        noun = ROLES[self.group].noun if self.group in ROLES else self.group
        return f'{noun} "{self.name}" ({self.distribution} {self.version})'

    def to_plain(self) -> dict[str, str]:
        """Return what `from_plain` reads, ready for JSON."""
        return attrs.asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, str]) -> Reference:
        """Make the reference again that `to_plain` wrote."""
        return cls(**plain)
