from __future__ import annotations

import socket

import pytest

from insula.coordinator import ports
from insula.coordinator.ports import take_port
from insula.errors import UserError


def test_nobody_listens_on_it_and_it_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    one = take_port()
    monkeypatch.setattr(ports, "_candidates", lambda: iter([one.number]))
    with pytest.raises(UserError, match="no free port"):
        take_port()
    one.release()
    again = take_port()
    assert again.number == one.number
    again.release()


def test_a_port_on_which_somebody_listens_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setattr(ports, "_candidates", lambda: iter([server.getsockname()[1]]))
        with pytest.raises(UserError, match="no free port"):
            take_port()


def test_it_is_none_of_those_for_outgoing_connections() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        ephemeral = server.getsockname()[1]
    for _ in range(20):
        port = take_port()
        port.release()
        assert ports._LOWEST <= port.number < ephemeral


def test_it_answers_once_somebody_listens() -> None:
    port = take_port()
    assert not port.answers()
    with socket.create_server(("127.0.0.1", port.number)):
        assert port.answers()
        assert port.address == f"127.0.0.1:{port.number}"
    assert not port.answers()
    port.release()
