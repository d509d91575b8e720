"""A model folder -> labels, confidence, embedding, where it looked. Owns onnxruntime."""

from mapsi.infer.folder import AxisLabels, ModelDocument
from mapsi.infer.look import Garment, Look
from mapsi.infer.model import Model, shipped_model
from mapsi.infer.reading import AxisReading, Guess, Reading

__all__ = [
    "AxisLabels",
    "AxisReading",
    "Garment",
    "Guess",
    "Look",
    "Model",
    "ModelDocument",
    "Reading",
    "shipped_model",
]
