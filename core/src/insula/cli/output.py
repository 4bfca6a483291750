"""Writing to standard output and standard error; whoever stopped reading them costs nothing."""

from __future__ import annotations

import os
import sys
from typing import IO, Any

from insula.errors import OutputError


def write(text: str) -> None:
    """Write lines of text to standard output.

    Raises:
        OutputError: if it cannot be written, other than by a broken pipe.
    """
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise OutputError(f"standard output cannot be written: {error.strerror}") from error


def write_json(value: Any) -> None:
    """Write one JSON value to standard output, in ASCII, so that no encoding can spoil it."""
    import json

    write(json.dumps(value, indent=2))


def say(text: str) -> None:
    """Write lines of text to standard error; where that is closed or full, say nothing from now on."""
    try:
        _write(sys.stderr, text)
    except OSError:
        _silence(sys.stderr)


def complain(message: str) -> None:
    """Write an error to standard error."""
    say(f"insula: {message}")


def _write(stream: IO[str], text: str) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def _silence(stream: IO[str]) -> None:
    # What is still buffered would raise again when Python exits.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
