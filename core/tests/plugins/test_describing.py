from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import attrs
import pytest

from insula import hookimpl
from insula.descriptors import ExecutorType, HardwareTarget, PredictorType, Source
from insula.errors import PluginError
from insula.hardware import cpu, gpu
from insula.plugins import Reference, executor_type, hardware_target, predictor_type, source


@attrs.frozen
class Lines:
    batch_size: int


@attrs.frozen
class Chips:
    chip: int = 0


@attrs.frozen
class NoDefault:
    chip: int


def reference(group: str, name: str) -> Reference:
    return Reference(f"insula.{group}", name, "acme:plugin", "acme", "2.1")


def plugin(hook: str, answer: object) -> SimpleNamespace:
    return SimpleNamespace(**{hook: hookimpl(lambda: answer)})


CASES: list[tuple[Callable[[Reference, object], object], str, str, str, object]] = [
    (predictor_type, "predictors", "acme", "insula_predictor_type", PredictorType("acme", None)),
    (hardware_target, "hardware", "chip", "insula_hardware_target", HardwareTarget("acme", ("chip",), Chips)),
    (source, "sources", "acme", "insula_source", Source("acme", Lines)),
    (executor_type, "executors", "acme", "insula_executor", ExecutorType("acme")),
]


@pytest.mark.parametrize(("describe", "group", "name", "hook", "answer"), CASES)
def test_a_descriptor_that_fits(describe, group: str, name: str, hook: str, answer: object) -> None:
    assert describe(reference(group, name), plugin(hook, answer)) is answer


@pytest.mark.parametrize(("describe", "group", "name", "hook", "answer"), CASES)
def test_a_descriptor_of_another_name(describe, group: str, name: str, hook: str, answer: object) -> None:
    with pytest.raises(PluginError) as error:
        describe(reference(group, "other"), plugin(hook, answer))
    for text in ("(acme 2.1)", hook, f'says "{name}"', 'its entry point "other"'):
        assert text in str(error.value)


@pytest.mark.parametrize(("describe", "group", "name", "hook", "answer"), CASES)
def test_a_descriptor_of_another_type(describe, group: str, name: str, hook: str, answer: object) -> None:
    message = (
        rf"\(acme 2\.1\) answered {hook} with an object of str, not of insula\.descriptors\.{type(answer).__name__}"
    )
    with pytest.raises(PluginError, match=message):
        describe(reference(group, name), plugin(hook, "text"))


@pytest.mark.parametrize(("describe", "group", "name", "hook", "answer"), CASES)
def test_no_descriptor(describe, group: str, name: str, hook: str, answer: object) -> None:
    with pytest.raises(PluginError, match=rf"no plugin answered {hook} \(asked: none, since none has this hook\)"):
        describe(reference(group, name), plugin("insula_preflight", []))
    with pytest.raises(PluginError, match=rf"no plugin answered {hook} \(asked: .* \(acme 2\.1\)\)"):
        describe(reference(group, name), plugin(hook, None))


def test_a_descriptor_that_raises_is_the_plugins_fault() -> None:
    def broken() -> None:
        raise KeyError("version")

    broken_plugin = SimpleNamespace(insula_predictor_type=hookimpl(broken))
    with pytest.raises(PluginError, match=r"\(acme 2\.1\): insula_predictor_type: raised KeyError: 'version'"):
        predictor_type(reference("predictors", "acme"), broken_plugin)


@pytest.mark.parametrize(
    ("describe", "group", "hook", "answer", "message"),
    [
        (
            predictor_type,
            "predictors",
            "insula_predictor_type",
            PredictorType("x", None, settings=dict),
            "attrs class",
        ),
        (source, "sources", "insula_source", Source("x", Chips), "need the attribute batch_size"),
        (
            hardware_target,
            "hardware",
            "insula_hardware_target",
            HardwareTarget("x", ("x",), Chips),
            "attributes x, as",
        ),
        (
            hardware_target,
            "hardware",
            "insula_hardware_target",
            HardwareTarget("x", (), Chips),
            "says nothing",
        ),
    ],
)
def test_settings_that_do_not_fit(describe, group: str, hook: str, answer: object, message: str) -> None:
    with pytest.raises(PluginError, match=message):
        describe(reference(group, "x"), plugin(hook, answer))


def test_settings_of_a_target_need_defaults() -> None:
    with pytest.raises(PluginError, match="its setting chip needs a default"):
        hardware_target(
            reference("hardware", "chip"),
            plugin("insula_hardware_target", HardwareTarget("x", ("chip",), NoDefault)),
        )


def test_the_targets_of_the_core_describe_themselves() -> None:
    assert hardware_target(reference("hardware", "cpu"), cpu.plugin).predictors == ("*",)
    assert hardware_target(reference("hardware", "gpu"), gpu.plugin).predictors == ()
