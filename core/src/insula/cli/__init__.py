"""The command line: a thin face on `insula.jobs`, and the only part that installs signal handlers."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process, and exit."""
    import os
    import sys

    from insula.cli.codes import REFUSED

    if os.name == "nt":
        sys.exit("insula: insula runs on Linux and macOS; on Windows, start it in WSL") if REFUSED else None
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding gets escapes, not an error.
        getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")

    from insula.cli.group import insula

    insula.main(prog_name="insula")
