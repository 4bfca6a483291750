"""The same as `rows`, over Ray Data and Apache Beam; they are not insula's dependencies, so only by name."""

from __future__ import annotations

import importlib.util

from benchmarks import data
from benchmarks.cases.rows import against
from benchmarks.options import Options
from benchmarks.table import Figure

TARGETS = {"ray_data": 18.0, "beam_inference": 18.0}
MODULES = {"ray_data": "ray", "beam_inference": "apache_beam"}


def run(options: Options) -> list[Figure]:
    missing = [name for name, module in MODULES.items() if importlib.util.find_spec(module) is None]
    if missing:
        needed = "pip install 'ray[data]' apache-beam numpy, or run tox -e bench-engines"
        raise SystemExit(f"{', '.join(missing)} cannot run here: {needed}")
    # Their `noop` answers 0 whatever the row is.
    rows = data.iris(options.data, options.size(1_000_000, 20_000), signs=(1,))
    return against("engines", TARGETS, rows, options, options.repeat(3), ordered=False)
