"""What backends raise, put into one sentence.

Backends and their HTTP libraries have some dozens of exceptions, which are told apart by name: importing the libraries to
name their classes would cost a second, and each is installed only where it is used.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator

from insula.errors import StorageError, UserError
from insula.records import frozen


class MissingError(StorageError):
    """There is nothing behind a URL."""


class DeniedError(StorageError):
    """A storage refuses, for want of credentials or permission."""


class TransientError(StorageError):
    """Something that often passes, and did not while it was retried."""


class ShortBodyError(ConnectionError):
    """A body ended before its announced length."""


@frozen
class Cause:
    """Why a storage failed, and of which kind that is; `silent` if it was waited for in vain."""

    text: str
    kind: type[StorageError] = StorageError
    silent: bool = False


_BACKENDS = {"botocore", "aiobotocore", "s3fs", "aiohttp", "gcsfs", "google", "adlfs", "azure", "fsspec", "yarl"}
_NO_CREDENTIALS = {
    "NoCredentialsError",
    "PartialCredentialsError",
    "CredentialRetrievalError",
    "DefaultCredentialsError",
    "ClientAuthenticationError",
    "ProfileNotFound",
    "TokenRetrievalError",
}
_TIMEOUTS = {"TimeoutError", "FSTimeoutError", "ReadTimeoutError", "ConnectTimeoutError", "ServiceResponseTimeoutError"}
_BROKEN = {
    "ClientPayloadError",
    "ClientConnectionError",
    "IncompleteRead",
    "IncompleteReadError",
    "HTTPClientError",
    "ResponseParserError",
    "ServiceRequestError",
    "ServiceResponseError",
    "ConnectionError",
}
_BUSY_STATUS = {408, 425, 429}
_BUSY_CODES = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "InternalError",
}
_PASSES = {errno.EBUSY, errno.EREMOTEIO} if hasattr(errno, "EREMOTEIO") else {errno.EBUSY}
# Of the local machine: the disk is full, or there are too many open files.
_LOCAL = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EROFS}


def explain(error: Exception) -> Cause | None:
    """Say why a backend failed; None if the error is not of a storage."""
    chain = list(_chain(error))
    if isinstance(error, UserError) or not any(map(_of_storage, chain)):
        return None
    names = {kind.__name__ for one in chain for kind in type(one).__mro__}
    status = next(filter(None, map(_status, chain)), 0)
    if names & _NO_CREDENTIALS:
        return Cause(f"there are no credentials that serve: {_text(error)}", DeniedError)
    if isinstance(error, PermissionError) or status in (401, 403):
        return Cause(f"permission denied: {_text(error)}", DeniedError)
    if isinstance(error, FileNotFoundError) or status in (404, 410):
        return Cause(_missing(chain), MissingError)
    return _of_network(error, chain, names, status)


def _of_network(error: Exception, chain: list[BaseException], names: set[str], status: int) -> Cause:
    unresolved = next((one for one in chain if isinstance(one, socket.gaierror)), None)
    if unresolved is not None or "ClientConnectorDNSError" in names:
        again = unresolved is not None and unresolved.errno == socket.EAI_AGAIN
        return Cause(
            f"the name of the server cannot be resolved: {_text(error)}", TransientError if again else StorageError
        )
    if names & {"ClientConnectorCertificateError", "SSLCertVerificationError", "SSLError"}:
        return Cause(f"no secure connection: {_text(error)}")
    if status >= 500 or status in _BUSY_STATUS or any(_code(one) in _BUSY_CODES for one in chain):
        return Cause(f"the server answers {status or _code(error)}: {_text(error)}", TransientError)
    if names & _TIMEOUTS:
        return Cause("the server did not answer in time", TransientError, silent=True)
    if "ConnectionRefusedError" in names or "EndpointConnectionError" in names:
        return Cause(f"no connection to the server: {_text(error)}", TransientError)
    if names & _BROKEN:
        return Cause(f"the connection broke: {_text(error)}", TransientError)
    if isinstance(error, OSError) and error.errno in _PASSES:
        return Cause(_text(error), TransientError)
    return Cause(_text(error))


def _of_storage(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno not in _LOCAL
    return type(error).__module__.partition(".")[0] in _BACKENDS


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it came of, as far as its library kept them."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        kept = getattr(error, "kwargs", None)
        inner = kept.get("error") if isinstance(kept, dict) else getattr(error, "os_error", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None)
    found = response.get("ResponseMetadata", {}).get("HTTPStatusCode") if isinstance(response, dict) else None
    for name in ("status", "status_code", "code"):
        found = found or getattr(error, name, None)
    return int(str(found)) if str(found).isdigit() else 0


def _code(error: BaseException) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _missing(chain: list[BaseException]) -> str:
    if any(_code(one) == "NoSuchBucket" for one in chain) or "bucket does not exist" in str(chain[0]):
        return "the bucket does not exist"
    return "there is no such file"


def _text(error: BaseException) -> str:
    """Return one short line of what an error says."""
    if isinstance(error, OSError) and error.strerror:
        text = str(error.strerror)
    else:
        text = str(getattr(error, "message", "") or error) or type(error).__name__
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:200]}…"
