"""How much of a run is told, and where: results on standard output, what went wrong on standard error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insula.cli.closing import closing, finished
from insula.cli.output import complain, write, write_json
from insula.records import frozen


@frozen
class Told:
    """The options that say how much is told.

    Args:
        json: one JSON object on standard output, at the end.
        quiet: nothing but errors.
    """

    json: bool
    quiet: bool

    def end(self, summary: Mapping[str, Any]) -> None:
        """Tell the end of a job."""
        if self.json:
            write_json(summary)
        if not finished(summary) or (summary["status"] != "succeeded" and self.quiet):
            complain(closing(summary))
        elif not self.json and not self.quiet:
            write(closing(summary))

    def refusal(self, status: str, message: str, job_id: str | None = None) -> None:
        """Tell why nothing was run, or why a run ended without a summary."""
        if self.json:
            write_json({"status": status, "message": message} | ({"job_id": job_id} if job_id else {}))
        complain(message)
