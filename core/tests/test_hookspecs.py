"""The hooks are a promise: a parameter may be added, and none may be taken away, renamed or given a default."""

from __future__ import annotations

import inspect

import pytest

from insula import hookspecs

PARAMETERS = {
    "insula_predictor_type": (),
    "insula_hardware_target": (),
    "insula_source": (),
    "insula_executor": (),
    "insula_list": ("context",),
    "insula_locate": ("inputs", "block", "ordinal", "positions"),
    "insula_split": ("context", "inputs", "after"),
    "insula_assign_devices": ("compute", "workers"),
    "insula_resources": ("compute",),
    "insula_services": ("context", "assignments"),
    "insula_adapt_service": ("service", "assignment"),
    "insula_create_executor": ("options",),
    "insula_preflight": ("context",),
    "insula_read": ("inputs", "references"),
    "insula_load_model": ("context", "model"),
    "insula_create_client": ("context", "models"),
    "insula_create_predictor": ("context", "client"),
    "insula_predict_batch": ("context", "predictor", "payload", "batch_id"),
    "insula_job_complete": ("context", "predictor"),
}
COLLECTING = {"insula_preflight"}


def specified() -> dict[str, inspect.Signature]:
    hooks = {name: hook for name, hook in vars(hookspecs).items() if hasattr(hook, "insula_spec")}
    return {name: inspect.signature(hook) for name, hook in hooks.items()}


def test_the_parameters_are_frozen() -> None:
    assert {name: tuple(signature.parameters) for name, signature in specified().items()} == PARAMETERS


@pytest.mark.parametrize("hook", PARAMETERS)
def test_no_parameter_has_a_default_or_is_keyword_only(hook: str) -> None:
    # pluggy never passes the first, and fails with the second only when the hook is called.
    for parameter in specified()[hook].parameters.values():
        assert parameter.default is parameter.empty
        assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD


@pytest.mark.parametrize("hook", PARAMETERS)
def test_one_answer_or_all(hook: str) -> None:
    assert vars(hookspecs)[hook].insula_spec["firstresult"] is (hook not in COLLECTING)


@pytest.mark.parametrize("hook", PARAMETERS)
def test_every_hook_is_described(hook: str) -> None:
    assert (vars(hookspecs)[hook].__doc__ or "").strip()
