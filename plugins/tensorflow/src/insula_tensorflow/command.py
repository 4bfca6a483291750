"""`insula tensorflow`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from insula_tensorflow.hosting import Batching, HostSettings, ModelPlace
    from insula_tensorflow.server import ModelServer


def _duration(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    from insula_tensorflow.durations import seconds

    if value is None:
        return None
    try:
        return seconds(float(value) if value.replace(".", "", 1).isdecimal() else value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error


@click.group("tensorflow", short_help="Serve models of TensorFlow.")
def command() -> None:
    """Serve models of TensorFlow."""


@command.command("serve", short_help="Serve SavedModels over gRPC, as TensorFlow Serving does.")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8500, show_default=True, help="0 takes a free one.")
@click.option("--name", "names", multiple=True, help="Name of a model, in the order of PATHs; else its folder's name.")
@click.option("--max-batch-size", type=click.IntRange(1), help="Join concurrent requests up to so many rows.")
@click.option("--batch-interval", callback=_duration, help="How long a request waits for others, such as 100ms.")
@click.option("--typed-values", is_flag=True, help="Answer with float_val and the like, not with tensor_content.")
@click.option("--import", "imports", metavar="MODULE", multiple=True, help="Import it first, for its operations.")
@click.option("--intra-op-threads", type=click.IntRange(1), help="Threads within one operation.")
@click.option("--inter-op-threads", type=click.IntRange(1), help="Operations that run side by side.")
@click.option("--gpu", is_flag=True, help="Run on a GPU, or not at all.")
def serve(paths: Sequence[str], port: int, names: Sequence[str], **options: Any) -> None:
    """Serve SavedModels on 127.0.0.1 until SIGTERM or Ctrl-C.

    PATH is a SavedModel, a folder of numbered versions, of which the highest is taken, or a zip of either. It answers
    Predict, GetModelMetadata and GetModelStatus of TensorFlow Serving's gRPC API.
    """
    from insula.cli.output import say
    from insula_tensorflow import server as servers

    settings = _settings(_places(paths, names), **options)
    server = servers.ModelServer(settings, port)
    listed = ", ".join(place.name for place in settings.models)
    say(f"Loading {listed} for 127.0.0.1:{server.port}.")
    servers.serve(server, lambda: _tell(server, listed))
    servers.leave(0)


def _tell(server: ModelServer, listed: str) -> None:
    from insula.cli.output import say
    from insula.errors import UserError

    if server.faults:
        raise UserError("\n".join(server.faults))
    say(f"Serving {listed} at 127.0.0.1:{server.port}.")


def _places(paths: Sequence[str], names: Sequence[str]) -> tuple[ModelPlace, ...]:
    from insula.errors import UserError
    from insula_tensorflow.directories import ModelFault, find
    from insula_tensorflow.hosting import ModelPlace

    if names and len(names) != len(paths):
        raise click.UsageError(f"there are {len(paths)} PATHs and {len(names)} --name; give one for each, or none")
    chosen = names or [_name(Path(path)) for path in paths]
    twice = sorted({name for name in chosen if list(chosen).count(name) > 1})
    if twice:
        raise click.UsageError(f"two models are named {', '.join(twice)}; give each PATH a --name")
    places, faults = [], []
    for name, path in zip(chosen, paths, strict=True):
        try:
            found = find(Path(path))
            places.append(ModelPlace(name, str(found.path), found.version))
        except ModelFault as fault:
            faults.append(f"model {name} ({path}): {fault}")
    if faults:
        raise UserError("\n".join(faults))
    return tuple(places)


def _name(path: Path) -> str:
    from insula_tensorflow.directories import FILES

    whole = path.resolve()
    folder = whole.parent if whole.name in FILES else whole
    folder = folder.parent if folder.name.isdecimal() else folder
    return folder.stem if folder.suffix == ".zip" else folder.name


def _settings(places: tuple[ModelPlace, ...], **options: Any) -> HostSettings:
    from insula_tensorflow.hosting import HostSettings

    batching = _batching(options.pop("max_batch_size"), options.pop("batch_interval"))
    return HostSettings(places, batching, **options)


def _batching(max_batch_size: int | None, batch_interval: float | None) -> Batching | None:
    from insula_tensorflow.hosting import Batching

    if max_batch_size is None and batch_interval is None:
        return None
    if max_batch_size is None or batch_interval is None:
        raise click.UsageError("--max-batch-size and --batch-interval go together")
    return Batching(max_batch_size, batch_interval)
