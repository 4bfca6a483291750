"""YAML, as PyYAML's safe loader reads it, with the line of every key and every fault.

Two departures, because specs must be writable as JSON: keys are strings, and dates are the text that the user wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from insula.documents.document import Document, Mark, Path
from insula.errors import Fault, SpecError
from insula.records import define

if TYPE_CHECKING:
    import yaml

_DEEPEST = 100
_MOST_NODES = 200_000
_PREFIX = "tag:yaml.org,2002:"


def parse_yaml(text: str, name: str) -> Document:
    """Parse a single YAML document.

    Raises:
        SpecError: with its syntax error, or with all of its duplicate keys, unknown tags and the like.
    """
    import yaml

    try:
        root = _compose(text)
    except _Fatal as fatal:
        raise SpecError([fatal.fault], name) from None
    except yaml.reader.ReaderError as error:
        raise SpecError([_unreadable(text, error)], name) from error
    except yaml.MarkedYAMLError as error:
        raise SpecError([_syntax(error)], name) from error
    except UnicodeEncodeError as error:
        raise SpecError([Fault("the file holds half a surrogate pair, which is not a character")], name) from error
    return _document(root, name)


def _document(root: yaml.Node | None, name: str) -> Document:
    if root is None:
        return Document(name, None)
    tree = _Tree()
    try:
        data = tree.value(root, ())
    except _Fatal as fatal:
        tree.faults.append(fatal.fault)
        data = None
    document = Document(name, data, tree.marks.get)
    if tree.faults:
        raise document.error(tree.faults)
    return document


class _Fatal(Exception):
    """A fault after which reading on makes no sense."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self.fault = fault


# ------------------------------------------------------------------------------------ syntax


def _compose(text: str) -> yaml.Node | None:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # Composing recurses, in C as well: too deep a document would end the process.
    depth = 0
    for event in yaml.parse(text, Loader=loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise _Fatal(_at("the document is nested too deeply", (), _mark(event.start_mark)))
    return yaml.compose(text, Loader=loader)


def _mark(mark: Any) -> Mark:
    return mark.line + 1, mark.column + 1


def _at(message: str, path: Path, mark: Mark) -> Fault:
    return Fault(message, path, *mark)


def _syntax(error: yaml.MarkedYAMLError) -> Fault:
    message = ", ".join(part for part in (_context(error), error.problem) if part)
    if "cannot start any token" in message:
        message += " (YAML is indented with spaces, never with tabs; text that begins so needs quotes)"
    mark = error.problem_mark or error.context_mark
    return Fault(f"not valid YAML: {message}", (), *(_mark(mark) if mark else (None, None)))


def _context(error: yaml.MarkedYAMLError) -> str | None:
    """What was being read, and where that begins: a quote that is never closed, say."""
    if not error.context or error.context_mark is None or error.problem_mark is None:
        return error.context
    line, column = _mark(error.context_mark)
    apart = line != error.problem_mark.line + 1
    return f"{error.context} that begins at line {line}, column {column}" if apart else error.context


def _unreadable(text: str, error: yaml.reader.ReaderError) -> Fault:
    at = min(error.position, len(text))
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return Fault(f"not valid YAML: {error.reason} (character {error.character!r})", (), line, column)


# ------------------------------------------------------------------------------------ values


@define
class _Tree:
    """What reading the nodes of one document gathers."""

    marks: dict[Path, Mark] = attrs.field(factory=dict)
    faults: list[Fault] = attrs.field(factory=list)
    inside: set[int] = attrs.field(factory=set)
    nodes: int = 0

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.marks.setdefault(path, _mark(node.start_mark))
        self._guard(node, path)
        self.inside.add(id(node))
        try:
            return self._value(node, path)
        finally:
            self.inside.discard(id(node))

    def _guard(self, node: yaml.Node, path: Path) -> None:
        self.nodes += 1
        if self.nodes > _MOST_NODES:
            raise _Fatal(Fault("the document has too many parts once its aliases are written out"))
        if id(node) in self.inside:
            raise _Fatal(_at("an alias stands inside of what it names", path, _mark(node.start_mark)))
        if len(self.inside) > _DEEPEST:
            raise _Fatal(_at("the document is nested too deeply", (), _mark(node.start_mark)))

    def _value(self, node: yaml.Node, path: Path) -> Any:
        import yaml

        if isinstance(node, yaml.MappingNode) and node.tag == _PREFIX + "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and node.tag == _PREFIX + "seq":
            return [self.value(entry, (*path, index)) for index, entry in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        return self._refuse(f"the tag {_tag(node)} is not known", node, path)

    def _refuse(self, message: str, node: yaml.Node, path: Path) -> None:
        self.faults.append(_at(message, path, _mark(node.start_mark)))

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        from insula.documents.scalar import construct

        try:
            return construct(node)
        except LookupError:
            return self._refuse(f"the tag {_tag(node)} is not known", node, path)
        except ValueError:
            return self._refuse(f"{node.value[:60]!r} is not a valid {_tag(node)[2:]}", node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PREFIX + "merge":
                merged = {**self._merged(value_node, path), **merged}
                continue
            key = self._key(key_node, path)
            if key is None:
                continue
            place = (*path, key)
            if key in made:
                self._refuse("this key stands here a second time", key_node, place)
            self.marks[place] = _mark(key_node.start_mark)
            made[key] = self.value(value_node, place)
        return {**merged, **made}

    def _merged(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        """What `<<: *name` or `<<: [*one, *other]` stands for; what is named first wins."""
        value = self.value(node, path)
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            self._refuse("<< merges mappings only", node, path)
            return {}
        return {key: item for part in reversed(parts) for key, item in part.items()}

    def _key(self, node: yaml.Node, path: Path) -> str | None:
        import yaml

        if isinstance(node, yaml.ScalarNode):
            key = self._scalar(node, path)
            if isinstance(key, str):
                return key
            self._refuse(f"keys are strings: put {node.value[:60] or 'null'} in quotes", node, path)
        else:
            self._refuse("keys are strings, not lists or mappings", node, path)
        return None


def _tag(node: yaml.Node) -> str:
    return "!!" + node.tag[len(_PREFIX) :] if node.tag.startswith(_PREFIX) else node.tag
