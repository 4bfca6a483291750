"""What a worker is told before anything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from insula.plugins import Reference
from insula.records import frozen


@frozen
class Setup:
    """The first frame to a worker, as data.

    Args:
        version, protocol: of the coordinator's insula.
        name: the worker's own, for messages and parts; no other process of the job has it.
        project: the project folder.
        predictor, hardware, source: the plugins to load.
        api: the API's entry, plain.
        assignment: plain.
        config: `predictor.config` merged under the submission's.
        job_spec: what predictors get, without the totals.
        services: address of each service.
        parts, cell: the folder for results and the file for progress; empty if the worker shares no files.
        batch_prefix: what all batch ids of the job begin with.
        join_input: whether each line repeats its input.
        fingerprint: digest of every project file, by path.
    """

    version: str
    protocol: int
    name: str
    project: str
    predictor: Reference
    hardware: Reference
    source: Reference
    api: Mapping[str, Any]
    assignment: Mapping[str, Any]
    config: Mapping[str, Any]
    job_spec: Mapping[str, Any]
    services: Mapping[str, str]
    parts: str
    cell: str
    batch_prefix: str
    join_input: bool
    fingerprint: Mapping[str, str]

    def to_frame(self) -> dict[str, Any]:
        """Return the `setup` frame."""
        return {"type": "setup", **attrs.asdict(self)}

    @classmethod
    def from_frame(cls, frame: Mapping[str, Any]) -> Setup:
        """Return what `to_frame` was given."""
        fields = {key: value for key, value in frame.items() if key != "type"}
        for role in ("predictor", "hardware", "source"):
            fields[role] = Reference.from_plain(fields[role])
        return cls(**fields)
