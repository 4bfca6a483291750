"""YAML and JSON files as plain data that remembers its lines."""

from insula.documents.document import Document
from insula.documents.reading import parse_document, read_document
from insula.documents.scalar import parse_value

__all__ = ["Document", "parse_document", "parse_value", "read_document"]
