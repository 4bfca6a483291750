"""`torch_neuron` and `torch_neuronx`: which is there, and what is wrong if it cannot be imported."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import attrs

from insula.errors import UserError

INDEX = "https://pip.repos.neuron.amazonaws.com"


class LibraryFault(UserError):
    """The library that runs compiled models cannot be imported."""


@attrs.frozen
class Library:
    """One of AWS's two libraries: its module and package, what it serves, and the extra that installs it."""

    module: str
    package: str
    chips: str
    extra: str


LIBRARIES = (
    Library("torch_neuron", "torch-neuron", "Inferentia1", "inf1"),
    Library("torch_neuronx", "torch-neuronx", "Inferentia2 and Trainium", "inf2"),
)


def installed() -> tuple[str, ...]:
    """Return the modules that could be imported here; none is."""
    return tuple(library.module for library in LIBRARIES if importlib.util.find_spec(library.module) is not None)


def load(cores_per_chip: int | None = None) -> ModuleType:
    """Import the library, which registers the operators that compiled models consist of.

    Args:
        cores_per_chip: tells the chips apart where both libraries are installed.

    Raises:
        LibraryFault: if neither can be imported, saying why and how to install it.
    """
    here = [library for library in _preferred(cores_per_chip) if library.module in installed()]
    if not here:
        raise LibraryFault(_missing(cores_per_chip))
    faults: list[str] = []
    for library in here:
        try:
            return importlib.import_module(library.module)
        except Exception as error:  # they load native code, which fails with OSError, RuntimeError or their own
            faults.append(_fault(library, error))
    raise LibraryFault("\n".join(faults))


def _preferred(cores_per_chip: int | None) -> tuple[Library, ...]:
    return LIBRARIES if cores_per_chip == 4 else LIBRARIES[::-1]


def _missing(cores_per_chip: int | None) -> str:
    library = _preferred(cores_per_chip)[0]
    return f"neither torch_neuronx nor torch_neuron is installed, and models compiled for Neuron need it; {install(library)}"


def _fault(library: Library, error: Exception) -> str:
    if _is_placeholder(library, error):
        return (
            f"{library.package} is the placeholder that the public index has under this name, not AWS's package; "
            f"pip uninstall {library.package}, then {install(library)}"
        )
    return f"{library.module} cannot be imported: {error}; {install(library)}"


def _is_placeholder(library: Library, error: Exception) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return "WRONG PACKAGE" in str(error) or version(library.package) in ("1.0", "1.0.0")
    except PackageNotFoundError:
        return False


def install(library: Library) -> str:
    """Return how to install a library."""
    return f'pip install --extra-index-url {INDEX} "insula-neuron[{library.extra}]" on a machine with {library.chips}'
