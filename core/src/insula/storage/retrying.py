"""Trying again what often passes: a server that is overloaded, a connection that breaks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from insula.storage.faults import TransientError, explain
from insula.storage.urls import shown

T = TypeVar("T")

# Seconds between the tries, give or take a half, so that many workers do not come back at the same moment.
DELAYS = (0.2, 0.6, 1.8, 5.0)


def retrying(url: str, call: Callable[[], T]) -> T:
    """Call until it works, at most five times, and three if the server is silent.

    Args:
        url: what messages name.

    Raises:
        StorageError: saying why a storage failed. What is no storage's fault passes as it is.
    """
    tries = 0
    delays = list(DELAYS)
    while True:
        tries += 1
        try:
            return call()
        except Exception as error:
            cause = explain(error)
            if cause is None:
                raise
            if cause.kind is not TransientError:
                raise cause.kind(f"{shown(url)}: {cause.text}") from error
            if not delays:
                raise TransientError(f"{shown(url)}: {cause.text} (tried {tries} times)") from error
            time.sleep(delays.pop(0) * random.uniform(0.5, 1.5))
            if cause.silent and delays:
                delays.pop()  # each of these tries has already waited as long as anyone should
