"""A process that user code forked and that comes back to insula: it is no second worker, and ends there."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn


def end_child(error: BaseException | None) -> NoReturn:
    """End this process as Python would have: with the code of `sys.exit`, or a traceback in the log and 1.

    Args:
        error: what was raised, None if the user's code returned.
    """
    code: object = None if error is None else 1
    if isinstance(error, SystemExit):
        code = error.code
        if not isinstance(code, (int, type(None))):
            print(code, file=sys.stderr)
    elif error is not None:
        traceback.print_exception(type(error), error, error.__traceback__)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # Nothing of the worker's own may run here: its files and its socket are the parent's.
    os._exit(code if isinstance(code, int) else int(code is not None))
