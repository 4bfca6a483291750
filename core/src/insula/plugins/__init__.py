"""Plugins: finding them among what is installed, checking, describing, registering and listing them.

With `hookspecs` and `hooks`, these modules alone know pluggy. A job is put together from four steps: `find` (coordinator
only; workers are told the reference), `load`, a descriptor (`predictor_type`, …) and `compose`.
"""

from insula.plugins.describing import executor_type, hardware_target, predictor_type, source
from insula.plugins.finding import find, installed
from insula.plugins.reference import Reference
from insula.plugins.registering import compose, load

__all__ = [
    "Reference",
    "compose",
    "executor_type",
    "find",
    "hardware_target",
    "installed",
    "load",
    "predictor_type",
    "source",
]
