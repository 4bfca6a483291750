from __future__ import annotations

import re
from pathlib import Path

from insula.plugins import known
from insula.plugins.reference import ROLES

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_what_the_core_ships_is_known() -> None:
    shipped = {}
    for group, body in re.findall(
        r'^\[project\.entry-points\."(.+?)"\]\n(.*?)(?=^\[|\Z)',
        PYPROJECT.read_text(),
        re.MULTILINE | re.DOTALL,
    ):
        shipped[group] = re.findall(r"^(\w+) = ", body, re.MULTILINE)
    assert set(shipped) == {"insula.sources", "insula.hardware", "insula.executors"}
    for group, names in shipped.items():
        assert {name: known.package(group, name) for name in names} == dict.fromkeys(names, "insula")
        assert {name for name in known.names(group) if known.package(group, name) == "insula"} == set(names)


def test_only_groups_that_exist_are_known() -> None:
    assert set(known.PACKAGES) <= set(ROLES)


def test_nothing_is_known_of_a_stranger() -> None:
    assert known.package("insula.predictors", "stranger") is None
    assert known.names("insula.commands") == ()
