"""The command line: a thin face on `insula.jobs`, and the only part that installs signal handlers."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process, and exit."""
    import os
    import sys

    if os.name == "nt":
        sys.stderr.write("insula: insula runs on Linux and macOS; on Windows, start it in WSL\n")
        sys.exit(2)
    try:
        from insula.cli.group import insula
        from insula.cli.output import prepare_streams

        prepare_streams()
        insula.main(prog_name="insula")
    except KeyboardInterrupt:
        sys.exit(130)
