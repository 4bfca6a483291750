"""What a user writes in the `predictor` section for the type `tensorflow`."""

from __future__ import annotations

import re
from typing import Any, Literal

import attrs

from insula_tensorflow.durations import seconds

_ADDRESS = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:/]+):(\d{1,5})")


def _at_least_one(_: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 1:
        raise ValueError(f"must be at least 1, not {value}")


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: int) -> None:
    if value < 0:
        raise ValueError(f"must be 0 or more, not {value}")


def _positive(_: object, attribute: attrs.Attribute[Any], value: float) -> None:
    if value <= 0:
        raise ValueError("must be longer than 0 s")


def _an_address(_: object, attribute: attrs.Attribute[Any], value: str | tuple[str, ...] | None) -> None:
    for one in (value,) if isinstance(value, str) else value or ():
        match = _ADDRESS.fullmatch(one)
        if match is None or not 0 < int(match[2]) < 2**16:
            raise ValueError(f"{one!r} is no address, such as localhost:8500")


def _with_its_other(tls: TlsSettings, attribute: attrs.Attribute[Any], value: str | None) -> None:
    if (tls.certificate is None) != (tls.key is None):
        raise ValueError("give both certificate and key, or neither")


@attrs.frozen
class TensorFlowSettings:
    """How TensorFlow runs the models, in workers or in insula's own server.

    Args:
        intra_op_threads: threads within one operation; None is the worker's (or the server's) share of the cores.
        inter_op_threads: operations that run side by side; None is as many as `intra_op_threads`.
        imports: modules to import before models are loaded, such as `tensorflow_text`, for the operations that they add.
    """

    intra_op_threads: int | None = attrs.field(default=None, validator=_at_least_one)
    inter_op_threads: int | None = attrs.field(default=None, validator=_at_least_one)
    imports: tuple[str, ...] = ()


@attrs.frozen
class TlsSettings:
    """TLS to a server: files in PEM, relative to the project.

    Args:
        ca: certificates of the authorities to trust; None trusts those of gRPC.
        certificate: of this client, if the server asks for one.
        key: of this client's certificate.
        server_name: what the server's certificate is made out to, if that is not the host.
    """

    ca: str | None = None
    certificate: str | None = attrs.field(default=None, validator=_with_its_other)
    key: str | None = attrs.field(default=None, validator=_with_its_other)
    server_name: str | None = None


@attrs.frozen
class RemoteModel:
    """A model that a server has: its name there, its version (None is the latest) and the signature that is meant."""

    name: str
    signature_key: str | None = None
    version: int | None = attrs.field(default=None, validator=attrs.validators.optional(_not_negative))


@attrs.frozen
class ServingSettings:
    """A server that speaks the API of TensorFlow Serving, in place of models in the workers.

    Args:
        address: `host:port` of a server that runs somewhere.
        addresses: several of them; workers are spread over them.
        embedded: whether insula starts a server of its own, which all workers of the job share.
        server: a program to start in place of insula's own server.
        models: the models of a server with an address, by name.
        tls: whether to speak TLS with that server, and how.
        timeout: seconds that one prediction may take.
        retries: how often a call is made again while the server cannot be reached.
    """

    address: str | None = attrs.field(default=None, validator=_an_address)
    addresses: tuple[str, ...] | None = attrs.field(default=None, validator=_an_address)
    embedded: bool = False
    server: Literal["tensorflow_model_server"] | None = None
    models: tuple[str | RemoteModel, ...] = ()
    tls: bool | TlsSettings = False
    timeout: float = attrs.field(default=300.0, converter=seconds, validator=_positive)
    retries: int = attrs.field(default=5, validator=_not_negative)

    def __attrs_post_init__(self) -> None:
        given = (self.address is not None, self.addresses is not None, self.embedded or self.server is not None)
        if sum(given) != 1:
            raise ValueError("give exactly one of address, addresses and embedded: true (or server)")
        if self.addresses is not None and not self.addresses:
            raise ValueError("addresses is empty; name at least one")
        if self.hosts and not self.models:
            raise ValueError("models is missing: name the models of the server")
        for only in ("models", "tls"):
            if getattr(self, only) and not self.hosts:
                raise ValueError(f"{only} goes with address or addresses only")
        names = [one.name for one in self.remote_models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"models names {', '.join(twice)} twice")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses of servers that insula does not start itself."""
        return (self.address,) if self.address is not None else self.addresses or ()

    @property
    def remote_models(self) -> tuple[RemoteModel, ...]:
        """The models of a server with an address."""
        return tuple(RemoteModel(one) if isinstance(one, str) else one for one in self.models)


@attrs.frozen
class BatchingSettings:
    """How a server joins requests of several workers.

    Args:
        max_batch_size: how many rows are joined at most.
        batch_interval: seconds that a request waits for others.
    """

    max_batch_size: int = attrs.field(validator=_at_least_one)
    batch_interval: float = attrs.field(converter=seconds)


@attrs.frozen
class Section:
    """The type's own keys of the `predictor` section."""

    tensorflow: TensorFlowSettings = attrs.field(factory=TensorFlowSettings)
    tensorflow_serving: ServingSettings | None = None
    server_side_batching: BatchingSettings | None = None

    def __attrs_post_init__(self) -> None:
        serving = self.tensorflow_serving
        if self.server_side_batching is not None and serving is not None and serving.hosts:
            raise ValueError(
                "server_side_batching is for a server that insula starts; the one at an address has its own"
            )
        if self.tensorflow.imports and serving is not None and (serving.hosts or serving.server):
            raise ValueError("tensorflow.imports is for models in workers and in insula's own server")

    @property
    def serving(self) -> ServingSettings | None:
        """The server; requests can be joined by one only, so there is one where that is asked for, as in Cortex."""
        if self.tensorflow_serving is None and self.server_side_batching is not None:
            return ServingSettings(embedded=True)
        return self.tensorflow_serving

    @property
    def in_process(self) -> bool:
        """Whether workers run the models themselves."""
        return self.serving is None
