from __future__ import annotations

from collections.abc import Callable

import onnxruntime
import pytest

from insula.descriptors import Assignment, WorkerContext
from insula_onnx.sessions import make_options
from insula_onnx.settings import OnnxSettings

Make = Callable[..., WorkerContext]


@pytest.mark.parametrize("cpu, threads", [(0.5, 1), (1.0, 1), (1.9, 1), (4.0, 4)])
def test_threads_come_from_the_share_of_the_cores(context: Make, cpu: float, threads: int) -> None:
    assert make_options(context(assignment=Assignment(0, cpu=cpu)), cores=4).intra_op_num_threads == threads


@pytest.mark.parametrize("workers, spinning", [(2, "1"), (3, "0")])
def test_threads_wait_asleep_where_workers_outnumber_cores(context: Make, workers: int, spinning: str) -> None:
    options = make_options(context(workers=workers), cores=2)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == spinning
    assert options.get_session_config_entry("session.inter_op.allow_spinning") == spinning


def test_settings_win(context: Make) -> None:
    settings = OnnxSettings(
        graph_optimization="basic", intra_op_threads=3, inter_op_threads=2, spinning=False, memory_arena=False
    )
    options = make_options(context(settings=settings), cores=64)
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 2)
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_PARALLEL
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    assert not options.enable_cpu_mem_arena
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
