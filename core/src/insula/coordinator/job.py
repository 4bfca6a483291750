"""A job as its coordinator runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from insula.descriptors import Assignment, Service, SplitContext
from insula.folder import JobFolder
from insula.hooks import Hooks
from insula.plugins import Reference
from insula.records import frozen
from insula.spec import Submission


@frozen
class Job:
    """Everything that a run needs, with the plugins put together.

    Args:
        id, api_name, created: what the job is called, and since when (seconds since 1970).
        folder: its files.
        output: the folder for the results.
        destination: where the user wants them: that folder, or a URL to which they go at the end.
        project: the project folder.
        submission: what was asked for.
        hooks: source, hardware target and predictor type, composed.
        predictor, hardware, source: where workers find these plugins.
        settings: the source's context.
        api: the API's entry, plain, for workers.
        config: `predictor.config` merged under the submission's.
        assignments: one a worker.
        services: the servers that workers share.
        memory: bytes of private memory that a worker may use, None without a limit.
        environment: what each worker's variables are based on.
        batch_prefix: what all batch ids begin with.
        fingerprint: digest of every project file, by path.
        job_spec: what predictors are shown, without the totals.
    """

    id: str
    api_name: str
    created: float
    folder: JobFolder
    output: Path
    destination: str
    project: Path
    submission: Submission
    hooks: Hooks
    predictor: Reference
    hardware: Reference
    source: Reference
    settings: SplitContext
    api: Mapping[str, Any]
    config: Mapping[str, Any]
    assignments: Sequence[Assignment]
    services: Sequence[Service]
    memory: int | None
    environment: Mapping[str, str]
    batch_prefix: str
    fingerprint: Mapping[str, str]
    job_spec: Mapping[str, Any]
