"""The command line: a thin face on `insula.jobs`, and the only part that installs signal handlers."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line of this process, and exit."""
    import gc
    import os
    import sys

    if os.name == "nt":
        sys.stderr.write("insula: insula runs on Linux and macOS; on Windows, start it in WSL\n")
        sys.exit(2)
    # Nearly everything that a command imports lives as long as it: looking through that for garbage every 700 objects
    # takes a tenth of a short command.
    gc.set_threshold(250_000)
    try:
        from insula.cli.group import insula
        from insula.cli.output import prepare_streams

        prepare_streams()
        code = insula.main(prog_name="insula", standalone_mode=False)
    except KeyboardInterrupt:
        code = 130
    except OSError as error:
        import errno

        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        # Not even the command line could be loaded; whatever it runs is told by itself.
        sys.stderr.write(
            "insula: it cannot start: too few file descriptors (`ulimit -n` shows the limit and raises it)\n"
        )
        code = 2
    _exit(code)


def _exit(code: int) -> NoReturn:
    """Exit as `sys.exit` does, but leave it to the kernel to free what there is: one by one, that takes longer."""
    import atexit
    import os
    import sys
    import threading

    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream.closed:
            continue
        try:
            stream.flush()
        except BrokenPipeError:
            pass  # who stopped reading has what they wanted
        except OSError:
            code = code or 1
    os._exit(code)
