"""Loading plugins, and putting the plugins of one job or worker together."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from typing import Any

import pluggy

from insula import hookspecs
from insula.errors import PluginError
from insula.hooks import Hooks
from insula.plugins.checking import check_plugin
from insula.plugins.reference import Reference


class Manager(pluggy.PluginManager):
    """Looks only at attributes that can be hooks: to ask each of them statically takes longer than all else here."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """Return how an attribute of a plugin is marked, None if it is no hook."""
        return None if name.startswith("__") else super().parse_hookimpl_opts(plugin, name)

    def parse_hookspec_opts(self, module_or_class: Any, name: str) -> Any:
        """Return how an attribute of `hookspecs` is marked, None if it is none."""
        return super().parse_hookspec_opts(module_or_class, name) if name.startswith("insula_") else None


def load(reference: Reference) -> object:
    """Import the object that a reference names.

    Raises:
        PluginError: if it cannot be imported, naming plugin, distribution, version and cause.
    """
    module, _, path = reference.value.partition("[")[0].partition(":")
    try:
        found: object = importlib.import_module(module.strip())
        for attribute in filter(None, path.strip().split(".")):
            found = getattr(found, attribute)
    except (Exception, SystemExit) as error:
        cause = f"{type(error).__name__}: {error}"
        raise PluginError(f"{reference} cannot be loaded from {reference.value!r}: {cause}") from error
    return found


def compose(plugins: Sequence[tuple[str, object]], defaults: Sequence[tuple[str, object]] = ()) -> Hooks:
    """Put plugins together, in a manager of their own.

    Args:
        plugins: each with a name for messages, unlike the others' (`str(reference)` is one). Who comes later is asked
            first: predictor type, hardware target, source, executor. An object that is named twice is registered once.
        defaults: what the core answers where no plugin does.

    Raises:
        PluginError: if one of them cannot be registered.
    """
    manager = Manager("insula")
    manager.add_hookspecs(hookspecs)
    default = {id(plugin) for _, plugin in defaults}
    for name, plugin in _distinct([*defaults, *plugins]):
        _register(manager, name, plugin, order=id(plugin) not in default)
    manager.check_pending()
    return Hooks(manager)


def _distinct(plugins: Iterable[tuple[str, object]]) -> list[tuple[str, object]]:
    first: dict[int, tuple[str, object]] = {}
    for name, plugin in plugins:
        first.setdefault(id(plugin), (name, plugin))
    return list(first.values())


def _register(manager: pluggy.PluginManager, name: str, plugin: object, order: bool) -> None:
    try:
        check_plugin(name, plugin, manager, order)
        manager.register(plugin, name)
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"{name} cannot be registered: {type(error).__name__}: {error}") from error
