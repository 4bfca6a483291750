"""Which package to install for a name that is not there: data only, nothing is special about these plugins."""

from __future__ import annotations

from collections.abc import Mapping

PACKAGES: Mapping[str, Mapping[str, str]] = {
    "insula.predictors": {
        "python": "insula-python",
        "onnx": "insula-onnx",
        "tensorflow": "insula-tensorflow",
    },
    "insula.hardware": {
        "cpu": "insula",
        "gpu": "insula",
        "inf": "insula-neuron",
        "neuron_cores": "insula-neuron",
        "neuron": "insula-neuron",
    },
    "insula.sources": {
        "delimited_files": "insula",
        "item_list": "insula",
        "file_path_lister": "insula",
        "dead_letters": "insula",
    },
    "insula.executors": {
        "inline": "insula",
        "process": "insula",
    },
}


def package(group: str, name: str) -> str | None:
    """Return the package that is known to offer a name, None if none is."""
    return PACKAGES.get(group, {}).get(name)


def names(group: str) -> tuple[str, ...]:
    """Return the names for which a package is known."""
    return tuple(PACKAGES.get(group, {}))
