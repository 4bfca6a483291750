"""What a user is shown of an exception: her frames, not insula's."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

from insula.records import frozen

# Kept for every dead letter: a message may hold the whole sample, and a traceback a thousand frames.
_LONGEST = 20_000
_OURS = str(Path(__file__).resolve().parents[1])


@frozen
class Failure:
    """An exception as text: its type's name, its message, and the traceback through the user's frames."""

    type: str
    message: str
    traceback: str


def describe(error: BaseException) -> Failure:
    """Return an exception as text that can be written anywhere, each part of bounded length."""
    shown = traceback.TracebackException.from_exception(error)
    _keep_users_frames(shown, set())
    return Failure(_plain(type(error).__name__), _plain(_message(error)), _plain("".join(_lines(error, shown))))


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - an exception of the user's may have any code
        return f"<its text cannot be had: {type(broken).__name__}>"


def _plain(text: str) -> str:
    if len(text) > _LONGEST:
        left_out = f"\n… {len(text) - _LONGEST:,} characters left out …\n"
        text = text[: _LONGEST // 2] + left_out + text[-_LONGEST // 2 :]
    return text.encode("utf-8", "backslashreplace").decode()


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
