"""insula: batch inference for Python, a small core that plugins complete."""

from insula.hookspecs import hookimpl

__all__ = ["__version__", "hookimpl"]
__version__ = "0.1.0"
