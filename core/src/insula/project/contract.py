"""The predictor contract: which names insula offers to a user's functions, and how it calls them.

Shared by the check in the coordinator, which reads the source, and by the worker, which has the class; so it imports
little.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from insula.errors import ProjectError
from insula.records import frozen

CONSTRUCTOR = ("config", "api_spec", "job_spec")
PREDICT = ("payload", "batch_id", "headers", "query_params")
# Accepted as Cortex did, and None: a batch has neither.
UNUSED: Mapping[str, None] = {"headers": None, "query_params": None}

_POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
_VAR_POSITIONAL = inspect.Parameter.VAR_POSITIONAL
_VAR_KEYWORD = inspect.Parameter.VAR_KEYWORD


@frozen
class CallPlan:
    """How a function is called: with which of the offered names, by position and by keyword."""

    positional: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Whether the function gets this name."""
        return name in self.positional or name in self.keywords


def plan(function: Callable[..., Any], accepted: Collection[str], name: str | None = None) -> CallPlan:
    """Work out, once, how to call a function or class.

    Args:
        function: a bound method, a function, or a class (its constructor is meant).
        accepted: the names that are offered; any subset may be taken, in any order.
        name: what messages call the function; its own name if None.

    Raises:
        ProjectError: if it needs a parameter that is not offered, or does not say what it takes.
    """
    name = name or str(getattr(function, "__qualname__", function))
    try:
        signature = _signature(function)
    except (ValueError, TypeError) as error:
        raise ProjectError(f"{name}: its parameters cannot be seen ({error})") from error
    faults = unknown_parameters(signature.parameters.values(), accepted, name)
    if faults:
        raise ProjectError("\n".join(faults))
    return plan_signature(signature, accepted)


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    # A decorator that passes on whatever it gets takes what it wraps takes; one with parameters of its own means them.
    outer = inspect.signature(function, follow_wrapped=False)
    passes_on = any(parameter.kind is _VAR_KEYWORD for parameter in outer.parameters.values())
    return inspect.signature(function) if passes_on else outer


def unknown_parameters(parameters: Iterable[inspect.Parameter], accepted: Collection[str], name: str) -> list[str]:
    """Return what is wrong with the parameters of a function, without `self`: one message for each that nothing fills."""
    return [
        f"{name}: the parameter {parameter.name} is unknown and has no default; {_known(parameter.name, accepted)}"
        for parameter in parameters
        if parameter.name not in accepted
        and parameter.default is inspect.Parameter.empty
        and parameter.kind not in (_VAR_POSITIONAL, _VAR_KEYWORD)
    ]


def _known(name: str, accepted: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, list(accepted), n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}accepted: {', '.join(accepted) or 'none'}"


def plan_signature(signature: inspect.Signature, accepted: Collection[str]) -> CallPlan:
    """Work out how to call a function that has no unknown parameters."""
    positional: list[str] = []
    keywords: list[str] = []
    gap = False
    for parameter in signature.parameters.values():
        if parameter.kind is _VAR_KEYWORD:
            keywords += [name for name in accepted if name not in positional and name not in keywords]
        elif parameter.kind is _POSITIONAL_ONLY:
            # Behind a positional-only parameter that keeps its default no other can be filled.
            gap = gap or parameter.name not in accepted
            positional += [] if gap else [parameter.name]
        elif parameter.kind is not _VAR_POSITIONAL and parameter.name in accepted:
            keywords.append(parameter.name)
    return CallPlan(tuple(positional), tuple(keywords))


def bind(plan: CallPlan, function: Callable[..., Any]) -> Callable[[Mapping[str, Any]], Any]:
    """Return a function of one mapping, name to value, that calls `function` by its plan."""
    positional, keywords = plan.positional, plan.keywords
    if positional:
        return lambda values: function(
            *[values[name] for name in positional], **{name: values[name] for name in keywords}
        )
    if len(keywords) == 1:
        (only,) = keywords
        return lambda values: function(**{only: values[only]})
    return lambda values: function(**{name: values[name] for name in keywords})
