"""insula: batch inference for Python, a small core that plugins complete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from insula.api import Job, JobResult, open_job, run, submit
    from insula.hookspecs import hookimpl

__all__ = ["Job", "JobResult", "__version__", "hookimpl", "open_job", "run", "submit"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: the command line starts its first worker before it imports pluggy and attrs itself.
    if name == "hookimpl":
        from insula.hookspecs import hookimpl

        return hookimpl
    if name in __all__:
        from insula import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
