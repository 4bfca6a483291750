"""What plugins name as services, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import attrs
import pytest

from insula import hookimpl
from insula.descriptors import Assignment, Service, ServicesContext
from insula.errors import PluginError
from insula.hooks import Hooks
from insula.jobs.services import name_services
from insula.plugins import compose
from insula.spec import ApiSpec, PredictorSpec

TWO = (Assignment(0, {"CORES": "0-3"}), Assignment(1, {"CORES": "4-7"}))
CONTEXT = ServicesContext(ApiSpec("api", PredictorSpec("t")), {}, Path(), 2, 1)
ONE = Service("one", ("server", "{port}"))


def composed(named: object, adapt: Callable[..., object] | None = None) -> Hooks:
    kind = SimpleNamespace(insula_services=hookimpl(lambda context, assignments: named))
    targets = [("the target", SimpleNamespace(insula_adapt_service=hookimpl(adapt)))] if adapt else []
    return compose([("the type", kind), *targets])


def named(answer: object, adapt: Callable[..., object] | None = None) -> Sequence[Service]:
    return name_services(composed(answer, adapt), CONTEXT, TWO)


def test_none() -> None:
    assert named(None) == named([]) == ()


def test_as_they_are() -> None:
    alone = attrs.evolve(ONE, name="alone", assignment=1)
    assert named([ONE, alone]) == (ONE, alone)


def test_the_target_changes_each() -> None:
    def adapt(service: Service, assignment: Assignment | None) -> Service:
        cores = "all" if assignment is None else assignment.environment["CORES"]
        return attrs.evolve(service, environment={"CORES": str(cores)})

    both = [ONE, attrs.evolve(ONE, name="alone", assignment=1)]
    assert [one.environment for one in named(both, adapt)] == [{"CORES": "all"}, {"CORES": "4-7"}]


def test_the_target_makes_one_for_each_worker_of_one_for_all() -> None:
    def adapt(service: Service, assignment: Assignment | None) -> Service:
        if assignment is None:
            return attrs.evolve(service, argv=("other", *service.argv[1:]), assignment=0)
        return attrs.evolve(service, environment={"CORES": str(assignment.environment["CORES"])})

    assert named([ONE], adapt) == (
        Service("one", ("other", "{port}"), {"CORES": "0-3"}, assignment=0),
        Service("one", ("other", "{port}"), {"CORES": "4-7"}, assignment=1),
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([Service("a b", ("x",))], "'a b', which may hold only letters, digits, _ and -"),
        ([Service("../a", ("x",))], "which may hold only letters"),
        ([Service("one", ())], "'one', which has no command"),
        ([Service("one", ("x",), files={"a/b": ""})], "whose files are a/b: names, without folders"),
        ([ONE, ONE], "'one', and another of that name for the same worker"),
        ([ONE, attrs.evolve(ONE, assignment=1)], "'one', and another of that name for the same worker"),
        ([attrs.evolve(ONE, assignment=2)], "'one' for worker 2, and there are 2"),
        (["one"], "with an object of str, not of insula.descriptors.Service"),
        (ONE, "with an object of insula.descriptors.Service, not of list"),
    ],
)
def test_what_cannot_be_one(answer: object, message: str) -> None:
    with pytest.raises(PluginError, match="^the type ") as caught:
        named(answer)
    assert message in str(caught.value)


def test_who_names_none_is_not_asked() -> None:
    assert composed([]).names_services
    assert not compose([]).names_services
