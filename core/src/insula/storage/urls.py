"""URLs of storage, told from local paths."""

from __future__ import annotations

import re

from insula.errors import StorageError

# Which extra of insula brings the backend of a scheme.
EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "az": "azure",
    "abfs": "azure",
    "abfss": "azure",
    "http": "http",
    "https": "http",
}

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_PASSWORD = re.compile(r"(://[^/@:?#]*):[^/@?#]*@")


def is_url(path: str) -> bool:
    """Return whether a path names something in a storage; `file://` does not."""
    found = _URL.match(path)
    return found is not None and found[1].lower() != "file"


def local_path(path: str) -> str:
    """Return a local path without `file://`."""
    return path[7:] if path[:7].lower() == "file://" else path


def scheme_of(url: str) -> str:
    """Return the scheme of a URL.

    Raises:
        StorageError: if insula has no backend for it.
    """
    found = _URL.match(url)
    scheme = found[1].lower() if found else ""
    if scheme not in EXTRAS:
        known = ", ".join(f"{one}://" for one in ("s3", "gs", "az", "abfs", "http", "https"))
        raise StorageError(f"{shown(url)}: insula cannot read {scheme}://; it knows local paths and {known}")
    return scheme


def is_web(url: str) -> bool:
    """Return whether a URL is one of a web server, which lists nothing and may have no byte ranges."""
    return url[:7].lower() == "http://" or url[:8].lower() == "https://"


def shown(url: str) -> str:
    """Return a URL as messages name it: without a password."""
    return _PASSWORD.sub(r"\1@", url)


def split_key(url: str) -> tuple[str, str]:
    """Return the root of an object's URL (scheme and bucket) and its key; characters like ? and # are the key's."""
    head, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    return f"{head}://{bucket}", key


def path_in(url: str) -> str:
    """Return the path of a URL within its bucket or server, without a web server's query."""
    if not is_web(url):
        return split_key(url)[1]
    from urllib.parse import urlsplit

    return urlsplit(url).path


def name_in(url: str) -> str:
    """Return the last part of a URL's path: what a file fetched from it is called."""
    return path_in(url).rstrip("/").rpartition("/")[2]
