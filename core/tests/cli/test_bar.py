from __future__ import annotations

import errno
import io
import sys

import attrs
import pytest
from rich.console import Console

from insula.cli.bar import Bar, Seen, draw, fitting, share, slowest
from insula.coordinator.status import Progress

STANDS = Progress("running", 50, 100, 12, 0, 24, 0, 2, 12.0, 7.0, 0.3)


def drawn(seen: Seen, now: float, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    with console.capture() as capture:
        console.print(draw(seen, now, width))
    return capture.get()


@pytest.mark.parametrize("width", [30, 40, 60, 80, 100, 200])
@pytest.mark.parametrize(
    "stands",
    [STANDS, attrs.evolve(STANDS, status="enqueuing", batches=None, samples=None, remaining=None)],
    ids=["running", "enqueuing"],
)
def test_the_bar_is_one_line(stands: Progress, width: int) -> None:
    line = drawn(Seen(stands, 0.0, ready=True), 0.1, width).removesuffix("\n")
    assert line.startswith(stands.status)
    assert "12 " in line
    assert "\n" not in line
    assert len(line) <= width


def test_what_a_wide_terminal_shows() -> None:
    line = drawn(Seen(STANDS, 0.0, ready=True), 0.1, 200)
    assert "running  24% " in line
    assert "12 of 50 batches, 24 of 100 samples, 12 samples/s, 0:00:07 left, 2 workers" in line


def test_the_bar_counts_on_inside_a_slow_batch() -> None:
    # Between two words of the coordinator, three seconds apart.
    seen = Seen(attrs.evolve(STANDS, longest=4.0), 100.0, ready=True)
    assert "slowest batch 0:00:07" in drawn(seen, 103.0, 200)


def test_a_coordinator_that_runs_the_batch_itself_is_silent() -> None:
    seen = Seen(attrs.evolve(STANDS, longest=0.0), 100.0, ready=True)
    assert slowest(seen, 101.0) == 0.0
    assert slowest(seen, 160.0) == 60.0


def test_a_model_that_takes_long_to_load_is_no_slow_batch() -> None:
    assert slowest(Seen(attrs.evolve(STANDS, longest=0.0), 100.0, ready=False), 160.0) == 0.0


def test_the_end_of_a_job_is_no_slow_batch() -> None:
    assert slowest(Seen(attrs.evolve(STANDS, settled=50), 100.0, ready=True), 160.0) == 0.0


@pytest.mark.parametrize(
    ("accounted", "samples", "expected"), [(0, 0, 0.0), (5, None, 0.0), (9_999, 10_000, 0.99), (10, 10, 1.0)]
)
def test_only_all_is_a_hundred_percent(accounted: int, samples: int | None, expected: float) -> None:
    assert share(attrs.evolve(STANDS, accounted=accounted, samples=samples)) == expected


def test_what_matters_least_goes_first() -> None:
    ranked = [(0, "aaaa"), (2, "bbbb"), (1, "cccc")]
    assert fitting(ranked, 100) == "aaaa, bbbb, cccc"
    assert fitting(ranked, 15) == "aaaa, cccc"
    assert fitting(ranked, 0) == "aaaa"


def test_what_happens_is_printed_above() -> None:
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True, color_system=None)
    with Bar(console) as bar:
        bar.progress(STANDS)
        bar.event({"event": "enqueued", "batches": 2, "samples": 3})
        bar.event({"event": "dead_letter", "index": 7, "error": "[red] :smile: is no markup"})
    assert "enqueued: 2 batches, 3 samples\n" in file.getvalue()


def test_a_job_outlives_its_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.EIO, "Input/output error")

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stderr", Gone())
    with Bar() as bar:
        bar.progress(STANDS)
        bar.event({"event": "enqueued", "batches": 2, "samples": 3})
