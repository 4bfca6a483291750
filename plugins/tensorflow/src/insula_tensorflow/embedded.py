"""SavedModels in this process, run by TensorFlow."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from google.protobuf.text_format import ParseError
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel as Proto

from insula_tensorflow.backend import Array
from insula_tensorflow.datatypes import BFLOAT16, UnheldTypeError, of_number
from insula_tensorflow.directories import ModelFault
from insula_tensorflow.signature import UNHOLDABLE, Signature, TensorInfo

_SERVE, _GPU = "serve", "gpu"
# Lines of TensorFlow's messages that say nothing of the cause.
_FRAME = ("Graph execution error", "Detected at node", "[[")


@attrs.frozen
class _Function:
    """One signature, ready to be called with arrays in the order of `inputs`."""

    run: Callable[..., Sequence[Array]]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


class EmbeddedModel:
    """A SavedModel in a session.

    Sessions of TensorFlow 1 load every SavedModel that TensorFlow Serving does, those of old Keras too, of which
    `tf.saved_model.load` refuses some; and they take and give arrays without a detour over tensors.
    """

    def __init__(self, session: Any, signature_defs: Mapping[str, Any]) -> None:
        self._session = session
        self._defs = dict(signature_defs)
        self.signatures: Mapping[str, Signature] = {key: _signature(key, one) for key, one in self._defs.items()}
        self._functions: dict[str, _Function] = {}

    def predict(self, signature: Signature, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Run a signature on arrays of its dtypes and shapes."""
        function = self._functions.get(signature.key) or self._prepare(signature)
        values = function.run(*[inputs[name] for name in function.inputs])
        return {name: _array(value) for name, value in zip(function.outputs, values, strict=True)}

    def close(self) -> None:
        """Close the session."""
        self._functions.clear()
        self._session.close()

    def _prepare(self, signature: Signature) -> _Function:
        # Once a signature: two threads that both do so make the same.
        one = self._defs[signature.key]
        fetches = [one.outputs[name].name for name in signature.outputs]
        feeds = [one.inputs[name].name for name in signature.inputs]
        run = self._session.make_callable(fetches, feed_list=feeds)
        if any(info.dtype == BFLOAT16.number for info in one.outputs.values()):
            run = _widened(run)
        self._functions[signature.key] = function = _Function(run, tuple(signature.inputs), tuple(signature.outputs))
        return function


def import_operations(modules: Sequence[str]) -> None:
    """Import the modules that add operations to TensorFlow.

    Raises:
        ModelFault: if one cannot be imported.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except Exception as error:  # a module of the user's choice may raise anything
            raise ModelFault(f"tensorflow.imports: {module} cannot be imported ({error})") from error


def load(path: Path, *, intra_op_threads: int | None, inter_op_threads: int | None, gpu: bool) -> EmbeddedModel:
    """Load a SavedModel.

    Args:
        path: the folder of its `saved_model.pb`.
        intra_op_threads, inter_op_threads: None leaves it to TensorFlow. The first model of a process decides for all.
        gpu: whether it must run on a GPU; otherwise it does not.

    Raises:
        ModelFault: if TensorFlow cannot load it, or there is no GPU.
    """
    if gpu:
        _need_gpu()
    tags = _tags(path, gpu)
    session = tf.compat.v1.Session(graph=tf.Graph(), config=_config(intra_op_threads, inter_op_threads, gpu))
    try:
        with session.graph.as_default(), _quiet():
            meta_graph = tf.compat.v1.saved_model.loader.load(session, list(tags), str(path))
    except (tf.errors.OpError, OSError, ValueError, RuntimeError, KeyError) as error:
        session.close()
        raise ModelFault(_reason(error)) from error
    return EmbeddedModel(session, meta_graph.signature_def)


def _config(intra_op_threads: int | None, inter_op_threads: int | None, gpu: bool) -> Any:
    options = tf.compat.v1.GPUOptions(allow_growth=True)
    return tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=intra_op_threads or 0,
        inter_op_parallelism_threads=inter_op_threads or 0,
        device_count={} if gpu else {"GPU": 0},
        gpu_options=options,
        # Operations without a kernel for GPUs, such as those on strings, run beside it.
        allow_soft_placement=True,
    )


def _need_gpu() -> None:
    if tf.config.list_physical_devices("GPU"):
        return
    if not tf.test.is_built_with_gpu_support():
        cause = "was built without GPUs: pip uninstall tensorflow-cpu, then pip install 'tensorflow[and-cuda]'"
    else:
        cause = "finds none: its libraries (CUDA, cuDNN) or the driver are missing; pip install 'tensorflow[and-cuda]'"
    raise ModelFault(f"compute.gpu asks for a GPU, and TensorFlow {tf.__version__} {cause}")


# ------------------------------------------------------------------------------------------------ files


def _tags(path: Path, gpu: bool) -> tuple[str, ...]:
    """Return the tags of the graph that is meant: what is to be served, for GPUs if there is one."""
    graphs = [tuple(graph.meta_info_def.tags) for graph in _proto(path).meta_graphs]
    wanted = [{_SERVE, _GPU}, {_SERVE}] if gpu else [{_SERVE}]
    for tags in wanted:
        for found in graphs:
            if set(found) == tags:
                return found
    if len(graphs) == 1:
        return graphs[0]
    told = "; ".join(", ".join(found) or "none" for found in graphs) or "there is no graph"
    raise ModelFault(f"it has no graph with the tag {_SERVE} (tags: {told})")


def _proto(path: Path) -> Any:
    file = path / "saved_model.pb"
    try:
        if file.is_file():
            return Proto.FromString(file.read_bytes())
        return _from_text(file.with_suffix(".pbtxt"))
    except DecodeError as error:
        with file.open("rb") as opened:
            start = opened.read(20)
        raise ModelFault(f"{file.name} is cut off, or something else; it begins with {start!r}") from error


def _from_text(file: Path) -> Any:
    from google.protobuf import text_format

    try:
        return text_format.Parse(file.read_text(encoding="utf-8"), Proto())
    except (ParseError, UnicodeDecodeError) as error:
        raise ModelFault(f"{file.name} cannot be read: {error}") from error


def _reason(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines()]
    text = next((line for line in lines if line and not line.startswith(_FRAME)), type(error).__name__)
    if "Op type not registered" in text:
        operation = text.split("'")[1] if "'" in text else text
        return f"it uses the operation {operation}, which is none of TensorFlow's own; name its module in tensorflow.imports"
    # Nothing but variables is read once the graph is there.
    if isinstance(error, (tf.errors.DataLossError, tf.errors.OutOfRangeError)) or "variables/variables" in text:
        return f"its variables are missing, cut off or damaged; copy or download it again ({text})"
    return f"TensorFlow {tf.__version__} cannot load it: {text}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep TensorFlow from warning each worker's log that loading into sessions is old."""
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


# ------------------------------------------------------------------------------------------------ signatures


def _signature(key: str, found: Any) -> Signature:
    return Signature(key, _infos(found.inputs), _infos(found.outputs), found.method_name)


def _infos(tensors: Mapping[str, Any]) -> dict[str, TensorInfo]:
    return {name: _info(name, tensors[name]) for name in sorted(tensors)}


def _info(name: str, info: Any) -> TensorInfo:
    # A sparse or ragged tensor is several.
    if info.WhichOneof("encoding") != "name":
        return TensorInfo(name, UNHOLDABLE, None)
    try:
        dtype = of_number(info.dtype).held
    except UnheldTypeError:
        return TensorInfo(name, UNHOLDABLE, None)
    return TensorInfo(name, dtype, _shape(info.tensor_shape))


def _shape(found: Any) -> tuple[int | None, ...] | None:
    if found.unknown_rank:
        return None
    return tuple(None if one.size < 0 else int(one.size) for one in found.dim)


def _array(value: Any) -> Array:
    # A session answers with scalars where there are no dimensions.
    return value if type(value) is np.ndarray else np.asarray(value, dtype=object if isinstance(value, bytes) else None)


def _widened(run: Callable[..., Sequence[Array]]) -> Callable[..., Sequence[Array]]:
    """Return arrays of bfloat16 as float32, as a client of a server gets them."""

    def widened(*inputs: Array) -> list[Array]:
        return [one.astype(np.float32) if one.dtype.name == "bfloat16" else one for one in run(*inputs)]

    return widened
