"""The cache of models: a file or folder behind a URL, fetched once for every job and process of a user."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from insula.errors import StorageError
from insula.storage.faults import MissingError, TransientError
from insula.storage.store import Store, Stored, store_of
from insula.storage.urls import is_url, is_web, name_in, shown

# A record lock does not exclude the process that has it: its threads take turns.
_turn = threading.Lock()


def fetch(url: str, cache: Path) -> Path:
    """Return a local copy of a file, or of all below a folder, fetched if the cache has none of what is there now.

    Several processes may ask at a time: one fetches, the others wait. A copy is there whole or not at all. A model that
    changes is fetched anew beside the old one, which jobs may still use.

    Args:
        url: where it is; a local path is returned as it is.
        cache: the folder of all copies.

    Raises:
        StorageError: if there is nothing, or it cannot be fetched whole.
    """
    if not is_url(url):
        return Path(url)
    store = store_of(url)
    found = _find(store, url)
    entry = cache / _key(url, found)
    model = entry / (name_in(url) or "model")
    if not _is_whole(model, url, found):
        with _locked(cache, entry.name):
            if not _is_whole(model, url, found):
                _fetch(store, found, url, entry, model)
    return model


def _find(store: Store, url: str) -> list[Stored]:
    """Return the one file of this name, or all in the folder: never `model2` for `model`, as a mere prefix would."""
    if is_web(url):
        return store.find(url)
    if not url.endswith("/"):
        try:
            return [store.look(url)]
        except MissingError:
            pass
    try:
        return [one for one in store.find(url.rstrip("/") + "/") if not one.url.endswith("/")]
    except MissingError as error:
        raise MissingError(f"{shown(url)}: there is no such file or folder") from error


def _key(url: str, found: Sequence[Stored]) -> str:
    text = "\n".join([url, *(f"{one.url} {one.size} {one.stamp}" for one in found)])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _target(model: Path, url: str, one: Stored) -> Path:
    below = one.url[len(url) :].strip("/") if one.url != url else ""
    target = Path(os.path.normpath(model / below))
    if target != model and model not in target.parents:
        raise StorageError(f"{shown(one.url)}: its name leads out of the folder")
    return target


def _is_whole(model: Path, url: str, found: Sequence[Stored]) -> bool:
    # Sizes too: after a power cut a name can be there before its bytes are.
    try:
        sizes = [(_target(model, url, one).stat().st_size, one.size) for one in found]
    except (FileNotFoundError, NotADirectoryError):
        return False
    return all(size == listed for size, listed in sizes if listed is not None)


@contextmanager
def _locked(cache: Path, key: str) -> Iterator[None]:
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _turn:
        descriptor = os.open(cache / f"{key}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _fetch(store: Store, found: Sequence[Stored], url: str, entry: Path, model: Path) -> None:
    partial = entry.with_name(f"{entry.name}.partial")
    for left in (partial, entry):
        shutil.rmtree(left, ignore_errors=True)
    partial.mkdir(mode=0o700, parents=True)
    for one in found:
        target = _target(partial / model.name, url, one)
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(store, one, target)
    if _key(url, _find(store, url)) != entry.name:
        shutil.rmtree(partial, ignore_errors=True)
        raise TransientError(f"{shown(url)}: it changed while it was fetched; try again")
    partial.rename(entry)


def _download(store: Store, one: Stored, target: Path) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    with target.open("wb") as file:
        for chunk in store.chunks(one):
            file.write(chunk)
            digest.update(chunk)
        size = file.tell()
    if one.size is not None and size != one.size:
        raise StorageError(f"{shown(one.url)}: {size:,} of {one.size:,} bytes came")
    if one.md5 is not None and base64.b64encode(digest.digest()).decode() != one.md5:
        raise StorageError(f"{shown(one.url)}: what came does not have the digest that the storage keeps")
