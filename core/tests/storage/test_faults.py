"""What backends raise, by stand-ins of the same names: none of them is installed here."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from insula.errors import StorageError
from insula.storage.faults import DeniedError, MissingError, ShortBodyError, TransientError, explain


def made(name: str, module: str = "botocore.exceptions", message: str = "", **fields: Any) -> Exception:
    error: Exception = type(name, (Exception,), {"__module__": module, **fields})(message)
    return error


def client_error(code: str, status: int) -> Exception:
    return made("ClientError", response={"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}})


@pytest.mark.parametrize(
    "error, kind, words",
    [
        (made("NoCredentialsError", message="Unable to locate credentials"), DeniedError, "no credentials that serve"),
        (PermissionError("Forbidden"), DeniedError, "permission denied: Forbidden"),
        (made("ClientResponseError", "aiohttp.client_exceptions", status=401), DeniedError, "permission denied"),
        (FileNotFoundError("The specified bucket does not exist"), MissingError, "the bucket does not exist"),
        (FileNotFoundError("b/k"), MissingError, "there is no such file"),
        (made("ClientResponseError", "aiohttp.client_exceptions", status=404), MissingError, "there is no such file"),
        (made("HttpResponseError", "azure.core.exceptions", status_code=503), TransientError, "the server answers 503"),
        (made("HttpError", "gcsfs.retry", code=429), TransientError, "the server answers 429"),
        (client_error("SlowDown", 503), TransientError, "the server answers 503"),
        (client_error("InternalError", 200), TransientError, "the server answers 200"),
        (made("ReadTimeoutError"), TransientError, "did not answer in time"),
        (TimeoutError(), TransientError, "did not answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), TransientError, "no connection to the server"),
        (made("ClientPayloadError", "aiohttp.client_exceptions"), TransientError, "the connection broke"),
        (ConnectionResetError(104, "reset by peer"), TransientError, "the connection broke: reset by peer"),
        (ShortBodyError("5 of 9"), TransientError, "the connection broke: 5 of 9"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), TransientError, "cannot be resolved"),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), StorageError, "cannot be resolved: unknown"),
        (made("ClientConnectorCertificateError", "aiohttp.client_exceptions"), StorageError, "no secure connection"),
        (OSError(errno.EBUSY, "slow down"), TransientError, "slow down"),
        (OSError(errno.EINVAL, "no such range"), StorageError, "no such range"),
        (made("ParamValidationError", message="a\n  b"), StorageError, "a b"),
    ],
)
def test_each_is_told_in_a_sentence_of_its_kind(error: Exception, kind: type, words: str) -> None:
    cause = explain(error)
    assert cause is not None
    assert cause.kind is kind
    assert words in cause.text


def test_what_an_error_came_of_decides_too() -> None:
    inner = made("EndpointConnectionError", kwargs={"error": socket.gaierror(socket.EAI_NONAME, "unknown")})
    cause = explain(inner)
    assert cause is not None
    assert cause.kind is StorageError
    outer = OSError(errno.EIO, "internal")
    outer.__cause__ = client_error("InternalError", 500)
    cause = explain(outer)
    assert cause is not None
    assert cause.kind is TransientError


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EMFILE, "Too many open files"),
        KeyError("a fault of ours"),
        StorageError("told already"),
    ],
)
def test_what_is_no_storages_fault_is_left_as_it_is(error: Exception) -> None:
    assert explain(error) is None


def test_a_long_text_is_cut() -> None:
    cause = explain(OSError("x" * 5000))
    assert cause is not None
    assert len(cause.text) < 250
