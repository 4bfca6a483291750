from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insula.errors import PluginError, SpecError
from insula.spec import ApiSpec, ModelSpec, PredictorSpec
from insula.spec.plain import from_plain, to_plain
from insula.structure import structure


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


def seconds(value: str | int) -> float:
    if isinstance(value, str):
        if not value.endswith("s"):
            raise ValueError(f"a duration such as 2s, not {value}")
        return float(value[:-1])
    return float(value)


@attrs.frozen
class Inner:
    number: int
    share: float = 1.0


@attrs.frozen
class Other:
    words: tuple[str, ...]


@attrs.frozen
class Settings:
    count: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    text: str | None = None
    word: Literal["each", "whole"] = "each"
    inner: Inner | None = None
    many: tuple[Inner, ...] = ()
    pair: tuple[int, str] | None = None
    names: Sequence[str] = ()
    listed: list[int] = attrs.field(factory=list)
    unique: frozenset[str] = frozenset()
    by_name: Mapping[str, int] = attrs.field(factory=dict)
    colour: Colour = Colour.RED
    level: Level = Level.LOW
    wait: float = attrs.field(default=0.0, converter=seconds)
    either: int | Other | str = 1
    flag: bool = False
    where: Path = Path()
    as_tuple: tuple[str, ...] = attrs.field(default=(), converter=tuple)
    anything: Any = None


@pytest.mark.parametrize(
    "key, value, made",
    [
        ("count", 3, 3),
        ("text", None, None),
        ("text", "a", "a"),
        ("word", "whole", "whole"),
        ("inner", {"number": 1}, Inner(1)),
        ("inner", {"number": 1, "share": 2}, Inner(1, 2.0)),
        ("many", [{"number": 1}, {"number": 2}], (Inner(1), Inner(2))),
        ("pair", [1, "a"], (1, "a")),
        ("names", ["a"], ("a",)),
        ("listed", [1, 2], [1, 2]),
        ("unique", ["a", "a"], frozenset("a")),
        ("by_name", {"a": 1}, {"a": 1}),
        ("colour", "blue", Colour.BLUE),
        ("level", 1, Level.LOW),
        ("wait", "3s", 3.0),
        ("wait", 3, 3.0),
        ("either", "a", "a"),
        ("either", 2, 2),
        ("either", {"words": []}, Other(())),
        ("flag", True, True),
        ("where", "a/b", Path("a/b")),
        ("as_tuple", ["a"], ("a",)),
        ("anything", {"a": [1]}, {"a": [1]}),
    ],
)
def test_values(key: str, value: Any, made: Any) -> None:
    found = getattr(structure({key: value}, Settings), key)
    assert found == made
    assert type(found) is type(made)


@pytest.mark.parametrize(
    "data, field, words",
    [
        ({"count": "4"}, "count", ["an integer", 'the string "4"', "without quotes"]),
        ({"count": True}, "count", ["an integer", "found true"]),
        ({"count": 4.0}, "count", ["an integer", "4.0"]),
        ({"count": 0}, "count", ["must be >= 1: 0"]),
        ({"text": 4}, "text", ["a string", "the integer 4", "in quotes"]),
        ({"word": "eech"}, "word", ['"each" or "whole"', "did you mean each?"]),
        ({"word": 1}, "word", ['"each" or "whole"', "the integer 1"]),
        ({"inner": {}}, "inner.number", ["missing", "an integer"]),
        ({"inner": {"number": 1, "shore": 2}}, "inner.shore", ["unknown key", "did you mean share?"]),
        ({"inner": {"number": 1, "share": "2"}}, "inner.share", ["a number"]),
        ({"inner": {"number": 1, "share": 10**400}}, "inner.share", ["a number", "very large"]),
        ({"inner": 3}, "inner", ["a mapping", "the integer 3"]),
        ({"many": [{"number": 1}, {"number": "1"}]}, "many[1].number", ["an integer"]),
        ({"many": {"number": 1}}, "many", ["a list", "found a mapping"]),
        ({"pair": [1]}, "pair", ["a list of 2"]),
        ({"pair": [1, 2]}, "pair[1]", ["a string"]),
        ({"names": "abc"}, "names", ["a list", 'the string "abc"']),
        ({"unique": [[]]}, "unique[0]", ["a string", "found a list"]),
        ({"by_name": {"a": "1"}}, "by_name.a", ["an integer"]),
        ({"by_name": {1: 1}}, "by_name.1", ["a string", "in quotes"]),
        ({"colour": "rod"}, "colour", ['"red" or "blue"', "did you mean red?"]),
        ({"wait": "3m"}, "wait", ["a duration such as 2s, not 3m"]),
        ({"wait": []}, "wait", ["a string or an integer", "found a list"]),
        ({"either": {"words": [1]}}, "either.words[0]", ["a string"]),
        ({"either": 1.5}, "either", ["an integer, a mapping or a string"]),
        ({"flag": "yes"}, "flag", ["true or false", 'the string "yes"']),
        ({"where": 1}, "where", ["a path"]),
        ({"as_tuple": "abc"}, "as_tuple", ["a list"]),
        ({"contu": 1}, "contu", ["unknown key", "did you mean count?"]),
    ],
)
def test_faults(data: dict[str, Any], field: str, words: list[str]) -> None:
    with pytest.raises(SpecError) as raised:
        structure(data, Settings)
    (fault,) = raised.value.faults
    assert fault.field == field
    for word in words:
        assert word in fault.message


def test_all_faults_at_once_with_their_paths() -> None:
    data = {"count": 0, "text": 1, "wait": "x", "nome": 1, "many": [{"number": "1"}, {}]}
    with pytest.raises(SpecError) as raised:
        structure(data, Settings, ("section", 3))
    assert {fault.field for fault in raised.value.faults} == {
        "section[3].count",
        "section[3].text",
        "section[3].wait",
        "section[3].nome",
        "section[3].many[0].number",
        "section[3].many[1].number",
    }


def test_a_class_that_looks_at_two_fields() -> None:
    @attrs.frozen
    class Range:
        low: int
        high: int = attrs.field()

        @high.validator
        def _check(self, attribute: object, value: int) -> None:
            if value < self.low:
                raise ValueError("high is below low")

        def __attrs_post_init__(self) -> None:
            if self.low == self.high:
                raise ValueError("low and high are equal")

    Range.__init__.__annotations__.update(low=int, high=int)
    for data, fields in [
        ({"low": 2, "high": 1}, {("high", "high is below low")}),
        ({"low": 2, "high": 2}, {("", "low and high are equal")}),
        (
            {"low": "2", "high": 2},
            {("low", 'expected an integer, found the string "2"; write it without quotes')},
        ),
    ]:
        with pytest.raises(SpecError) as raised:
            structure(data, Range)
        assert {(fault.field, fault.message) for fault in raised.value.faults} == fields


def test_a_converter_that_sees_the_object() -> None:
    def scaled(value: int, settings: Any) -> int:
        if value > settings.most:
            raise ValueError(f"over {settings.most}")
        return value * settings.most

    cls = attrs.make_class(
        "Scaled",
        {
            "most": attrs.field(default=3),
            "value": attrs.field(default=0, converter=attrs.Converter(scaled, takes_self=True)),
        },
        frozen=True,
    )
    assert structure({"value": 2}, cls).value == 6
    with pytest.raises(SpecError, match="value: over 3"):
        structure({"value": 4}, cls)


def test_a_class_made_after_the_first_call() -> None:
    structure({"number": 1}, Inner)
    late = attrs.make_class("Late", {"number": attrs.field(type=int)})
    assert structure({"number": 2}, late).number == 2
    with pytest.raises(SpecError):
        structure({"number": "2"}, late)


def test_a_class_whose_types_cannot_be_resolved_is_the_plugins_fault() -> None:
    cls = attrs.make_class("Broken", {"number": attrs.field(type="Nowhere")})
    with pytest.raises(PluginError, match="Nowhere"):
        structure({"number": 1}, cls)


def test_large_lists_of_anything_are_not_walked() -> None:
    items = [object()] * 3
    assert structure({"items": items}, attrs.make_class("Items", {"items": attrs.field(type=list[Any])})).items == items


# ------------------------------------------------------------------------------------ properties

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
keys = st.sampled_from([field.name for field in attrs.fields(Settings)])
settings = st.builds(
    Settings,
    count=st.integers(min_value=1),
    text=st.none() | st.text(),
    word=st.sampled_from(["each", "whole"]),
    inner=st.none() | st.builds(Inner, st.integers(), st.floats(allow_nan=False)),
    many=st.lists(st.builds(Inner, st.integers())).map(tuple),
    pair=st.none() | st.tuples(st.integers(), st.text()),
    names=st.lists(st.text()).map(tuple),
    listed=st.lists(st.integers()),
    unique=st.frozensets(st.text()),
    by_name=st.dictionaries(st.text(), st.integers()),
    colour=st.sampled_from(Colour),
    wait=st.integers(min_value=0, max_value=10**6),
    either=st.integers() | st.text() | st.builds(Other, st.lists(st.text()).map(tuple)),
    flag=st.booleans(),
    where=st.sampled_from([Path("a"), Path("/b/c")]),
    as_tuple=st.lists(st.text()),
    anything=plain.filter(lambda value: value == value),
)


@given(st.dictionaries(keys | st.text(), plain) | plain)
def test_any_data_is_structured_or_refused(data: Any) -> None:
    with suppress(SpecError):
        assert isinstance(structure(data, Settings), Settings)


@given(st.dictionaries(keys | st.text(), plain))
def test_messages_are_bounded(data: Any) -> None:
    with pytest.raises(SpecError) as raised:
        structure({**data, "count": []}, Settings)
    assert all(len(line) < 500 for line in str(raised.value).splitlines())


@given(st.dictionaries(st.sampled_from(["name", "predictor", "type", "models", "listed"]), plain) | plain)
def test_any_data_for_an_api(data: Any) -> None:
    for cls in (ApiSpec, PredictorSpec, ModelSpec):
        with suppress(SpecError):
            assert isinstance(structure(data, cls), cls)


@given(settings)
def test_plain_data_of_settings_gives_them_back(value: Settings) -> None:
    assert from_plain(Settings, to_plain(value)) == value


@given(settings)
def test_what_is_plain_again_is_structured_to_the_same(value: Settings) -> None:
    if value.wait == int(value.wait):
        assert structure({**to_plain(value), "wait": int(value.wait)}, Settings) == value
