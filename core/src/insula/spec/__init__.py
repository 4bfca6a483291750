"""What a user asks for, as frozen data: no file is read here and nothing is checked against the machine."""

from insula.spec.api import ApiSpec, ComputeSpec, ModelSpec, PredictorSpec
from insula.spec.batch import BatchRef, Block, Extent, Input, Slice
from insula.spec.submission import Submission

__all__ = [
    "ApiSpec", "BatchRef", "Block", "ComputeSpec", "Extent", "Input", "ModelSpec", "PredictorSpec",
    "Slice", "Submission",
]  # fmt: skip
