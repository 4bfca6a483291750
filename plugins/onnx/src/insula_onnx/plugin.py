"""The predictor type `onnx`: the user's class gets an `onnx_client` that runs the API's models in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from insula import hookimpl
from insula.descriptors import Client, Model, PredictorType, WorkerContext
from insula.spec import ModelSpec
from insula_onnx.settings import Section

if TYPE_CHECKING:
    from insula_onnx.model import OnnxModel


class OnnxPlugin:
    """Loads models and makes the client; everything else is the core's.

    A model is loaded by the preflight, which has no surer way to find out whether it can be, and handed over afterwards.
    """

    def __init__(self) -> None:
        self._loaded: dict[tuple[str, str], OnnxModel] = {}

    @hookimpl
    def insula_predictor_type(self) -> PredictorType:
        """Describe the predictor type."""
        return PredictorType(
            name="onnx",
            class_name="ONNXPredictor",
            arguments=("onnx_client",),
            settings=Section,
            models="required",
            hardware=("gpu",),
            template=Path(__file__).parent / "template",
        )

    @hookimpl
    def insula_preflight(self, context: WorkerContext) -> list[str]:
        """Load the models, and say of each that cannot be loaded why."""
        try:
            from insula_onnx.loading import load_all
        except ImportError as error:
            return [f"ONNX Runtime cannot be imported ({error}); pip install --force-reinstall onnxruntime numpy"]
        models, faults = load_all(context)
        self._loaded |= {(context.worker, name): model for name, model in models.items()}
        return faults

    @hookimpl
    def insula_load_model(self, context: WorkerContext, model: ModelSpec) -> Model:
        """Hand over what the preflight loaded."""
        return Model(model.name, self._loaded.pop((context.worker, model.name)))

    @hookimpl
    def insula_create_client(self, models: Sequence[Model]) -> Client:
        """Make the `onnx_client`."""
        from insula_onnx.client import ONNXClient

        return Client("onnx_client", ONNXClient([model.object for model in models]))


plugin = OnnxPlugin()
