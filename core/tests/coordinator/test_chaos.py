"""A job over workers that lose, double, delay and reorder reports, die with and without certainty, and go on as ghosts; and
over coordinators that crash anywhere and are followed by others: in the end each sample is accounted for once, in order.

Workers are the real ones but for their process: they write real parts. What happens is a list of actions that hypothesis
chooses; behind its end all is well, so that every job ends.
"""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insula import failpoints
from insula.coordinator import coordinator as coordinator_module
from insula.coordinator.coordinator import Coordinator
from insula.coordinator.ending import Ending
from insula.coordinator.job import Job
from insula.descriptors import Assignment, Payload, Position, Predictions, Unreadable
from insula.events import EventLog
from insula.executors.interface import Cause, Died, Frame, Start
from insula.folder import JobFolder
from insula.jobs.finishing import check_conservation
from insula.ledger import Ledger
from insula.results import export
from insula.results.export import Exporter
from insula.results.parts import PartWriter
from insula.spec import BatchRef, Block, Extent, Input, Submission
from insula.worker import leases as leases_module
from insula.worker.batch_ids import of_batch
from insula.worker.cell import Cell, look
from insula.worker.leases import Leases
from insula.worker.predicting import Predicting
from insula.worker.reading import Reader
from insula.worker.writing import Writer

PREFIX = "01234567-89ab-4cde-8f01-"
PART_LIMIT = 400  # bytes, so that parts are closed and begun all the time
PATIENCE = 4  # receives in which nothing happens, before a worker that waits for a lost report is ended


class Crash(BaseException):
    """The coordinator is gone: nothing behind this point happens."""


# ------------------------------------------------------------------------------------------------ the input


@attrs.frozen
class Data:
    """What the job runs over: `blocks` are batches a block, repeated; kinds are what predict returns, by batch."""

    samples: int
    size: int
    blocks: tuple[int, ...]
    kinds: tuple[str, ...]
    guilty: frozenset[int]
    unreadable: frozenset[int]

    def kind(self, index: int) -> str:
        return self.kinds[index // self.size % len(self.kinds)]

    @property
    def batches(self) -> int:
        return -(-self.samples // self.size)


@attrs.frozen
class FakeHooks:
    """A source of numbers and a predictor that fails for the guilty ones."""

    data: Data

    def list_inputs(self, context: Any) -> list[Input]:
        return [Input("numbers", self.data.samples, None)]

    def split(self, context: Any, inputs: Sequence[Input], after: Position | None) -> Iterator[Block]:
        data, ordinal = self.data, after.batches if after else 0
        turn = 0
        while ordinal < data.batches:
            batches = min(data.blocks[turn % len(data.blocks)], data.batches - ordinal)
            stops = [min((ordinal + n + 1) * data.size, data.samples) for n in range(batches)]
            start, last = ordinal * data.size, (stops[-1] - 1) % data.size + 1
            if batches == 1 and last > 1 and turn % 2:  # as if it crossed two files
                yield Block(data.size, last, extents=(Extent(0, start, start + 1), Extent(0, start + 1, stops[0])))
            else:
                yield Block(data.size, last, 0, start, stops)
            ordinal, turn = ordinal + batches, turn + 1

    def read(self, inputs: Mapping[int, Input], references: Sequence[BatchRef]) -> Iterator[Payload]:
        for reference in references:
            numbers = range(reference.extents[0].start, reference.extents[-1].stop)
            assert (numbers[0], len(numbers)) == (reference.index, reference.count)
            good = [number for number in numbers if number not in self.data.unreadable]
            bad = tuple(
                Unreadable(number - reference.index, b"?", "not JSON")
                for number in numbers
                if number in self.data.unreadable
            )
            yield Payload(good, [number - reference.index for number in good], bad)

    def predict_batch(self, context: Any, predictor: Any, payload: list[int], batch_id: str) -> Predictions:
        if guilty := self.data.guilty.intersection(payload):
            raise ValueError(f"guilty: {min(guilty)}")
        kind = self.data.kind(payload[0])
        if kind == "each":
            return Predictions.each([number * 3 for number in payload])
        return Predictions.whole(payload) if kind == "whole" else Predictions.stored()


# ------------------------------------------------------------------------------------------------ workers


class NotingCell(Cell):
    """A cell that remembers which batch was begun last."""

    last: tuple[int, int] | None = None

    def reading(self, ordinal: int, skip: int, now: float) -> None:
        self.last = (ordinal, skip)
        super().reading(ordinal, skip, now)


@attrs.define(eq=False)
class FakeWorker:
    """A worker without a process: frames wait in `inbox` until it works, in `outbox` until they are delivered.

    With each frame in the outbox goes the batch that it tells of, if any.
    """

    hooks: FakeHooks
    inbox: deque[dict[str, Any]] = attrs.field(factory=deque)
    outbox: list[tuple[dict[str, Any], tuple[int, int] | None]] = attrs.field(factory=list)
    leases: Leases | None = None
    cell: NotingCell | None = None
    ended: bool = False
    setup: dict[str, Any] = attrs.field(factory=dict)

    def send(self, frame: dict[str, Any]) -> None:
        told = self.cell.last if self.cell and frame["type"] == "report" and frame["batches"] else None
        self.outbox.append((orjson.loads(orjson.dumps(frame)), told))

    def work(self) -> None:
        """Answer the next frame."""
        frame = self.inbox.popleft()
        getattr(self, f"on_{frame['type']}")(frame)

    def on_setup(self, frame: dict[str, Any]) -> None:
        self.setup = frame
        self.send({"type": "hello"})
        self.send({"type": "checked", "faults": [], "needs_total": False})
        self.send({"type": "ready", "completes": False})

    def on_inputs(self, frame: dict[str, Any]) -> None:
        self.cell = NotingCell(Path(self.setup["cell"]))
        predicting = Predicting(self.hooks, None, None, self.cell, PREFIX, False)
        inputs = {number: Input(*row) for number, row in enumerate(frame["inputs"])}
        writer = Writer(PartWriter(Path(self.setup["parts"]), self.setup["name"], PART_LIMIT), self.send)
        self.leases = Leases(Reader(self.hooks, inputs, self.cell), predicting, writer)

    def on_lease(self, frame: dict[str, Any]) -> None:
        self.leases.run(frame)

    def on_halt(self, frame: dict[str, Any]) -> None:
        self.leases.halted = True

    def on_finish(self, frame: dict[str, Any]) -> None:
        self.send({"type": "bye"})
        self.ended = True

    def die_at(self, kept: int, *, predicting: bool) -> None:
        """Die with only some of what was sent having gone out, in `predict` of the first batch that nobody hears of."""
        lost = [told for _, told in self.outbox[kept:] if told is not None]
        del self.outbox[kept:]
        if lost and predicting:
            self.cell.predicting(*lost[0], 0.0)


# ------------------------------------------------------------------------------------------------ what happens


@attrs.frozen
class Action:
    """One thing that happens: to the `which`-th worker alive, `amount` saying how much or how."""

    kind: str
    which: int = 0
    amount: int = 0


KINDS = (
    "work", "work", "work", "deliver", "deliver", "deliver", "all", "duplicate", "swap", "lose", "die", "exit",
    "lose sight", "ghost", "crash", "point", "stop",
)  # fmt: skip
POINTS = [
    f"{name}:{when}" for name in ("lease", "commit", "export", "watermark", "rename") for when in ("before", "after")
]


class FakeExecutor:
    """Does what the actions say, one each time that it is asked for frames; then all that there is to do."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.workers: list[FakeWorker] = []
        self.coordinator: Coordinator | None = None
        self.now = 0.0
        self.idle = 0
        self.lossy = False
        self.killed: list[FakeWorker] = []

    def clock(self) -> float:
        return self.now

    def start(self, start: Start) -> FakeWorker:
        self.workers.append(FakeWorker(FakeHooks(self.world.data)))
        return self.workers[-1]

    def identity(self, handle: FakeWorker) -> tuple[int, str]:
        return 1, "a process of no machine"

    def send(self, handle: FakeWorker, frame: Mapping[str, Any]) -> None:
        handle.inbox.append(orjson.loads(orjson.dumps(dict(frame), option=orjson.OPT_NON_STR_KEYS, default=str)))

    def wake(self) -> None:
        pass

    def kill(self, handle: FakeWorker) -> None:
        self.killed.append(handle)

    def close(self) -> None:
        pass

    def receive(self, timeout: float) -> list[Frame | Died]:
        self.now += 30.0  # every delay is over
        killed, self.killed = [worker for worker in self.killed if worker in self.workers], []
        if killed:
            return [one for worker in killed for one in self.die(worker, 0, Cause(signal=signal.SIGKILL, sent=True))]
        started = [one for worker in list(self.workers) for one in self.get_ready(worker)]
        if started or not self.world.actions:
            return started or self.go_on()
        return self.act(self.world.actions.popleft())

    def act(self, action: Action) -> list[Frame | Died]:
        if action.kind in ("crash", "stop", "point", "ghost"):
            return list(getattr(self.world, action.kind)(self, action))
        if action.kind == "all":
            return [one for worker in list(self.workers) for one in self.everything(worker)]
        if not self.workers:
            return []
        worker = self.workers[action.which % len(self.workers)]
        return list(getattr(self, action.kind.replace(" ", "_"))(worker, action.amount))

    def go_on(self) -> list[Frame | Died]:
        found = [one for worker in list(self.workers) for one in self.everything(worker)]
        self.idle = 0 if found else self.idle + 1
        if self.idle > PATIENCE:
            # Only a report that was lost is waited for: whoever loses them must notice, and end the worker.
            assert self.lossy, "the coordinator waits for nothing"
            self.idle = 0
            return [one for worker in list(self.workers) for one in self.die(worker, 0)]
        return found

    # ---------------------------------------------------------------------------------------- to one worker

    def everything(self, worker: FakeWorker) -> Iterator[Frame | Died]:
        while worker.inbox and not worker.ended:
            worker.work()
        yield from self.deliver(worker, len(worker.outbox))

    def get_ready(self, worker: FakeWorker) -> Iterator[Frame | Died]:
        """Pass through the start, in which nothing can be lost but the worker as a whole."""
        while worker.inbox and worker.inbox[0]["type"] in ("setup", "inputs"):
            worker.work()
        if any(frame["type"] == "ready" for frame, _ in worker.outbox):
            yield from self.deliver(worker, len(worker.outbox))

    def work(self, worker: FakeWorker, amount: int) -> Iterator[Frame | Died]:
        for _ in range(amount + 1):
            if worker.inbox and not worker.ended:
                worker.work()
        return iter(())

    def deliver(self, worker: FakeWorker, amount: int) -> Iterator[Frame | Died]:
        count = max(1, amount)
        out, worker.outbox = worker.outbox[:count], worker.outbox[count:]
        yield from (Frame(worker, frame) for frame, _ in out)
        if worker.ended and not worker.outbox:
            self.workers.remove(worker)
            yield Died(worker, Cause(code=0))

    def reports(self, worker: FakeWorker) -> list[int]:
        """Return where in the outbox reports are; of a worker that has none yet but could have some, after some work."""
        if not worker.outbox:
            self.work(worker, 0)
        return [at for at, (frame, _) in enumerate(worker.outbox) if frame["type"] == "report"]

    def duplicate(self, worker: FakeWorker, amount: int) -> Iterator[Frame | Died]:
        for at in self.reports(worker)[:1]:
            worker.outbox.insert(at + min(amount, 2), worker.outbox[at])
        return iter(())

    def swap(self, worker: FakeWorker, amount: int) -> Iterator[Frame | Died]:
        if len(found := self.reports(worker)) > 1:
            self.lossy = True
            first, second = found[0], found[1 + amount % (len(found) - 1)]
            worker.outbox[first], worker.outbox[second] = worker.outbox[second], worker.outbox[first]
        return iter(())

    def lose(self, worker: FakeWorker, amount: int) -> Iterator[Frame | Died]:
        if found := self.reports(worker):
            self.lossy = True
            del worker.outbox[found[amount % len(found)]]
        return iter(())

    def die(self, worker: FakeWorker, amount: int, cause: Cause | None = None) -> Iterator[Frame | Died]:
        self.reports(worker)
        worker.die_at(amount % (len(worker.outbox) + 1), predicting=amount % 2 == 0)
        yield from (Frame(worker, frame) for frame, _ in worker.outbox)
        self.workers.remove(worker)
        yield Died(worker, cause or Cause(signal=signal.SIGKILL))

    def exit(self, worker: FakeWorker, amount: int) -> Iterator[Frame | Died]:
        return self.die(worker, amount, Cause(code=3))

    def lose_sight(self, worker: FakeWorker, amount: int) -> Iterator[Frame | Died]:
        self.workers.remove(worker)
        self.world.ghosts.append((self, worker))
        yield Died(worker, Cause(text="was lost"), certain=False)


class World:
    """One job from its first coordinator to its last."""

    def __init__(self, root: Path, data: Data, workers: int, actions: Sequence[Action]) -> None:
        self.root, self.data, self.actions = root, data, deque(actions)
        self.folder = JobFolder(root / "job")
        self.folder.create()
        self.target = root / "predictions.jsonl.partial"
        self.ghosts: list[tuple[FakeExecutor, FakeWorker]] = []
        self.endings: list[Ending | None] = []
        self.armed = ""
        self.passages = 0
        known = {
            "id": "1", "api_name": "numbers", "created": 0.0, "folder": self.folder, "output": root, "project": root,
            "submission": Submission("numbers", None), "hooks": FakeHooks(data), "environment": {}, "job_spec": {},
            "assignments": [Assignment(number) for number in range(workers)], "batch_prefix": PREFIX,
        }  # fmt: skip
        self.job = Job(**{field.name: known.get(field.name) for field in attrs.fields(Job)})

    # ---------------------------------------------------------------------------------------- actions

    def crash(self, executor: FakeExecutor, action: Action) -> Iterator[Frame]:
        raise Crash

    def stop(self, executor: FakeExecutor, action: Action) -> Iterator[Frame]:
        executor.coordinator.stop()
        return iter(())

    def point(self, executor: FakeExecutor, action: Action) -> Iterator[Frame]:
        self.armed, self.passages = POINTS[(action.which + 4 * action.amount) % len(POINTS)], action.amount + 1
        return iter(())

    def ghost(self, executor: FakeExecutor, action: Action) -> Iterator[Frame]:
        """Have workers that nobody counts on any more go on: they write, and their own coordinator hears of it."""
        for owner, worker in self.ghosts:
            if worker.inbox and not worker.ended and worker.leases:
                worker.work()
            if owner is executor:
                yield from (Frame(worker, frame) for frame, _ in worker.outbox)
                worker.outbox.clear()

    def reach(self, name: str, when: str) -> None:
        if f"{name}:{when}" == self.armed:
            self.passages -= 1
            if self.passages == 0:
                self.armed = ""
                raise Crash

    # ---------------------------------------------------------------------------------------- coordinators

    def run(self) -> None:
        """Run coordinators until the job is settled."""
        for _ in range(200):
            self.endings.append(self.live())
            if self.endings[-1] is not None and self.endings[-1].status == "settled":
                return
        raise AssertionError(f"no end: {self.endings[-5:]}")

    def live(self) -> Ending | None:
        """Run one coordinator; return its ending, None if it crashed."""
        ledger = Ledger(self.folder.ledger, create=not self.folder.ledger.exists())
        exporter = None
        executor = FakeExecutor(self)
        try:
            doing = self.take_over(ledger)
            exporter = Exporter(ledger, self.folder.parts, self.target)
            with EventLog(self.folder.events) as events:
                return self.conduct(ledger, exporter, executor, events, doing)
        except (Crash, KeyboardInterrupt):  # the latter is what a second `stop` asks for
            return None
        finally:
            self.leave(executor)
            if exporter is not None:
                exporter.close()
            ledger.close()

    def take_over(self, ledger: Ledger) -> list[Any]:
        """Do what `insula.jobs.running` does, but for ending processes."""
        for name, _, _ in ledger.workers():
            ledger.remove_worker(name)
        cells = sorted(self.folder.cells.iterdir())
        doing = [one for one in (look(cell)[0] for cell in cells) if one is not None]
        for cell in cells:
            cell.unlink()
        ledger.state.epoch += 1
        ledger.commit()
        return doing

    def conduct(
        self, ledger: Ledger, exporter: Exporter, executor: FakeExecutor, events: EventLog, doing: list[Any]
    ) -> Ending:
        coordinator = Coordinator(self.job, ledger, exporter, executor, events)
        coordinator._crew._clock = executor.clock
        executor.coordinator = coordinator
        if ledger.state.epoch > 1:
            exporter.adopt()
            coordinator.work.coordinator_died(doing)
            ledger.commit()
        ending = coordinator.run()
        if ending.status == "settled":
            exporter.finish()
            check_conservation(ledger.state, ledger.count_dead_letters())
        return ending

    def leave(self, executor: FakeExecutor) -> None:
        """Let what worked for a coordinator that is gone live on as ghosts, half of it at a batch."""
        for number, worker in enumerate(executor.workers):
            lost = [told for _, told in worker.outbox if told is not None]
            if lost and number % 2 == len(self.endings) % 2:
                worker.cell.predicting(*lost[0], 0.0)
            self.ghosts.append((executor, worker))

    # ---------------------------------------------------------------------------------------- the end

    def check(self) -> None:
        ledger = Ledger(self.folder.ledger)
        state, dead = ledger.state, [letter.index for letter in ledger.dead_letters()]
        assert not list(ledger.unsettled(0))
        assert not ledger.open_pieces()
        ledger.close()
        assert dead == sorted(set(dead))
        assert self.data.guilty | self.data.unreadable <= set(dead)
        predicted = list(self.read_lines())
        assert predicted == sorted(predicted)
        stored = {number for number in range(self.data.samples) if self.data.kind(number) == "stored"} - set(dead)
        assert sorted([*predicted, *dead, *stored]) == list(range(self.data.samples))
        assert (state.samples, state.batches) == (self.data.samples, self.data.batches)
        assert state.succeeded + state.failed == state.batches
        assert state.stored == len(stored)
        assert state.dead == len(dead)
        assert not list(self.folder.parts.iterdir())

    def read_lines(self) -> Iterator[int]:
        for line in self.target.read_bytes().splitlines():
            found = orjson.loads(line)
            index = found["index"]
            if "count" in found:
                assert found["prediction"] == list(range(index, index + found["count"]))
                yield from found["prediction"]
            else:
                assert found["prediction"] == index * 3
                yield index
            ordinal = index // self.data.size
            assert found["batch_id"] == of_batch(PREFIX, ordinal) or found["batch_id"][14] == "5"


class InstantSync:
    """A sync that has ended as soon as it has begun, so that every run of an example is the same."""

    def __init__(self, descriptor: int, mark: Any) -> None:
        self.mark = mark

    def ended(self) -> bool:
        return True

    def wait(self) -> None:
        pass


class InstantSplitting:
    """A split that yields one block each time that it is asked."""

    def __init__(
        self, hooks: FakeHooks, context: Any, inputs: Sequence[Input], after: Position | None, wake: Any
    ) -> None:
        self.blocks = hooks.split(context, inputs, after)
        self.done = False

    def take(self) -> list[Block]:
        found = next(self.blocks, None)
        self.done = found is None
        return [] if found is None else [found]

    def stop(self) -> None:
        pass


# ------------------------------------------------------------------------------------------------ the tests


@st.composite
def data(draw: st.DrawFn) -> Data:
    samples, size = draw(st.integers(1, 100)), draw(st.integers(1, 7))
    kinds = tuple(draw(st.lists(st.sampled_from(["each", "each", "whole", "stored"]), min_size=1, max_size=4)))
    some = st.frozensets(st.integers(0, samples - 1), max_size=3)
    blocks = tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3)))
    made = Data(samples, size, blocks, kinds, draw(some), frozenset())
    # A line for a whole batch has no way to say which of its samples were not read.
    unreadable = frozenset(one for one in draw(some) if made.kind(one) != "whole")
    return attrs.evolve(made, unreadable=unreadable)


action = st.builds(Action, st.sampled_from(KINDS), st.integers(0, 3), st.integers(0, 6))
# Left to itself hypothesis makes short lists; most of what goes wrong needs more.
actions = st.one_of(st.lists(action, max_size=10), st.lists(action, min_size=40, max_size=60))


@pytest.fixture(autouse=True)
def deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing depends on the clock: reports come one a batch, syncs at once, splits one block a turn."""
    monkeypatch.setattr(leases_module, "_REPORT_EVERY", -1.0)
    monkeypatch.setattr(export, "_SYNC_SECONDS", -1.0)
    monkeypatch.setattr(export, "_Sync", InstantSync)
    monkeypatch.setattr(coordinator_module, "Splitting", InstantSplitting)
    monkeypatch.setattr(failpoints, "armed", True)


def run_job(data: Data, workers: int, actions: Sequence[Action]) -> World:
    memory = Path("/dev/shm")
    root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    world = World(root, data, workers, actions)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(failpoints, "reach", world.reach)
        try:
            world.run()
            world.check()
        finally:
            shutil.rmtree(root)
    return world


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data(), st.integers(1, 3), actions)
def test_every_sample_is_accounted_for_once_whatever_happens(data: Data, workers: int, actions: list[Action]) -> None:
    run_job(data, workers, actions)
