"""Single values, as YAML and JSON write them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from insula.errors import Fault, SpecError

if TYPE_CHECKING:
    import yaml


def construct(node: yaml.ScalarNode) -> Any:
    """The value of a scalar, as PyYAML's safe loader gives it, except that a date is its text.

    Raises:
        LookupError: if its tag is unknown.
        ValueError: if it is not what its tag says.
    """
    import yaml

    reader = _readers()[node.tag]
    try:
        return reader(node)
    except (LookupError, yaml.YAMLError, OverflowError) as error:
        # An explicit tag, `!!bool maybe`: PyYAML looks the word up in a table.
        raise ValueError(str(error)) from error


@functools.cache
def _readers() -> dict[str, Callable[[yaml.ScalarNode], Any]]:
    import yaml

    loader = yaml.SafeLoader("")
    readers: dict[str, Callable[[yaml.ScalarNode], Any]] = {
        "null": loader.construct_yaml_null,
        "bool": loader.construct_yaml_bool,
        "int": loader.construct_yaml_int,
        "float": loader.construct_yaml_float,
        "str": loader.construct_yaml_str,
        "timestamp": loader.construct_yaml_str,
        "value": loader.construct_yaml_str,
    }
    return {f"tag:yaml.org,2002:{word}": reader for word, reader in readers.items()}


def parse_value(text: str, name: str) -> Any:
    """What the right side of `key=value` means: JSON, else a YAML scalar or flow collection, else text.

    Args:
        text: the right side; empty means the empty string.
        name: what messages call it.

    Raises:
        SpecError: if it begins like a list, a mapping or a quoted string and is malformed.
    """
    from insula.documents.yaml_text import parse_yaml

    stripped = text.strip()
    try:
        return json.loads(stripped, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        pass
    if stripped[:1] in ("[", "{", '"', "'"):
        return parse_yaml(stripped, name).data
    return _plain_scalar(stripped, name) if stripped else text


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def _plain_scalar(text: str, name: str) -> Any:
    import yaml

    tag = yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    try:
        return construct(yaml.ScalarNode(tag, text))
    except LookupError:
        return text
    except ValueError as error:
        raise SpecError([Fault(f"{text[:60]!r} is not a number")], name) from error
