"""TensorFlow Serving's own server, `tensorflow_model_server`, as a service of a job: its command line and its files."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from insula.descriptors import Service, ServicesContext
from insula.jobs.store import home
from insula_tensorflow.directories import ServedModel
from insula_tensorflow.naming import SERVICE
from insula_tensorflow.settings import BatchingSettings, Section, TensorFlowSettings

PROGRAM = "tensorflow_model_server"
MODELS, BATCHING = "models.config", "batching.config"
# So many joined batches may wait for a thread. Workers wait for their answers, so that there are never more.
_WAITING = 100_000


def service(context: ServicesContext, models: Sequence[ServedModel]) -> Service:
    """Return the server of a job's models.

    Args:
        models: the folders of their `saved_model.pb`.
    """
    section: Section = context.api.predictor.settings
    files = {MODELS: models_config(models)}
    argv = [PROGRAM, "--port={port}", f"--model_config_file={{folder}}/{MODELS}", *_threads(section.tensorflow)]
    if section.server_side_batching is not None:
        files[BATCHING] = batching_config(section.server_side_batching, context.cores)
        argv += ["--enable_batching=true", f"--batching_parameters_file={{folder}}/{BATCHING}"]
    return Service(SERVICE, tuple(argv), files=files)


def _threads(settings: TensorFlowSettings) -> list[str]:
    given = (("intra", settings.intra_op_threads), ("inter", settings.inter_op_threads))
    return [f"--tensorflow_{pool}_op_parallelism={count}" for pool, count in given if count is not None]


def models_config(models: Sequence[ServedModel]) -> str:
    """Return the text of a ModelServerConfig: each model with just the version that is meant."""
    return "model_config_list {\n" + "".join(map(_model, models)) + "}\n"


def _model(model: ServedModel) -> str:
    folder = _numbered(model.path)
    lines = (
        f"name: {_quoted(model.name)}",
        f"base_path: {_quoted(str(folder.parent))}",
        'model_platform: "tensorflow"',
        f"model_version_policy {{ specific {{ versions: {int(folder.name)} }} }}",
    )
    return "  config {\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"


def _numbered(path: Path) -> Path:
    """Return a model's folder, or a link to it, that has the number of a version for its name, as the server wants."""
    whole = path.resolve()
    if whole.name.isdecimal():
        return whole
    link = home() / "models" / "numbered" / hashlib.sha256(str(whole).encode()).hexdigest()[:20] / "1"
    link.parent.mkdir(parents=True, exist_ok=True)
    try:
        link.symlink_to(whole, target_is_directory=True)
    except FileExistsError:
        pass  # made by an earlier job: its name is that of what it leads to
    return link


def batching_config(settings: BatchingSettings, threads: int) -> str:
    """Return the text of BatchingParameters.

    Args:
        threads: joined batches that run side by side.
    """
    values = {
        "max_batch_size": settings.max_batch_size,
        "batch_timeout_micros": round(settings.batch_interval * 1e6),
        "num_batch_threads": threads,
        "max_enqueued_batches": _WAITING,
    }
    return "".join(f"{key} {{ value: {value} }}\n" for key, value in values.items())


def _quoted(text: str) -> str:
    # The text format of protobuf has the escapes of C; those of bytes in Python are among them.
    escaped = "".join(
        f"\\{byte:03o}" if byte < 32 or byte > 126 or byte in b'"\\' else chr(byte) for byte in text.encode()
    )
    return f'"{escaped}"'
