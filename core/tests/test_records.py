"""attrs classes that share one `__repr__`."""

from __future__ import annotations

import attrs
import pytest

from insula.records import define, frozen


@frozen
class Point:
    x: int
    label: str = attrs.field(default="here", repr=False)


@define(eq=False)
class Place:
    point: Point


def test_they_look_as_attrs_would_have_them() -> None:
    assert repr(Place(Point(1))) == "Place(point=Point(x=1))"


def test_they_are_attrs_classes_in_all_else() -> None:
    assert Point(1) == Point(1)
    assert attrs.astuple(attrs.evolve(Point(1), x=2)) == (2, "here")
    assert Place(Point(1)) != Place(Point(1))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Point(1).x = 2  # type: ignore[misc]


def test_a_repr_of_its_own_stays() -> None:
    @frozen
    class Secret:
        key: str

        def __repr__(self) -> str:
            return "Secret(…)"

    assert repr(Secret("k")) == "Secret(…)"
