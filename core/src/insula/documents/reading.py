"""Reading documents, with one clear error for whatever is wrong with a file."""

from __future__ import annotations

from pathlib import Path

from insula.documents.document import Document
from insula.documents.json_text import parse_json
from insula.documents.yaml_text import parse_yaml
from insula.errors import Fault, ProjectError, SpecError


def read_document(path: Path, name: str | None = None) -> Document:
    """Read a YAML file, or a JSON file if its name ends in `.json`.

    Args:
        path: the file.
        name: what messages call it; the name of the file if None.

    Raises:
        ProjectError: if the file cannot be read.
        SpecError: if it is not UTF-8, empty, malformed, or neither a mapping nor a list.
    """
    name = path.name if name is None else name
    try:
        text = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProjectError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise ProjectError(f"{path}: this is a folder, not a file") from error
    except (OSError, ValueError) as error:
        raise ProjectError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    return parse_document(text, name, json=path.suffix.lower() == ".json")


def parse_document(text: bytes, name: str, *, json: bool) -> Document:
    """Parse the bytes of a document, JSON or else YAML.

    Raises:
        SpecError: if they are not UTF-8, empty, malformed, or neither a mapping nor a list.
    """
    decoded = _decode(text, name)
    if not decoded or decoded.isspace():
        raise SpecError([Fault("the file is empty")], name)
    document = parse_json(decoded, name) if json else parse_yaml(decoded, name)
    if document.data is None:
        raise SpecError([Fault("the file holds nothing but comments or null")], name)
    if not isinstance(document.data, (dict, list)):
        raise SpecError([Fault("expected a mapping or a list, found a single value", line=1)], name)
    return document


def _decode(text: bytes, name: str) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        column = error.start - text.rfind(b"\n", 0, error.start)
        bad = f"the byte 0x{text[error.start]:02x}" if error.start < len(text) else "its end"
        message = f"the file is not UTF-8 ({bad} is not); save it as UTF-8"
        raise SpecError([Fault(message, line=line, column=column)], name) from error
