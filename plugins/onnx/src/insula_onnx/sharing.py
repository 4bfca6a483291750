"""Weights that workers share: a model is prepared once, and its weights are mapped from a file by every worker.

ONNX Runtime lays weights out anew for the CPU when it loads a model, in memory of the process. Here a process of its own has
it write them down as they are laid out; what is then mapped is the same memory for all who map it. The file fits one release
of ONNX Runtime and one kind of CPU, which its name says.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnxruntime

from insula.descriptors import WorkerContext
from insula_onnx.model_file import ModelFile
from insula_onnx.providers import CPU, Providers
from insula_onnx.sessions import LEVELS

LARGE = 64 << 20
_PREPARED, _WEIGHTS = "model.onnx", "weights.bin"
_SMALLEST = 1024  # weights below this many bytes stay in the model
_OLDEST = (1, 22)  # the first release that writes and reads such files reliably


def wanted(context: WorkerContext, model: ModelFile, providers: Providers) -> bool:
    """Whether this worker should map a model's weights: as the user says, or a large model and several workers."""
    asked = context.api.predictor.settings.onnx.share_weights
    if asked is None:
        asked = model.size > LARGE and context.job_spec.get("workers", 1) > 1
    if model.scalars is None or providers.names != (CPU,) or _release() < _OLDEST:
        return False
    return bool(asked)


def prepared(model: ModelFile, level: str, cache: Path) -> Path | None:
    """Return the prepared file of a model, made by whichever worker comes first; None, with a warning, if that fails.

    Args:
        level: the setting `graph_optimization`.
        cache: the folder of prepared models.
    """
    entry = cache / _key(model, level)
    try:
        with _locked(cache, entry.name):
            if not entry.exists():
                _make(entry, model.path, level)
    except (OSError, subprocess.CalledProcessError) as error:
        told = str(getattr(error, "stderr", None) or error).strip()[-500:]
        logging.getLogger(__name__).warning("the weights of %s are not shared: %s", model.path, told)
        return None
    return entry / _PREPARED


def _make(entry: Path, source: Path, level: str) -> None:
    with tempfile.TemporaryDirectory(prefix=".", dir=entry.parent) as unfinished:
        folder = Path(unfinished, entry.name)
        folder.mkdir()
        _prepare(source, folder, level)
        folder.replace(entry)


def _prepare(source: Path, folder: Path, level: str) -> None:
    # In a process of its own, since the memory that this takes would stay with the worker.
    command = [sys.executable, "-m", "insula_onnx.sharing", str(source.absolute()), str(folder), level]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _write(source: str, folder: str, level: str) -> None:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # that the file fits this machine only is known
    options.intra_op_num_threads = 1
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[level])
    options.optimized_model_filepath = str(Path(folder, _PREPARED))
    for name, value in (
        ("optimized_model_external_initializers_file_name", _WEIGHTS),
        ("optimized_model_external_initializers_min_size_in_bytes", str(_SMALLEST)),
        ("save_external_prepacked_constant_initializers", "1"),
    ):
        options.add_session_config_entry(f"session.{name}", value)
    onnxruntime.InferenceSession(source, options, providers=[CPU])


def _key(model: ModelFile, level: str) -> str:
    """Return a name that changes with the model's files, the release, the CPU and how far the graph is rewritten."""
    parts = [level, onnxruntime.__version__, platform.machine(), _cpu()]
    for file in (model.path, *model.external):
        stat = file.stat()
        parts += [str(file.resolve()), str(stat.st_size), str(stat.st_mtime_ns)]
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"{model.path.stem}-{digest[:20]}"


def _cpu() -> str:
    """Return what the kernel says of the first CPU's model and features."""
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return platform.processor()
    told = ("model name", "flags", "Features", "CPU part", "CPU implementer")
    return "\n".join(line for line in lines if line.startswith(told))


def _release() -> tuple[int, ...]:
    return tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])


@contextmanager
def _locked(cache: Path, name: str) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".{name}.lock").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    _write(*sys.argv[1:])
