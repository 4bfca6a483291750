"""What models and servers are called, in messages and among each other."""

from __future__ import annotations

from insula.model_names import SINGLE

# The server of a job, as workers find its address.
SERVICE = "tensorflow"


def called(name: str) -> str:
    """Return what messages call a model."""
    return "the model" if name == SINGLE else f"model {name}"
