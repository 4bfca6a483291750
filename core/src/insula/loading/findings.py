"""What is found wrong with a document while it is read to its end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

import attrs

from insula.documents import Document
from insula.errors import Fault, PluginError, SpecError
from insula.records import frozen
from insula.structure import did_you_mean, nearest, structure

T = TypeVar("T")
Path = tuple[str | int, ...]


@frozen
class Findings:
    """The faults of one document so far.

    Args:
        document: what is read.
        base: where in it the entry stands that is read; the paths given to the methods start there.
    """

    document: Document
    base: Path = ()
    faults: list[Fault] = attrs.field(factory=list)
    _meant: set[Path] = attrs.field(factory=set)

    def add(self, message: str, *path: str | int) -> None:
        """Note a fault."""
        self.faults.append(Fault(message, (*self.base, *path)))

    def structure(self, data: Any, cls: type[T], *path: str | int) -> T | None:
        """Structure a part of the document; None if it has faults, which are noted."""
        try:
            return structure(data, cls, (*self.base, *path))
        except SpecError as error:
            self.faults.extend(error.faults)
            return None

    def look_up(self, find: Callable[[str], T], word: str, *path: str | int) -> T | None:
        """Find the plugin that a word names; None if there is none, which is noted."""
        try:
            return find(word)
        except PluginError as error:
            # The path says already which field it is about.
            field = ".".join(map(str, path))
            self.add(str(error).removeprefix(f"{field}: "), *path)
            return None

    def refuse_unknown(self, data: Mapping[str, Any], known: Collection[str], *path: str | int) -> None:
        """Note every key that is not known, with the one that may have been meant."""
        for key in data:
            if key not in known:
                self.add(f"unknown key; {did_you_mean(key, known)}", *path, key)
                near = nearest(key, known)
                if near is not None and near not in data:
                    self._meant.add((*self.base, *path, near))

    def raise_any(self) -> None:
        """Raise SpecError if a fault was noted."""
        if self.faults:
            raise self.document.error([fault for fault in self.faults if not self._told(fault)])

    def _told(self, fault: Fault) -> bool:
        # A key that is misspelt is told once, not also as missing under its right name.
        return fault.path in self._meant and fault.message.startswith("missing:")


def pick(data: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return those keys of a section that are in `keys` and set: null is the same as absent, as it was in Cortex."""
    return {key: value for key, value in data.items() if key in keys and value is not None}
