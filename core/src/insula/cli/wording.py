"""How numbers and the standing of a job are worded."""

from __future__ import annotations

from collections.abc import Iterator

from insula.coordinator.status import Progress

# A batch that takes longer than this is worth a word.
SLOW = 2.0


def duration(seconds: float) -> str:
    """Return a time as `0:03:07`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it must be."""
    return f"{number:,} {noun if number == 1 else _plural(noun)}"


def _plural(noun: str) -> str:
    return f"{noun}es" if noun.endswith("ch") else f"{noun}s"


def size(length: int) -> str:
    """Return a number of bytes in the unit that fits."""
    units = ("bytes", "kB", "MB", "GB", "TB")
    amount, unit = float(length), 0
    while amount >= 1000 and unit < len(units) - 1:
        amount, unit = amount / 1000, unit + 1
    return count(length, "byte") if unit == 0 else f"{amount:.3g} {units[unit]}"


def of(done: int, total: int | None, noun: str) -> str:
    """Return how many of how many, as far as the total is known."""
    return count(done, noun) if total is None else f"{done:,} of {count(total, noun)}"


def rate(samples: float) -> str:
    """Return a number of samples a second."""
    return f"{samples:,.0f} samples/s" if samples >= 10 else f"{samples:.2g} samples/s"


def phase(stands: Progress) -> str:
    """Return what a job does: `enqueuing`, `running`, or `finishing` once every batch is settled."""
    return "finishing" if stands.batches is not None and stands.settled >= stands.batches else stands.status


def standing(stands: Progress, slow: float) -> Iterator[tuple[int, str]]:
    """Yield how a job stands in a few words each, with a rank: where room is scarce, low ranks are kept.

    Args:
        slow: seconds that the slowest batch has been running.
    """
    yield 0, of(stands.settled, stands.batches, "batch")
    yield 6, of(stands.accounted, stands.samples, "sample")
    if stands.rate > 0:
        yield 3, rate(stands.rate)
    # What the rate promises is no longer true once one batch takes longer than all that is left should.
    if stands.remaining and (slow <= SLOW or stands.remaining > slow):
        yield 1, f"{duration(stands.remaining)} left"
    if slow > SLOW:
        yield 2, f"slowest batch {duration(slow)}"
    if stands.failed:
        yield 4, f"{stands.failed:,} failed"
    yield 5, count(stands.workers, "worker")


def local_time(iso: str) -> str:
    """Return a time of ISO 8601 in this machine's zone, to the second."""
    from datetime import datetime

    # Python 3.10 does not read every form of ISO 8601, but what `isoformat` wrote.
    return datetime.fromisoformat(iso).astimezone().strftime("%Y-%m-%d %H:%M:%S")
