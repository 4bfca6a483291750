"""The entries of cortex.yaml, and which of them is meant."""

from __future__ import annotations

from typing import Any

from insula.documents import Document
from insula.loading.findings import Findings
from insula.structure import did_you_mean


def choose(document: Document, name: str | None) -> tuple[Findings, dict[str, Any]]:
    """Return the entry that is meant, and what will gather its faults.

    Args:
        document: one entry or a list of entries.
        name: of the API; None if there is only one.

    Raises:
        SpecError: if no entry, or more than one, can be meant.
    """
    entries = document.data if isinstance(document.data, list) else [document.data]
    paths = [(index,) if isinstance(document.data, list) else () for index in range(len(entries))]
    named = [(entry.get("name") if isinstance(entry, dict) else None) for entry in entries]
    if name is None and len(entries) == 1:
        wanted = [0]
    else:
        wanted = [index for index, one in enumerate(named) if name is not None and one == name]
    if len(wanted) != 1:
        raise document.error(_none_or_several(document, name, [one for one in named if isinstance(one, str)], wanted))
    findings = Findings(document, paths[wanted[0]])
    entry = entries[wanted[0]]
    if not isinstance(entry, dict):
        findings.add("expected a mapping, the entry of one API")
        findings.raise_any()
    return findings, entry


def _none_or_several(document: Document, name: str | None, names: list[str], wanted: list[int]) -> list[Any]:
    findings = Findings(document)
    if not document.data:
        findings.add("expected an API, found none")
    elif wanted:
        findings.add(f"more than one API is named {name}", wanted[1], "name")
    elif not names:
        findings.add("expected one API, or a list of APIs each with a name; found a list without any name")
    elif name is None:
        findings.add(f"it holds several APIs ({', '.join(names)}): name the one to run (--api NAME)")
    else:
        findings.add(f"no API is named {name}; {did_you_mean(name, names)}")
    return findings.faults
