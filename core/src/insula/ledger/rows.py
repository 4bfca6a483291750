"""The rows of the ledger.

Everything settled is a range of samples, since batches and pieces of batches then are one thing: consecutive samples that
need no further work, with the bytes in a part that hold their predictions.
"""

from __future__ import annotations

from insula.records import define, frozen


@frozen
class Settled:
    """Consecutive samples that are done, and where their lines are.

    `index` is the first; `samples` = `each` + `whole_samples` + `stored` + `dead`. The lines are `length` bytes of `part`
    from `offset`: `each` lines of one sample, `whole` lines of several.
    """

    index: int
    samples: int
    part: str
    offset: int
    length: int
    each: int
    whole: int
    whole_samples: int
    stored: int
    dead: int

    @property
    def stop(self) -> int:
        """The sample behind the last one."""
        return self.index + self.samples

    @property
    def lines(self) -> int:
        """How many lines the bytes must hold."""
        return self.each + self.whole


@define
class Piece:
    """A batch that failed, or a part of one that is tried alone.

    Args:
        ordinal: its batch.
        skip, take: which samples of the batch, by position.
        index: its first sample.
        attempts: how often it failed.
        interruptions: how often something unexplained killed its worker.
        crashes: at how many coordinator deaths in a row it was found in `predict`.
        state: `open` until it is `settled` or `split` into two.
    """

    ordinal: int
    skip: int
    take: int
    index: int
    attempts: int = 0
    interruptions: int = 0
    crashes: int = 0
    state: str = "open"

    @property
    def key(self) -> tuple[int, int, int]:
        """What identifies it."""
        return self.ordinal, self.skip, self.take


@frozen
class DeadLetter:
    """A sample given up on; `error` numbers a row of the ledger's errors."""

    index: int
    ordinal: int
    attempts: int
    error: int


@define
class State:
    """The single row that sums the job up; written in the transaction of whatever changed it.

    Args:
        epoch: how many coordinators the job has had.
        batches, samples: split so far.
        split_input, split_offset: where the split stands.
        split_done: whether it has ended.
        exported, exported_bytes, exported_lines: the watermark: first sample not exported, and the size of the export.
        succeeded, failed: batches settled without and with dead letters.
        lost: of those that failed, the ones of which no sample was saved.
        each, whole, whole_samples, stored, dead: samples (`whole`: lines) settled, by how.
        non_finite: NaN and infinities written as null.
        attempts, interruptions: counted so far.
        running: seconds that coordinators of this job ran.
        started: when the first coordinator began, seconds since 1970.
        completes: whether the predictor has an `on_job_complete`; None as long as no predictor was made.
        publishing: whether the export is complete, so that it may have its final name.
        completed: whether `on_job_complete` was.
    """

    epoch: int = 0
    batches: int = 0
    samples: int = 0
    split_input: int = 0
    split_offset: int = 0
    split_done: bool = False
    exported: int = 0
    exported_bytes: int = 0
    exported_lines: int = 0
    succeeded: int = 0
    failed: int = 0
    lost: int = 0
    each: int = 0
    whole: int = 0
    whole_samples: int = 0
    stored: int = 0
    dead: int = 0
    non_finite: int = 0
    attempts: int = 0
    interruptions: int = 0
    running: float = 0.0
    started: float | None = None
    completes: bool | None = None
    publishing: bool = False
    completed: bool = False

    @property
    def settled(self) -> int:
        """Batches that need no further work."""
        return self.succeeded + self.failed

    @property
    def accounted(self) -> int:
        """Samples that need no further work."""
        return self.each + self.whole_samples + self.stored + self.dead
