"""How a run of a job ends."""

from __future__ import annotations

import time

import attrs

from insula.records import frozen


@frozen
class Ending:
    """How a run of a job ended: its status, what there is to say of it, and when (seconds since 1970)."""

    status: str
    message: str = ""
    time: float = attrs.field(factory=time.time)
