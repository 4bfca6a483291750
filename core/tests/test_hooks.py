from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from insula import hookimpl
from insula.descriptors import (
    COMPLETED,
    NO_CLIENT,
    Assignment,
    ExecutorType,
    HardwareTarget,
    Model,
    NoSettings,
    Payload,
    Place,
    Predictions,
    Predictor,
    PredictorType,
    Service,
    ServicesContext,
    Source,
    SplitContext,
    WorkerContext,
)
from insula.errors import PluginError, WorkerFault
from insula.hooks import Hooks
from insula.plugins import compose
from insula.plugins.checking import HOOKS
from insula.spec import ApiSpec, Block, ComputeSpec, Input, ModelSpec, PredictorSpec, Slice

CONTEXT = WorkerContext(ApiSpec("api", PredictorSpec("t")), {}, {}, Path(), Assignment(0))
SERVICES = ServicesContext(CONTEXT.api, {}, Path(), 1, 1)
SPLIT = SplitContext(None, Path(), Path())
COMPUTE = ComputeSpec()


def plugin(**hooks: Callable[..., object]) -> SimpleNamespace:
    return SimpleNamespace(**{f"insula_{name}": hookimpl(function) for name, function in hooks.items()})


def answering(hook: str, answer: object) -> Hooks:
    return compose([("acme", plugin(**{hook: lambda: answer}))])


CALLS: dict[str, tuple[Callable[[Hooks], object], object]] = {
    "predictor_type": (lambda hooks: hooks.predictor_type(), PredictorType("t", None)),
    "hardware_target": (lambda hooks: hooks.hardware_target(), HardwareTarget("t", (), NoSettings)),
    "source": (lambda hooks: hooks.source(), Source("s", NoSettings)),
    "executor": (lambda hooks: hooks.executor(), ExecutorType("e")),
    "list": (lambda hooks: hooks.list_inputs(SPLIT), [Input("a")]),
    "split": (lambda hooks: hooks.split(SPLIT, [], None), [Block(1, 1)]),
    "assign_devices": (lambda hooks: hooks.assign_devices(COMPUTE, 1), [Assignment(0)]),
    "resources": (lambda hooks: hooks.resources(COMPUTE), {"GPU": 1}),
    "services": (lambda hooks: hooks.services(SERVICES, [Assignment(0)]), [Service("s", ("x",))]),
    "adapt_service": (lambda hooks: hooks.adapt_service(Service("s", ("x",)), None), Service("s", ("y",))),
    "create_executor": (lambda hooks: hooks.create_executor({}), "an executor"),
    "locate": (lambda hooks: hooks.locate({}, Slice(0, 0, Block(1, 1)), 0, [0]), [Place("f", 1)]),
    "preflight": (lambda hooks: hooks.preflight(CONTEXT), ["a fault"]),
    "read": (lambda hooks: hooks.read(inputs={}, references=[]), [Payload([])]),
    "load_model": (lambda hooks: hooks.load_model(CONTEXT, ModelSpec("m", "p")), Model("m", 1)),
    "create_client": (lambda hooks: hooks.create_client(CONTEXT, []), NO_CLIENT),
    "create_predictor": (lambda hooks: hooks.create_predictor(CONTEXT, NO_CLIENT), Predictor(1)),
    "predict_batch": (
        lambda hooks: hooks.predict_batch(context=CONTEXT, predictor=Predictor(1), payload=[], batch_id="b"),
        Predictions.stored(),
    ),
    "job_complete": (lambda hooks: hooks.job_complete(CONTEXT, Predictor(1)), COMPLETED),
}
BARE = {"read", "predict_batch"}
CHECKED = sorted(set(CALLS) - BARE - {"preflight"})
NEED_AN_ANSWER = sorted(set(CHECKED) - {"resources", "locate", "services", "adapt_service"})


def test_every_hook_has_a_method() -> None:
    assert {f"insula_{name}" for name in CALLS} == set(HOOKS)


@pytest.mark.parametrize("hook", CALLS)
def test_the_answer_of_a_plugin_comes_back(hook: str) -> None:
    call, answer = CALLS[hook]
    got = call(answering(hook, answer))
    assert (list(got) if hook == "split" else got) == answer


@pytest.mark.parametrize("hook", sorted(set(CHECKED) - {"create_executor"}))
def test_an_answer_of_another_type_names_plugin_hook_and_both_types(hook: str) -> None:
    with pytest.raises(PluginError) as error:
        CALLS[hook][0](answering(hook, 7))
    assert str(error.value).startswith(f"acme answered insula_{hook} with an object of int, not of ")


@pytest.mark.parametrize("hook", NEED_AN_ANSWER)
def test_no_answer_where_one_is_needed(hook: str) -> None:
    with pytest.raises(PluginError, match=rf"^no plugin answered insula_{hook} \(asked: acme\)$"):
        CALLS[hook][0](answering(hook, None))
    with pytest.raises(PluginError, match=rf"^no plugin answered insula_{hook} \(asked: none, since"):
        CALLS[hook][0](compose([]))


def test_no_services_and_none_changed() -> None:
    service = Service("s", ("x",))
    assert list(compose([]).services(SERVICES, [])) == []
    assert compose([]).adapt_service(service, Assignment(0)) is service


def test_no_resources_are_nothing_to_ask_for() -> None:
    assert compose([]).resources(COMPUTE) == {}


@pytest.mark.parametrize("hook", sorted(BARE))
def test_the_bare_hooks_leave_the_check_to_their_caller(hook: str) -> None:
    assert CALLS[hook][0](compose([])) is None
    assert CALLS[hook][0](answering(hook, "text")) == "text"


def test_a_caller_makes_the_same_error() -> None:
    hooks = compose([("type", plugin(predict_batch=lambda: 7)), ("target", plugin(predict_batch=lambda: None))])
    error = hooks.wrong_answer("insula_predict_batch", Predictions, 7)
    assert str(error) == (
        "target or type answered insula_predict_batch with an object of int, not of insula.descriptors.Predictions"
    )


def test_what_a_plugin_raises_passes_through() -> None:
    def broken() -> None:
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        compose([("acme", plugin(load_model=broken))]).load_model(CONTEXT, ModelSpec("m", "p"))


@pytest.mark.parametrize(
    ("workers", "answer", "message"),
    [
        (2, [Assignment(0)], "with 1 assignments, not 2"),
        (1, [Assignment(0), Assignment(1)], "with 2 assignments, not 1"),
        (None, [], "with 0 assignments, not at least 1"),
        (1, ["cpu"], "an object of str, not of insula.descriptors.Assignment"),
        (1, [None], "no plugin answered"),
    ],
)
def test_assignments_are_one_a_worker(workers: int | None, answer: list[Any], message: str) -> None:
    with pytest.raises(PluginError, match=message):
        answering("assign_devices", answer).assign_devices(COMPUTE, workers)


def test_assignments_may_be_any_number_where_none_is_asked_for() -> None:
    assert len(answering("assign_devices", (Assignment(0), Assignment(1))).assign_devices(COMPUTE, None)) == 2


# ------------------------------------------------------------------------------------------------ preflight


def test_preflight_asks_everyone_whatever_the_others_do() -> None:
    def raises(context: WorkerContext) -> list[str]:
        raise ValueError(f"no {context.api.name}")

    def refuses() -> list[str]:
        raise WorkerFault("the model is missing")

    hooks = compose(
        [
            ("first", plugin(preflight=raises)),
            ("second", plugin(preflight=refuses)),
            ("third", plugin(preflight=lambda: None)),
            ("fourth", plugin(preflight=lambda: "a fault")),
            ("fifth", plugin(preflight=lambda context: ("one", "two"))),
        ]
    )
    raised, *rest = hooks.preflight(CONTEXT)
    assert raised.startswith("first: insula_preflight raised ValueError: no api (test_hooks.py:")
    assert rest == [
        "the model is missing",
        "fourth answered insula_preflight with 'a fault', not with a list of messages",
        "one",
        "two",
    ]


def test_preflight_of_nobody_finds_nothing() -> None:
    assert compose([]).preflight(CONTEXT) == []
