"""What insula raises.

InsulaError
├── UserError                something that the user can mend: one clear message, never a traceback of insula's
│   ├── SpecError            faults in cortex.yaml, job.json or a submission, all of them at once
│   ├── ProjectError         the project folder: missing files, .env, a predictor that cannot be loaded
│   ├── PluginError          a named plugin is unknown, broken, claimed twice, too new or misuses a hook
│   ├── SourceError          the input cannot be listed or split
│   │   └── InputChangedError    an input is no longer what was listed
│   ├── WorkerFault          what a worker found before its first batch: frameworks, models, signatures
│   ├── JobError             a job that is unknown, running elsewhere, of another version
│   ├── StorageError         what is behind a URL cannot be listed, read or written
│   └── OutputError          results cannot be written where the user wants them
├── ProtocolError            what came from a worker or coordinator is no message of insula's
└── ConservationError        samples in ≠ samples accounted for: insula's own fault, never the user's
"""

from __future__ import annotations

from collections.abc import Sequence

from insula.records import frozen


class InsulaError(Exception):
    """Any error that insula raises on purpose."""


class UserError(InsulaError):
    """Something that the user can mend; its text is the whole message."""


@frozen
class Fault:
    """One fault of a document: where it is, and what to do about it.

    `path` is the way to the field (keys and list positions); `line` and `column` count from 1, None if unknown.
    """

    message: str
    path: tuple[str | int, ...] = ()
    line: int | None = None
    column: int | None = None

    @property
    def field(self) -> str:
        """The path as a user writes it, such as `predictor.models[0].name`."""
        parts = [f"[{step}]" if isinstance(step, int) else f".{_shown(step)}" for step in self.path]
        return "".join(parts).removeprefix(".")


def _shown(key: str) -> str:
    # A document may have any string as a key; a message stays one short line.
    text = key if key.isprintable() else ascii(key)[1:-1]
    return text if len(text) <= 80 else f"{text[:80]}…"


class SpecError(UserError, ValueError):
    """Faults of one document, all found in one go.

    Args:
        faults: at least one.
        document: the name of the file, or of what stands in its place ("the submission").
    """

    def __init__(self, faults: Sequence[Fault], document: str = "") -> None:
        self.faults = tuple(faults)
        self.document = document
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> list[str]:
        return [self._line(fault) for fault in self.faults]

    def _line(self, fault: Fault) -> str:
        place = self.document
        if fault.line is not None:
            place += f":{fault.line}" + (f":{fault.column}" if fault.column is not None else "")
        return ": ".join(part for part in (place, fault.field, fault.message) if part)


class ProjectError(UserError):
    """The project folder does not hold what a job needs."""


class PluginError(UserError):
    """A plugin that the job names cannot be used."""


class SourceError(UserError):
    """The input of a job cannot be listed or split."""


class InputChangedError(SourceError):
    """An input is no longer what it was when the job listed it."""


class WorkerFault(UserError):
    """A worker cannot serve this job, and no other one started the same way could."""


class JobError(UserError):
    """A job is unknown, already running, or was written by another version of insula."""


class StorageError(UserError, OSError):
    """What is behind a URL cannot be listed, read or written."""


class OutputError(UserError, OSError):
    """Results cannot be written where the user wants them."""


class ProtocolError(InsulaError, ValueError):
    """What came from a worker or coordinator is no message of insula's: user code wrote into its socket, say."""


class ConservationError(InsulaError):
    """Samples in are not samples accounted for."""
