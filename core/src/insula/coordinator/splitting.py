"""Splitting the input beside everything else, so that the first batches run while the last ones are not yet found."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence

from insula import failpoints
from insula.descriptors import Position, SplitContext
from insula.hooks import Hooks
from insula.spec import Block, Input

# Bounds what a fast split holds in memory when the ledger cannot keep up.
_AHEAD = 8


class Splitting:
    """A split in a thread of its own.

    Args:
        after: where an earlier split stood.
        wake: called when there is something to `take`.
    """

    def __init__(
        self,
        hooks: Hooks,
        context: SplitContext,
        inputs: Sequence[Input],
        after: Position | None,
        wake: Callable[[], None],
    ) -> None:
        self._blocks: queue.Queue[Block | BaseException | None] = queue.Queue(maxsize=_AHEAD)
        self._wake = wake
        self._stopped = False
        self.done = False
        arguments = (hooks, context, inputs, after)
        threading.Thread(target=self._run, args=arguments, name="insula-split", daemon=True).start()

    def _run(self, hooks: Hooks, context: SplitContext, inputs: Sequence[Input], after: Position | None) -> None:
        try:
            for block in hooks.split(context, inputs, after):
                if failpoints.armed:
                    failpoints.reach("split", "before")
                if self._stopped:
                    return
                self._put(block)
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Block | BaseException | None) -> None:
        self._blocks.put(item)
        self._wake()

    def take(self) -> list[Block]:
        """Return the blocks that were found since.

        Raises:
            InsulaError: if the split failed.
        """
        found: list[Block] = []
        while not self.done:
            try:
                item = self._blocks.get_nowait()
            except queue.Empty:
                break
            if isinstance(item, Block):
                found.append(item)
            elif item is None:
                self.done = True
            else:
                self.done = True
                raise item
        if found and failpoints.armed:
            failpoints.reach("split", "after")
        return found

    def stop(self) -> None:
        """Let the thread end at its next block."""
        self._stopped = True
        while not self._blocks.empty():
            self._blocks.get_nowait()
