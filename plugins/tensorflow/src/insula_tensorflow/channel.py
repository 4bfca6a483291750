"""The connection to a server: its options, and TLS."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import grpc

from insula.errors import UserError
from insula_tensorflow import messages
from insula_tensorflow.settings import TlsSettings

_LOOPBACK = ("127.", "localhost:", "[::1]:")
_OPTIONS: tuple[tuple[str, Any], ...] = (
    # Batches are as large as their user makes them; gRPC would stop at 4 MiB.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A server that is started again is found soon, not after the two minutes that gRPC's delays grow to.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # A connection for each model: large messages of one do not wait for those of another.
    ("grpc.use_local_subchannel_pool", 1),
)


@attrs.frozen
class Calls:
    """The three calls, each of a request, with `timeout` in seconds."""

    predict: Callable[..., Any]
    get_metadata: Callable[..., Any]
    get_status: Callable[..., Any]


class Channel:
    """A connection that is made when it is first needed, and anew in a process that was forked.

    Args:
        address: `host:port`.
        tls: whether to speak TLS, and how.
        project: what the paths of its files start from.

    Raises:
        UserError: if one of its files cannot be read.
    """

    def __init__(self, address: str, tls: bool | TlsSettings, project: Path) -> None:
        self._address = address
        self._credentials = _credentials(tls, project)
        self._options = _OPTIONS + _further(address, tls)
        self._lock = threading.Lock()
        self._open: tuple[int, grpc.Channel, Calls] | None = None

    @property
    def calls(self) -> Calls:
        """The calls of the server."""
        opened = self._open
        # A child inherits the connection's memory, but none of the threads that serve it.
        if opened is None or opened[0] != os.getpid():
            opened = self._opened()
        return opened[2]

    def _opened(self) -> tuple[int, grpc.Channel, Calls]:
        with self._lock:
            if self._open is None or self._open[0] != os.getpid():
                channel = self._connect()
                self._open = (os.getpid(), channel, _calls(channel))
            return self._open

    def _connect(self) -> grpc.Channel:
        if self._credentials is None:
            return grpc.insecure_channel(self._address, self._options)
        return grpc.secure_channel(self._address, self._credentials, self._options)

    def close(self) -> None:
        """Close the connection, if this process made one."""
        with self._lock:
            opened, self._open = self._open, None
        if opened is not None and opened[0] == os.getpid():
            opened[1].close()


def _calls(channel: grpc.Channel) -> Calls:
    def call(method: str, response: Any) -> Callable[..., Any]:
        made: Callable[..., Any] = channel.unary_unary(
            method, request_serializer=_serialized, response_deserializer=response.FromString
        )
        return made

    return Calls(
        predict=call(messages.PREDICT, messages.PredictResponse),
        get_metadata=call(messages.GET_METADATA, messages.GetModelMetadataResponse),
        get_status=call(messages.GET_STATUS, messages.GetModelStatusResponse),
    )


def _serialized(request: Any) -> bytes:
    text: bytes = request.SerializeToString()
    return text


def _further(address: str, tls: bool | TlsSettings) -> tuple[tuple[str, Any], ...]:
    options: tuple[tuple[str, Any], ...] = ()
    if address.startswith(_LOOPBACK):
        # gRPC would send even these through the proxy of the environment.
        options += (("grpc.enable_http_proxy", 0),)
    if isinstance(tls, TlsSettings) and tls.server_name:
        options += (("grpc.ssl_target_name_override", tls.server_name),)
    return options


def _credentials(tls: bool | TlsSettings, project: Path) -> grpc.ChannelCredentials | None:
    if not tls:
        return None
    given = tls if isinstance(tls, TlsSettings) else TlsSettings()
    return grpc.ssl_channel_credentials(
        root_certificates=_read(given.ca, "ca", project),
        private_key=_read(given.key, "key", project),
        certificate_chain=_read(given.certificate, "certificate", project),
    )


def _read(path: str | None, key: str, project: Path) -> bytes | None:
    if path is None:
        return None
    try:
        return Path(project, path).read_bytes()
    except OSError as error:
        raise UserError(f"predictor.tensorflow_serving.tls.{key} ({path}) cannot be read: {error.strerror}") from error
