"""Checking a plugin before it is used: made for this insula, and its hooks written as they will be called."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pluggy

from insula import hookspecs
from insula.errors import PluginError
from insula.plugins.reference import Reference

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

SPINE = (
    "insula_load_model",
    "insula_create_client",
    "insula_create_predictor",
    "insula_predict_batch",
    "insula_job_complete",
)

# On the spine the core alone decides who is asked first: a plugin that jumped the queue would silence a hardware target.
# The implementations of preflight are called one by one, so that there is nothing to wrap.
REFUSED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(SPINE, ("tryfirst", "trylast", "wrapper", "hookwrapper")),
    "insula_preflight": ("wrapper", "hookwrapper"),
}

# A requirement on insula itself, told from `insula-onnx` without parsing it: importing a parser takes longer than the scan.
OWN = re.compile(r"insula(?![\w.-])", re.IGNORECASE)
_RELEASE = re.compile(r"\d+(\.\d+)*")
_BOUND = re.compile(r"(>=|<)\s*(\d+(?:\.\d+)*)")

HOOKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(hook).parameters)
    for name, hook in vars(hookspecs).items()
    if name.startswith("insula_")
}

# ------------------------------------------------------------------------------------------------ versions


def check_version(reference: Reference, requires: Sequence[str]) -> None:
    """Check that a plugin is made for this version of insula.

    Args:
        requires: the requirements of the plugin's distribution.

    Raises:
        PluginError: if it asks for another version, naming both.
    """
    fault = version_fault(reference, requires)
    if fault:
        raise PluginError(fault[1])


def version_fault(
    reference: Reference, requires: Sequence[str]
) -> tuple[Literal["too new", "too old", "broken"], str] | None:
    """Return what is wrong between a plugin and this version of insula, None if nothing is."""
    own = [requirement for requirement in requires if OWN.match(requirement)]
    if all(map(_plainly_allows, own)):
        return None
    from packaging.requirements import InvalidRequirement

    from insula import __version__

    try:
        allowed = _allowed(own)
    except InvalidRequirement as error:
        return "broken", f"{reference} states a requirement that cannot be read: {error}"
    if allowed.contains(__version__, prereleases=True):
        return None
    newer = _is_newer(allowed, __version__)
    cure = "upgrade insula" if newer else f"upgrade {reference.distribution}"
    message = f"{reference} works with insula {allowed}, and this is insula {__version__}: {cure}"
    return "too new" if newer else "too old", message


def _plainly_allows(requirement: str) -> bool:
    """Say whether a requirement of the usual form, `insula>=X.Y,<Z`, admits this version; any other form is not judged.

    `packaging` judges every form, and takes 12 ms to import, at each start of each job.
    """
    from insula import __version__

    bounds = requirement[len("insula") :].strip().split(",")
    matches = [_BOUND.fullmatch(bound.strip()) for bound in bounds]
    if not _RELEASE.fullmatch(__version__):
        return False
    own = _release(__version__)
    return all(
        match is not None and (own >= _release(match[2]) if match[1] == ">=" else own < _release(match[2]))
        for match in matches
    )


def _release(version: str) -> tuple[int, ...]:
    numbers = [int(number) for number in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _allowed(requires: Sequence[str]) -> SpecifierSet:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    allowed = SpecifierSet()
    for requirement in map(Requirement, requires):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            allowed &= requirement.specifier
    return allowed


def _is_newer(allowed: SpecifierSet, version: str) -> bool:
    from packaging.version import Version

    refused = [one for one in allowed if not one.contains(version, prereleases=True)]
    return any(Version(one.version.removesuffix(".*")) > Version(version) for one in refused)


# ------------------------------------------------------------------------------------------------ hooks


def check_plugin(name: str, plugin: object, manager: pluggy.PluginManager, order: bool = True) -> None:
    """Check an object before it is registered.

    Args:
        name: what messages call it.
        order: whether its hooks must leave the order in which plugins are asked to the core.

    Raises:
        PluginError: it is a class, answers no hook, or has a hook that is misspelt, unmarked, of wrong parameters or
            (on the spine) out of order.
    """
    if inspect.isclass(plugin):
        raise PluginError(
            f"{name} is the class {plugin.__qualname__}; offer an instance of it, {plugin.__qualname__}()"
        )
    answered = list(_implementations(plugin, manager))
    _check_marks(name, plugin, {hook for hook, _, _ in answered})
    for hook, function, options in answered:
        if hook in HOOKS:
            _check_parameters(name, hook, function)
            if order:
                _check_order(name, hook, options)
        elif not options["optionalhook"]:
            raise PluginError(f"{name} answers {hook}, which is no hook of insula" + _nearest(hook))
    if not answered:
        raise PluginError(f"{name} answers no hook: mark its functions with @insula.hookimpl")


def _implementations(
    plugin: object, manager: pluggy.PluginManager
) -> Iterator[tuple[str, Callable[..., object], Mapping[str, Any]]]:
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            yield options.get("specname") or attribute, getattr(plugin, attribute), options


def _check_marks(name: str, plugin: object, marked: set[str]) -> None:
    for hook in HOOKS:
        if hook not in marked and inspect.isroutine(getattr(plugin, hook, None)):
            raise PluginError(f"{name} has a function {hook} that is not marked with @insula.hookimpl")


def _check_parameters(name: str, hook: str, function: Callable[..., object]) -> None:
    # pluggy passes only what has no default and is not keyword-only, and finds out about the rest when it calls.
    if inspect.iscoroutinefunction(function):
        raise PluginError(f"{name}: {hook} is an async function; hooks are called, not awaited")
    for parameter in inspect.signature(function).parameters.values():
        keyword_only = parameter.kind is parameter.KEYWORD_ONLY
        default = parameter.default is not parameter.empty
        if parameter.name in HOOKS[hook] and (keyword_only or default):
            what = "is keyword-only" if keyword_only else "has a default"
            raise PluginError(f"{name}: {hook}: the parameter {parameter.name} {what}, so it would never be given")
        variadic = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        if parameter.name not in HOOKS[hook] and not default and not variadic:
            takes = ", ".join(HOOKS[hook]) or "no parameters"
            raise PluginError(f"{name}: {hook} has no parameter {parameter.name}; it takes {takes}")


def _check_order(name: str, hook: str, options: Mapping[str, Any]) -> None:
    for option in REFUSED.get(hook, ()):
        if options.get(option):
            raise PluginError(
                f"{name}: {hook} is marked {option}; insula decides the order of this hook: remove the mark"
            )


def _nearest(hook: str) -> str:
    from difflib import get_close_matches

    for near in get_close_matches(hook, HOOKS, n=1):
        return f"; did you mean {near}?"
    return f"; it has {', '.join(HOOKS)}"
