"""What a user asks for when she submits a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from insula.records import frozen


@frozen
class Submission:
    """A job submission: one source, and how to run it.

    Args:
        source: the key of the source, which is also the name of its plugin (`delimited_files`, …).
        settings: the source's own settings, structured by the class that its descriptor names.
        workers: how many workers; None lets the core derive it from cores and devices.
        config: merged over `predictor.config`.
        timeout, batch_timeout, startup_timeout: seconds.
        retries: further attempts after the first, for a batch and for a sample tried alone.
        raw: the submission as it was written; inline items are left out of what predictors see.
    """

    source: str
    settings: Any
    workers: int | None = None
    config: Mapping[str, Any] = attrs.field(factory=dict)
    timeout: float | None = None
    retries: int = 1
    isolate_failures: bool = True
    max_failed_batches: int | None = None
    batch_timeout: float | None = None
    startup_timeout: float | None = None
    output: str | None = None
    join_input: bool = False
    raw: Mapping[str, Any] = attrs.field(factory=dict)
    ignored: tuple[str, ...] = ()
