"""insula against the alternatives, as ratios of interleaved runs on one machine: `python -m benchmarks --help`."""
