"""What every storage can do, and which one is behind a URL."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from insula.errors import StorageError
from insula.records import frozen
from insula.storage.urls import EXTRAS, is_web, scheme_of, shown, split_key

# One request asks for no more, so that little is lost when a connection breaks.
RANGE = 8 << 20
# Seconds without a byte after which a server counts as hung.
TIMEOUT = 15.0


@frozen
class Stored:
    """What a storage says of one file.

    Args:
        url: where it is.
        size: bytes, None if the server does not say.
        stamp: what differs when the content does: an etag, else a modification time; None if there is neither.
        ranges: whether parts of it can be read.
        md5: the content's digest in base64, where the storage keeps one.
    """

    url: str
    size: int | None
    stamp: str | None
    ranges: bool = True
    md5: str | None = None


class Store(Protocol):
    """One storage. Every method raises StorageError, naming the URL and the cause, after some tries if that may help."""

    def find(self, url: str) -> list[Stored]:
        """Return the files whose URLs begin with `url`, by name; only that file if there is one of exactly this name."""

    def look(self, url: str) -> Stored:
        """Return what the storage says of a file now."""

    def read(self, url: str, start: int, length: int) -> bytes:
        """Return exactly `length` bytes from `start` on."""

    def chunks(self, stored: Stored) -> Iterator[bytes]:
        """Yield a whole file in order, some MiB at a time."""

    def write(self, path: Path, url: str) -> None:
        """Write a local file to `url`, whole or not at all."""

    def delete(self, url: str) -> None:
        """Delete a file."""


def store_of(url: str) -> Store:
    """Return the storage behind a URL.

    Raises:
        StorageError: if its scheme is unknown, or its backend is not installed.
    """
    scheme = scheme_of(url)
    try:
        return _open("http" if is_web(url) else scheme, split_key(url)[0] if not is_web(url) else "", _surroundings())
    except ImportError as error:
        extra = EXTRAS[scheme]
        raise StorageError(
            f"{shown(url)}: {scheme}:// needs a package that is not installed ({_package(error)}): "
            f'pip install "insula[{extra}]"'
        ) from error
    except ValueError as error:
        # adlfs, say, without an account: a setting that is missing or wrong.
        raise StorageError(f"{shown(url)}: {error}") from error


def _package(error: ImportError) -> str:
    # fsspec raises its own sentence about a missing backend, from the error that names it.
    return error.name or getattr(error.__cause__, "name", None) or str(error)


def _surroundings() -> tuple[tuple[str, str], ...]:
    # A program that lives long may set its credentials late: another environment is another connection.
    beginnings = (
        "AWS_",
        "FSSPEC_",
        "GOOGLE_",
        "GCSFS_",
        "STORAGE_EMULATOR",
        "AZURE_",
        "INSULA_STORAGE",
        "HTTP",
        "NO_PROXY",
    )
    return tuple(sorted(item for item in os.environ.items() if item[0].upper().startswith(beginnings)))


def timeout() -> float:
    """Return the seconds without a byte after which a server counts as hung: `INSULA_STORAGE_TIMEOUT`, by default 15.

    Raises:
        StorageError: if the variable is no positive number.
    """
    text = os.environ.get("INSULA_STORAGE_TIMEOUT", "")
    try:
        seconds = float(text) if text else TIMEOUT
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise StorageError(f"INSULA_STORAGE_TIMEOUT must be a number of seconds, not {text!r}")
    return seconds


# The connections of a process: each costs handshakes, and fsspec's own cache makes one for every thread.
@functools.lru_cache(maxsize=16)
def _open(scheme: str, root: str, surroundings: tuple[tuple[str, str], ...]) -> Store:
    if scheme == "http":
        from insula.storage.web import WebStore

        return WebStore(_filesystem(scheme, root))
    from insula.storage.objects import ObjectStore

    return ObjectStore(_filesystem(scheme, root))


def _filesystem(scheme: str, root: str) -> Any:
    import fsspec

    kind = fsspec.get_filesystem_class(scheme)
    configured = fsspec.config.conf.get(scheme, {})
    options = kind._get_kwargs_from_urls(root) if root else {}
    if EXTRAS[scheme] == "s3":
        options["config_kwargs"] = {**_s3_patience(), **configured.get("config_kwargs", {})}
    if EXTRAS[scheme] == "http":
        options["client_kwargs"] = {**_web_patience(), **configured.get("client_kwargs", {})}
    filesystem = kind(**options, use_listings_cache=False, skip_instance_cache=True)
    if EXTRAS[scheme] == "s3":
        filesystem.retries = 2  # beside ours: the parts of one upload are tried again only here
    return filesystem


def _s3_patience() -> dict[str, Any]:
    seconds = timeout()
    patience: dict[str, Any] = {"connect_timeout": seconds, "read_timeout": seconds}
    if not {"AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"} & set(os.environ):
        # Tries multiply: botocore's five, of each that is made here.
        patience["retries"] = {"total_max_attempts": 1}
    return patience


def _web_patience() -> dict[str, Any]:
    import aiohttp

    seconds = timeout()
    return {
        "timeout": aiohttp.ClientTimeout(total=None, sock_connect=seconds, sock_read=seconds),
        "trust_env": True,  # proxies and .netrc
        "auto_decompress": False,  # offsets and sizes are those of the file
    }
