"""Jobs from a program of one's own: `insula.run`, `insula.submit`, `insula.open_job`.

Nothing here touches what belongs to the host: no signal handlers, no logging set-up, no globals. A job runs in the thread
that runs it, with its workers in processes of their own.
"""

from insula.api.job import Job, JobResult
from insula.api.starting import open_job, run, submit
from insula.api.values import DeadLetter, JobStatus, Prediction
from insula.coordinator.status import Progress

__all__ = [
    "DeadLetter",
    "Job",
    "JobResult",
    "JobStatus",
    "Prediction",
    "Progress",
    "open_job",
    "run",
    "submit",
]
