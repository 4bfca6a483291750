"""What a user is shown of an exception: her frames, not insula's."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import attrs

_OURS = str(Path(__file__).resolve().parents[1])


@attrs.frozen
class Failure:
    """An exception as text: its type's name, its message, and the traceback through the user's frames."""

    type: str
    message: str
    traceback: str


def describe(error: BaseException) -> Failure:
    """Return an exception as text."""
    shown = traceback.TracebackException.from_exception(error)
    _keep_users_frames(shown, set())
    return Failure(type(error).__name__, str(error), "".join(_lines(error, shown)))


def _lines(error: BaseException, shown: traceback.TracebackException) -> Iterator[str]:
    if shown.stack or shown.__cause__ or shown.__context__:
        return shown.format()
    # Code that does not compile has no frame of its own: the place is in the error itself.
    return shown.format_exception_only() if isinstance(error, SyntaxError) else iter(())


def _keep_users_frames(shown: traceback.TracebackException, seen: set[int]) -> None:
    if id(shown) in seen:
        return
    seen.add(id(shown))
    kept = [frame for frame in shown.stack if not _is_ours(frame.filename)]
    shown.stack = traceback.StackSummary.from_list(kept)
    for other in (shown.__cause__, shown.__context__):
        if other is not None:
            _keep_users_frames(other, seen)


def _is_ours(filename: str) -> bool:
    return filename.startswith(_OURS) or "/pluggy/" in filename or filename.startswith("<frozen importlib")
