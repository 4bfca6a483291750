"""Listing every installed plugin, the broken ones included: each is imported in a child process of its own."""

from __future__ import annotations

import inspect
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, Literal

from insula.errors import PluginError
from insula.plugins import describing
from insula.plugins.checking import version_fault
from insula.plugins.finding import claims, scan
from insula.plugins.reference import ROLES, Reference
from insula.plugins.registering import compose, load
from insula.records import frozen

Status = Literal["ok", "broken", "duplicate", "too new", "too old"]

# The child gets the whole path of its parent: a plugin must be found, and fail, as it would in a job.
CHILD = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from insula.plugins.listing import main; main(json.loads(sys.argv[2]))"
)
AT_ONCE = 4


@frozen
class Listed:
    """One installed plugin and how it is.

    Args:
        status: `ok`; `broken` (it cannot be loaded or used); `duplicate` (another distribution claims its name);
            `too new` or `too old` (made for another insula).
        cause: why it is not ok, empty if it is.
        description: the first line of its docstring, if it could be loaded.
    """

    reference: Reference
    status: Status
    cause: str = ""
    description: str = ""

    @property
    def group(self) -> str:
        """The group of entry points."""
        return self.reference.group

    @property
    def name(self) -> str:
        """The word that a user writes."""
        return self.reference.name


def list_plugins(timeout: float = 10.0, path: Sequence[str] | None = None) -> list[Listed]:
    """List what is installed, by group and name; nothing that a plugin does at import reaches this process.

    Args:
        timeout: seconds for the import of each plugin.
        path: the folders to look in; None is `sys.path`.
    """
    found = scan(path)
    search = [*(path or ()), *sys.path]

    def listed(reference: Reference) -> Listed:
        offers = found.offers(reference.group, reference.name)
        return _unfit(reference, offers, found.requires) or _tried(reference, search, timeout)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(listed, sorted(found.references)))


def _unfit(reference: Reference, offers: Sequence[Reference], requires: Mapping[str, Sequence[str]]) -> Listed | None:
    if reference.group not in ROLES:
        groups = ", ".join(ROLES)
        return Listed(reference, "broken", f"insula has no group of entry points {reference.group}, only {groups}")
    if len(offers) > 1:
        return Listed(reference, "duplicate", claims(offers))
    fault = version_fault(reference, requires[reference.distribution])
    return Listed(reference, *fault) if fault else None


# ------------------------------------------------------------------------------------------------ the parent's side


def _tried(reference: Reference, search: Sequence[str], timeout: float) -> Listed:
    # Files, not pipes: a process that the plugin leaves behind would keep a pipe open, and its reader waiting.
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as complaint:
        code = _run(reference, search, timeout, answer, complaint)
        written = _text(answer)
        if code == 0 and written:
            plain = json.loads(written)
            return Listed(reference, plain["status"], plain["cause"], plain["description"])
        return Listed(reference, "broken", f"{reference}: {_death(code, timeout, _text(complaint))}")


def _run(
    reference: Reference, search: Sequence[str], timeout: float, answer: IO[bytes], complaint: IO[bytes]
) -> int | None:
    command = [sys.executable, "-c", CHILD, json.dumps(list(search)), json.dumps(reference.to_plain())]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=answer, stderr=complaint, start_new_session=True)
    try:
        return child.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # The group is empty; macOS says so with EPERM.
        pass
    child.wait()


def _death(code: int | None, timeout: float, complaint: str) -> str:
    if code is None:
        return f"its import did not end within {timeout:g} s"
    last = complaint.strip().rpartition("\n")[2]
    # Signals for real time have no names of their own.
    names = {-one.value: one.name for one in signal.Signals}
    how = f"was ended by {names.get(code, f'signal {-code}')}" if code < 0 else f"ended with exit code {code}"
    return f"the process that imported it {how}" + (f": {last}" if last else "")


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace")


# ------------------------------------------------------------------------------------------------ the child's side


def main(plain: Mapping[str, str]) -> None:
    """Load and check one plugin, and write what was found to standard output as JSON."""
    answer = os.dup(1)
    # What the plugin prints must not end up in the answer.
    os.dup2(2, 1)
    found = _tried_here(Reference.from_plain(plain))
    with os.fdopen(answer, "w") as file:
        json.dump({"status": found.status, "cause": found.cause, "description": found.description}, file)
        file.flush()
    # A thread that the plugin started must not keep this process.
    os._exit(0)


def _tried_here(reference: Reference) -> Listed:
    try:
        plugin = load(reference)
        _check(reference, plugin)
    except PluginError as error:
        return Listed(reference, "broken", str(error))
    return Listed(reference, "ok", description=(inspect.getdoc(plugin) or "").partition("\n")[0])


def _check(reference: Reference, plugin: object) -> None:
    describe = {
        "insula.predictors": describing.predictor_type,
        "insula.hardware": describing.hardware_target,
        "insula.sources": describing.source,
        "insula.executors": describing.executor_type,
    }.get(reference.group)
    if describe:
        describe(reference, plugin)
    elif reference.group == "insula.observers":
        compose([(str(reference), plugin)])
