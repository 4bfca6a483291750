from __future__ import annotations

from types import SimpleNamespace

import pytest

from insula import hookimpl
from insula.descriptors import NO_CLIENT, Client, Model
from insula.errors import PluginError
from insula.plugins import Reference, compose, load

PREDICTORS = "insula.predictors"


def reference(value: str) -> Reference:
    return Reference(PREDICTORS, "acme", value, "acme-models", "2.1")


def client(answer: Client | None, **options: bool) -> SimpleNamespace:
    return SimpleNamespace(insula_create_client=hookimpl(**options)(lambda: answer))


# ------------------------------------------------------------------------------------------------ load


def test_an_attribute_of_an_attribute_and_a_whole_module(site) -> None:
    site.install("acme", entry_points={}, acme_good="class Holder:\n    plugin = 'the plugin'\n")
    assert load(reference("acme_good:Holder.plugin")) == "the plugin"
    assert load(reference("acme_good : Holder.plugin [extra]")) == "the plugin"
    assert load(reference("acme_good")).__name__ == "acme_good"


@pytest.mark.parametrize(
    ("text", "attribute", "cause"),
    [
        ("import not_there_at_all", "plugin", "ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("raise RuntimeError('no licence')", "plugin", "RuntimeError: no licence"),
        ("def (", "plugin", "SyntaxError"),
        ("raise SystemExit(3)", "plugin", "SystemExit: 3"),
        ("", "plugin", "AttributeError: module 'acme_bad' has no attribute 'plugin'"),
    ],
)
def test_a_broken_import_names_plugin_distribution_version_and_cause(
    site, text: str, attribute: str, cause: str
) -> None:
    site.install("acme", entry_points={}, acme_bad=text)
    with pytest.raises(PluginError) as error:
        load(reference(f"acme_bad:{attribute}"))
    for part in ('predictor type "acme"', "acme-models 2.1", f"'acme_bad:{attribute}'", cause):
        assert part in str(error.value)
    assert type(error.value.__cause__).__name__ in cause


@pytest.mark.parametrize("value", ["", ":plugin", "not a module:x", "acme_absent:plugin"])
def test_a_value_that_names_nothing(value: str) -> None:
    with pytest.raises(PluginError, match="cannot be loaded from"):
        load(reference(value))


# ------------------------------------------------------------------------------------------------ compose


def test_who_comes_later_is_asked_first() -> None:
    first, second = Client("first"), Client("second")
    hooks = compose([("type", client(first)), ("target", client(second))])
    assert hooks.create_client(None, []) is second


def test_none_passes_the_question_on() -> None:
    hooks = compose([("type", client(NO_CLIENT)), ("target", client(None))])
    assert hooks.create_client(None, []) is NO_CLIENT


def test_defaults_are_asked_last_and_may_say_so_themselves() -> None:
    default, own = Client("default"), Client("own")
    defaults = [("insula", client(default, trylast=True))]
    assert compose([("type", client(own))], defaults).create_client(None, []) is own
    assert compose([("type", client(None))], defaults).create_client(None, []) is default
    assert compose([], defaults).create_client(None, []) is default


def test_a_plugin_that_jumps_the_queue_is_refused() -> None:
    with pytest.raises(PluginError, match="type: insula_create_client is marked tryfirst"):
        compose([("type", client(NO_CLIENT, tryfirst=True))])


def test_one_object_under_two_names_is_registered_once() -> None:
    calls = []
    plugin = SimpleNamespace(insula_create_client=hookimpl(lambda: calls.append(1)))
    with pytest.raises(PluginError, match="no plugin answered"):
        compose([("inf", plugin), ("neuron_cores", plugin)]).create_client(None, [])
    assert calls == [1]


def test_two_objects_under_one_name_are_refused() -> None:
    with pytest.raises(PluginError, match="same cannot be registered: ValueError"):
        compose([("same", client(NO_CLIENT)), ("same", client(Client("other")))])


def test_an_object_that_raises_when_looked_at_is_named() -> None:
    class Plugin:
        @property
        def insula_source(self) -> None:
            raise RuntimeError("not yet")

        @hookimpl
        def insula_predictor_type(self) -> None: ...

    with pytest.raises(PluginError, match="shy cannot be registered: RuntimeError: not yet"):
        compose([("shy", Plugin())])


def test_jobs_share_nothing() -> None:
    one, other = compose([("a", client(Client("a")))]), compose([("b", client(Client("b")))])
    assert one.create_client(None, []) == Client("a")
    assert other.create_client(None, []) == Client("b")


def test_parameters_may_be_left_out() -> None:
    plugin = SimpleNamespace(insula_load_model=hookimpl(lambda model: Model(model, None)))
    assert compose([("a", plugin)]).load_model(None, "m") == Model("m", None)
