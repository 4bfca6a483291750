"""Finding plugins among the installed distributions: one scan a process, and only in the coordinator."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from insula.errors import PluginError
from insula.plugins import known
from insula.plugins.checking import check_version
from insula.plugins.reference import ROLES, Reference
from insula.records import frozen

if TYPE_CHECKING:
    from importlib_metadata import Distribution

PREFIX = "insula."


@frozen
class Scan:
    """What the distributions of one path offer.

    Args:
        references: every entry point of a group that starts with `insula.`, by distribution.
        requires: the requirements of each of these distributions.
    """

    references: tuple[Reference, ...]
    requires: Mapping[str, tuple[str, ...]]

    def offers(self, group: str, name: str) -> tuple[Reference, ...]:
        """Return all that is offered under one name."""
        return tuple(found for found in self.references if (found.group, found.name) == (group, name))


def find(group: str, name: str, path: Sequence[str] | None = None) -> Reference:
    """Find the plugin that a user named.

    Args:
        group: the group of entry points, such as `insula.predictors`.
        name: the word that the user wrote.
        path: the folders to look in; None is `sys.path`, as it was at the first call.

    Raises:
        PluginError: nobody offers the name, two distributions do, or the one that does is made for another insula.
    """
    found = scan(path)
    offers = found.offers(group, name)
    if not offers:
        raise PluginError(_unknown(group, name, installed(group, path)))
    if len(offers) > 1:
        raise PluginError(f"{ROLES[group].word}: {claims(offers)}")
    check_version(offers[0], found.requires[offers[0].distribution])
    return offers[0]


def installed(group: str, path: Sequence[str] | None = None) -> tuple[Reference, ...]:
    """Return what is installed for one group, by name, good or not."""
    return tuple(sorted(found for found in scan(path).references if found.group == group))


def claims(offers: Sequence[Reference]) -> str:
    """Say that one name is claimed more than once, and by whom."""
    claimants = " and by ".join(reference.offer for reference in offers)
    return f'"{offers[0].name}" is claimed more than once, by {claimants}; uninstall all but one'


# ------------------------------------------------------------------------------------------------ the scan


def scan(path: Sequence[str] | None = None) -> Scan:
    """Return what is offered on a path, read once a process."""
    return _scan(None if path is None else tuple(path))


@functools.cache
def _scan(path: tuple[str, ...] | None) -> Scan:
    references: list[Reference] = []
    requires: dict[str, tuple[str, ...]] = {}
    for offering in sorted(_offering(path)):
        distribution = _first(offering, path)
        if distribution is not None:
            headers = _headers(distribution)
            name, version = headers["Name"][0], headers.get("Version", ["?"])[0]
            requires[name] = tuple(headers.get("Requires-Dist", ()))
            references += [Reference(*entry, name, version) for entry in _entries(distribution)]
    return Scan(tuple(dict.fromkeys(references)), requires)


def _offering(path: tuple[str, ...] | None) -> set[str]:
    offering = (distribution for distribution in _discover(path) if f"[{PREFIX}" in _entry_points(distribution))
    return {name for distribution in offering for name in _headers(distribution).get("Name", ())}


def _first(name: str, path: tuple[str, ...] | None) -> Distribution | None:
    # A distribution that lies on the path twice counts as Python imports it: the first hides the others. What pip left
    # behind of an interrupted uninstall (no name, or a folder of another name) is not found by its name.
    found = (distribution for distribution in _discover(path, name) if "Name" in _headers(distribution))
    return next(found, None)


def _discover(path: tuple[str, ...] | None, name: str | None = None) -> Iterable[Distribution]:
    from importlib_metadata import Distribution

    options = {} if path is None else {"path": list(path)}
    found: Iterable[Distribution] = Distribution.discover(name=name, **options)
    return found


def _entries(distribution: Distribution) -> Iterator[tuple[str, str, str]]:
    # importlib_metadata's own parser stops at a malformed line: one broken distribution would hide all the others.
    group = ""
    for line in map(str.strip, _entry_points(distribution).splitlines()):
        if line.startswith("["):
            group = line.strip("[]").strip()
        elif line and not line.startswith(("#", ";")) and group.startswith(PREFIX):
            name, _, value = line.partition("=")
            yield group, name.strip(), value.strip()


def _entry_points(distribution: Distribution) -> str:
    return _text(distribution, "entry_points.txt")


def _headers(distribution: Distribution) -> Mapping[str, Sequence[str]]:
    # `distribution.name` raises where the metadata is missing, and imports a parser of mail for 10 ms where it is not.
    text = _text(distribution, "METADATA") or _text(distribution, "PKG-INFO")
    headers: dict[str, list[str]] = {}
    for line in itertools.takewhile(str.strip, text.splitlines()):
        name, _, value = line.partition(":")
        headers.setdefault(name, []).append(value.strip())
    return headers


def _text(distribution: Distribution, file: str) -> str:
    try:
        return distribution.read_text(file) or ""
    except UnicodeDecodeError:
        # These files are UTF-8 by their specification: what is not offers nothing, to pip or to us.
        return ""


# ------------------------------------------------------------------------------------------------ nobody offers it


def _unknown(group: str, name: str, there: Sequence[Reference]) -> str:
    names = sorted({reference.name for reference in there})
    package = known.package(group, name)
    if package:
        what = f'"{name}" comes with {package}, which is not installed: pip install {package}.'
    else:
        what = f'there is no {ROLES[group].noun} "{name}"' + _nearest(group, name, names)
    return f"{ROLES[group].word}: {what} Installed: {', '.join(names) or 'none'}."


def _nearest(group: str, name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    for near in get_close_matches(name, [*names, *known.names(group)], n=1):
        package = None if near in names else known.package(group, near)
        return f'; did you mean "{near}"' + (f" (pip install {package})?" if package else "?")
    return "."
