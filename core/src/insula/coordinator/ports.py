"""A port of 127.0.0.1 for a service, which stays its own while the server is started, and started again."""

from __future__ import annotations

import random
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from insula.errors import UserError
from insula.records import define

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST = 10000
_TRIES = 200


@define(eq=False)
class Port:
    """A port that nobody listened on when it was taken; until `release`, no other insula of this machine takes it."""

    number: int
    _claim: socket.socket | None

    @property
    def address(self) -> str:
        """Where clients find it."""
        return f"127.0.0.1:{self.number}"

    def answers(self) -> bool:
        """Return whether a connection is accepted."""
        try:
            with socket.create_connection(("127.0.0.1", self.number), timeout=0.2) as connected:
                # A connection within the range of ephemeral ports can, by chance, be one with itself.
                return bool(connected.getsockname() != connected.getpeername())
        except OSError:
            return False

    def release(self) -> None:
        """Leave it to others."""
        if self._claim is not None:
            self._claim.close()


def take_port() -> Port:
    """Find a free port.

    Raises:
        UserError: if there is none.
    """
    for number in _candidates():
        claim = _claim(number)
        if (claim is not None or sys.platform != "linux") and _is_free(number):
            return Port(number, claim)
        if claim is not None:
            claim.close()
    raise UserError("there is no free port on 127.0.0.1 for a service")


def _candidates() -> Iterator[int]:
    """Yield ports below those that the system gives to outgoing connections, which could take one between two starts."""
    lowest_ephemeral = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32768
    ports = range(_LOWEST, lowest_ephemeral)
    # Not the generator that a seed of the host's would make the same in every process.
    yield from random.SystemRandom().sample(ports if len(ports) >= _TRIES else range(_LOWEST, 65536), _TRIES)


def _claim(number: int) -> socket.socket | None:
    """Claim a port among insulas by a name that goes with the process; None if another has it, or there are no such names.

    A server takes seconds to listen: until then the port itself is free, and some servers even share theirs.
    """
    if sys.platform != "linux":
        return None
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0insula-port-{number}")
    except OSError:
        claim.close()
        return None
    return claim


def _is_free(number: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", number))
        except OSError:
            return False
    return True
