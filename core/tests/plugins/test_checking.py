from __future__ import annotations

from types import SimpleNamespace

import pluggy
import pytest

from insula import __version__, hookimpl
from insula.errors import PluginError
from insula.plugins import Reference
from insula.plugins.checking import HOOKS, SPINE, check_plugin, check_version, version_fault

ACME = Reference("insula.predictors", "acme", "acme:plugin", "acme-models", "2.1")


def check(plugin: object, order: bool = True) -> None:
    check_plugin("acme", plugin, pluggy.PluginManager("insula"), order)


# ------------------------------------------------------------------------------------------------ versions


@pytest.mark.parametrize(
    "requires",
    [
        [],
        ["numpy>=99"],
        ["insula"],
        [f"insula=={__version__}"],
        ["insula>=0.1,<1", "insula!=0.0.9"],
        ["insula>=0.1.0rc1"],
        ['insula>=99; extra == "future"'],
        ['insula>=99; python_version < "3"'],
        ["insula-onnx>=99"],
    ],
)
def test_requirements_that_this_insula_meets(requires: list[str]) -> None:
    check_version(ACME, requires)


def test_pre_releases_of_the_core_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insula.__version__", "0.2.0rc1")
    check_version(ACME, ["insula>=0.1,<1"])


@pytest.mark.parametrize(
    ("requires", "status", "texts"),
    [
        (["insula>=2,<3"], "too new", [">=2", "<3", f"this is insula {__version__}", "upgrade insula"]),
        (["insula>=0.1", "insula>=2"], "too new", [">=2"]),
        (["insula<0.1"], "too old", ["<0.1", "upgrade acme-models"]),
        (["insula==0.0.*"], "too old", ["==0.0.*"]),
        (["insula >>> 2"], "broken", ["requirement that cannot be read", "insula >>> 2"]),
    ],
)
def test_requirements_that_it_does_not_meet(requires: list[str], status: str, texts: list[str]) -> None:
    fault = version_fault(ACME, requires)
    assert fault is not None
    assert fault[0] == status
    assert "acme-models 2.1" in fault[1]
    assert [text for text in texts if text not in fault[1]] == []
    with pytest.raises(PluginError) as error:
        check_version(ACME, requires)
    assert str(error.value) == fault[1]


# ------------------------------------------------------------------------------------------------ hooks


def test_the_hooks_are_those_of_the_specification() -> None:
    assert set(SPINE) < set(HOOKS)
    assert HOOKS["insula_predict_batch"] == ("context", "predictor", "payload", "batch_id")


def test_a_module_and_an_instance_are_both_fine() -> None:
    class Plugin:
        @hookimpl
        def insula_job_complete(self) -> None: ...

    @hookimpl
    def insula_load_model(model: object) -> None: ...

    check(Plugin())
    check(SimpleNamespace(insula_load_model=insula_load_model))


def test_a_class_in_place_of_an_instance() -> None:
    class Plugin:
        @hookimpl
        def insula_predictor_type(self) -> None: ...

    with pytest.raises(PluginError, match="acme is the class .*Plugin; offer an instance of it"):
        check(Plugin)


@pytest.mark.parametrize("option", ["tryfirst", "trylast", "wrapper", "hookwrapper"])
@pytest.mark.parametrize("hook", SPINE)
def test_a_spine_hook_out_of_order(hook: str, option: str) -> None:
    def implementation():
        yield

    plugin = SimpleNamespace(**{hook: hookimpl(**{option: True})(implementation)})
    with pytest.raises(PluginError, match=f"acme: {hook} is marked {option}"):
        check(plugin)
    check(plugin, order=False)


def test_preflight_may_be_ordered_but_not_wrapped() -> None:
    check(SimpleNamespace(insula_preflight=hookimpl(tryfirst=True)(lambda: [])))
    with pytest.raises(PluginError, match="insula_preflight is marked wrapper"):
        check(SimpleNamespace(insula_preflight=hookimpl(wrapper=True)(lambda: (yield))))


def test_a_misspelt_hook_gets_the_nearest() -> None:
    plugin = SimpleNamespace(insula_predict_bach=hookimpl(lambda payload: None))
    with pytest.raises(PluginError) as error:
        check(plugin)
    assert str(error.value) == (
        "acme answers insula_predict_bach, which is no hook of insula; did you mean insula_predict_batch?"
    )


def test_a_hook_unlike_any_other_gets_the_list() -> None:
    with pytest.raises(PluginError, match=r"zzz, which is no hook of insula; it has insula_predictor_type, "):
        check(SimpleNamespace(zzz=hookimpl(lambda: None)))


def test_a_hook_of_a_later_insula_may_be_optional() -> None:
    check(SimpleNamespace(insula_future=hookimpl(optionalhook=True)(lambda: None)))


def test_a_hook_named_by_the_mark() -> None:
    check(SimpleNamespace(anything=hookimpl(specname="insula_source")(lambda: None)))
    with pytest.raises(PluginError, match="did you mean insula_source"):
        check(SimpleNamespace(anything=hookimpl(specname="insula_sorce")(lambda: None)))


def test_a_forgotten_mark() -> None:
    class Plugin:
        @hookimpl
        def insula_predictor_type(self) -> None: ...

        def insula_load_model(self, model: object) -> None: ...

    with pytest.raises(PluginError, match="insula_load_model that is not marked with @insula.hookimpl"):
        check(Plugin())


def test_no_hook_at_all() -> None:
    with pytest.raises(PluginError, match="acme answers no hook: mark its functions with @insula.hookimpl"):
        check(object())


def keyword_only(*, context: object) -> None: ...


def with_default(context: object = None) -> None: ...


def unknown(contxt: object) -> None: ...


async def awaited(context: object) -> None: ...


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (keyword_only, "the parameter context is keyword-only, so it would never be given"),
        (with_default, "the parameter context has a default, so it would never be given"),
        (unknown, "insula_load_model has no parameter contxt; it takes context, model"),
        (awaited, "insula_load_model is an async function"),
    ],
)
def test_parameters_that_would_fail_at_the_first_call(function: object, message: str) -> None:
    with pytest.raises(PluginError, match=f"^acme: .*{message}"):
        check(SimpleNamespace(insula_load_model=hookimpl(function)))


def test_parameters_of_its_own_with_defaults_are_fine() -> None:
    check(SimpleNamespace(insula_load_model=hookimpl(lambda model, *rest, _cache={}, **more: None)))
