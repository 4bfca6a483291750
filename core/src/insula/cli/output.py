"""Writing to standard output and standard error; whoever stopped reading them costs nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO, Any

from insula.errors import OutputError


def prepare_streams() -> None:
    """Make standard output and standard error fit to be written to, whatever this process was started with."""
    # Where one was closed, the next file that is opened would take its place: a ledger, say.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding gets escapes, not an error.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")


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


def write_lines(lines: Iterable[bytes], *, at_once: bool = False) -> None:
    """Write lines, each with its newline, to standard output.

    Args:
        at_once: whether each is to be seen as soon as it comes.

    Raises:
        OutputError: if they cannot be written, other than by a broken pipe.
    """
    stream = sys.stdout.buffer
    try:
        for line in lines:
            stream.write(line)
            if at_once:
                stream.flush()
        stream.flush()
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
