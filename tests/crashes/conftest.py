"""Jobs that are started as a user starts them, killed, resumed, and checked by a program that knows nothing of insula."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
DEADLINE = 60.0

PREDICTOR = """
import os, time
from pathlib import Path

class PythonPredictor:
    def __init__(self, config):
        self.config = config

    def predict(self, payload, batch_id):
        time.sleep(self.config["pause"])
        return [self.one(sample["i"]) for sample in payload]

    def one(self, number):
        return {"double": number * 2, "text": f"é{number}"}

    def on_job_complete(self):
        with Path(self.config["output"], "predictions.jsonl").open("rb") as file:
            count = sum(1 for line in file)
        with open(self.config["done"], "a") as file:
            file.write(f"{count}\\n")
"""


class Trial:
    """One job of one project in folders of its own.

    Args:
        folder: for everything.
        batch_size, workers: of the job.
    """

    def __init__(self, folder: Path, batch_size: int = 8, workers: int = 2) -> None:
        self.folder = folder
        self.batch_size = batch_size
        self.workers = workers
        self.home, self.output, self.project = folder / "home", folder / "out", folder / "project"
        self.done, self.once = folder / "done", folder / "once"
        self.mark = f"trial-{uuid.uuid4()}"
        self.inputs: list[Path] = []
        self.started: list[subprocess.Popen[bytes]] = []
        self.write_project()

    def write_project(self, predictor: str = PREDICTOR) -> None:
        """Write the project; `predictor` may build on `PREDICTOR`."""
        self.project.mkdir(exist_ok=True)
        (self.project / "predictor.py").write_text(predictor)
        entry = {"name": "numbers", "kind": "BatchAPI", "predictor": {"type": "python", "path": "predictor.py"}}
        (self.project / "cortex.yaml").write_text(json.dumps([entry]))

    def write_rows(self, count: int, files: int = 1) -> None:
        """Write the input: numbered samples, in so many files."""
        edges = [count * number // files for number in range(files + 1)]
        for number in range(files):
            path = self.folder / f"rows-{number}.jsonl"
            path.write_text("".join(f'{{"i":{row}}}\n' for row in range(edges[number], edges[number + 1])))
            self.inputs.append(path)

    # ------------------------------------------------------------------------------------------ commands

    def environment(self, point: str = "") -> dict[str, str]:
        """Return the variables of a run: a mark that workers inherit, and the fail point, if any."""
        kept = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        kept |= {"INSULA_HOME": str(self.home), "TRIAL": self.mark}
        return kept | ({"INSULA_FAIL_POINT": point, "INSULA_FAIL_ONCE": str(self.once)} if point else {})

    def start(self, *arguments: object, point: str = "") -> subprocess.Popen[bytes]:
        """Start a command of insula."""
        command = [sys.executable, "-m", "insula", *map(str, arguments)]
        log = self.folder / "log"
        with log.open("ab") as file:
            process = subprocess.Popen(command, env=self.environment(point), stdout=file, stderr=file, cwd=self.folder)
        self.started.append(process)
        return process

    def submission(self, pause: float = 0.0, **more: object) -> list[object]:
        """Return the arguments of `insula run` but for the input."""
        config = {"pause": pause, "output": self.output, "done": self.done, **more}
        given = [word for key, value in config.items() for word in ("--config", f"{key}={value}")]
        options = ("--output", self.output, "--workers", self.workers, "--quiet")
        return ["run", self.project, *options, *given]

    def run(self, pause: float = 0.0, point: str = "", **more: object) -> subprocess.Popen[bytes]:
        """Start the job over the rows; what else is given is the predictor's config."""
        inputs = [word for path in self.inputs for word in ("--input", path)]
        return self.start(*self.submission(pause, **more), *inputs, "--batch-size", self.batch_size, point=point)

    def run_items(self, count: int, point: str = "") -> subprocess.Popen[bytes]:
        """Start the job over samples that the submission itself holds."""
        items = [{"i": number} for number in range(count)]
        path = self.folder / "submission.json"
        path.write_text(json.dumps({"item_list": {"items": items, "batch_size": self.batch_size}}))
        self.inputs = [self.folder / "items.jsonl"]
        self.inputs[0].write_text("".join(f"{json.dumps(item)}\n" for item in items))
        return self.start(*self.submission(), "--submission", path, point=point)

    def resume(self, point: str = "") -> subprocess.Popen[bytes]:
        """Start `insula resume`."""
        return self.start("resume", self.job.name, "--quiet", point=point)

    def finish(self, process: subprocess.Popen[bytes], codes: Sequence[int] = (0,)) -> int:
        """Wait for a command; return its exit code, which must be one of `codes`."""
        code = process.wait(DEADLINE)
        assert code in codes, self.log()
        return code

    def finish_resuming(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the job; resume it if it was killed."""
        if self.finish(process, (0, -signal.SIGKILL)):
            self.finish(self.resume())

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the coordinator, if it is still there."""
        process.kill()
        process.wait(DEADLINE)

    def kill_worker(self, pid: int) -> None:
        """Kill a worker and wait until it is gone."""
        assert pid in self.processes()
        os.kill(pid, signal.SIGKILL)
        self.wait(lambda: pid not in self.processes(), f"the end of {pid}")

    # ------------------------------------------------------------------------------------------ looking

    @property
    def job(self) -> Path:
        """The folder of the one job."""
        (folder,) = (self.home / "jobs").iterdir()
        return folder

    def log(self) -> str:
        """Return what insula printed."""
        return (self.folder / "log").read_text()

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of one name so far."""
        try:
            lines = (self.job / "events.jsonl").read_bytes().splitlines()
        except (FileNotFoundError, ValueError):
            return []
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def summary(self) -> dict[str, Any]:
        """Return the summary among the results."""
        return json.loads((self.output / "summary.json").read_bytes())

    def status(self) -> dict[str, Any]:
        """Return the status file, empty if there is none yet."""
        try:
            return json.loads((self.job / "status.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}

    def processes(self) -> set[int]:
        """Return the processes with the trial's mark."""
        found = set()
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and self.mark.encode() in (entry / "environ").read_bytes():
                    found.add(int(entry.name))
            except OSError:
                continue
        return found

    def workers_alive(self) -> list[int]:
        """Return the workers that are alive, by the events and /proc."""
        return sorted({event["pid"] for event in self.events("worker_started")} & self.processes())

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until a condition holds; return its value."""
        deadline = time.monotonic() + DEADLINE
        while not (found := condition()):
            assert time.monotonic() < deadline, f"in vain for {what}: {self.log()}"
            time.sleep(0.005)
        return found

    def check(self, dead: Collection[int] = (), pieces: Collection[int] = ()) -> None:
        """Have the checker look at everything: `dead` samples, and batches that were predicted in pieces."""
        found = self.checked(dead, pieces)
        assert found.returncode == 0, f"{found.stdout.decode()}{found.stderr.decode()}\n{self.log()}"

    def checked(
        self, dead: Collection[int] = (), pieces: Collection[int] = (), patience: float = 5.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the checker."""
        options = {
            "--input": self.inputs, "--batch-size": [self.batch_size], "--output": [self.output], "--home": [self.home],
            "--done": [self.done], "--mark": [self.mark], "--patience": [patience], "--dead": dead, "--pieces": pieces,
        }  # fmt: skip
        words = [str(word) for key, values in options.items() for word in (key, *values)]
        return subprocess.run([sys.executable, HERE / "checker.py", *words], capture_output=True, check=False)

    def close(self) -> None:
        """End what a failed test left."""
        for process in self.started:
            self.kill(process)
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def trials(tmp_path: Path) -> Iterator[Callable[..., Trial]]:
    made: list[Trial] = []

    def make(**options: Any) -> Trial:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Trial(folder, **options))
        return made[-1]

    yield make
    for trial in made:
        trial.close()


@pytest.fixture
def trial(trials: Callable[..., Trial]) -> Trial:
    return trials()


@pytest.fixture
def predictor() -> str:
    return PREDICTOR
