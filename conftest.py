"""What holds for all tests of the workspace."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _signals_as_in_a_terminal() -> Iterator[None]:
    """Have SIGINT do something: a runner in the background of a script starts with it ignored, and so do its children."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def _devices_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the devices of these tests from those of other jobs of this machine, which may have the same names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INSULA_DEVICE_LOCKS", str(tmp_path_factory.mktemp("devices")))
        yield
