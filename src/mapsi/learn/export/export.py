"""A trained run -> a model folder: ONNX, checked against torch, quantised to int8, calibrated, measured."""

from __future__ import annotations

import copy
import datetime
import io
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image
from torch import Tensor, nn

from mapsi.arrays import FloatArray, IntArray
from mapsi.artifacts import atomic_folder, file_digest, write_json
from mapsi.dataset.manifest import read_manifest
from mapsi.dataset.photos import GROUPS, Sample
from mapsi.encodings import decode
from mapsi.errors import ArtifactError, UsageError
from mapsi.imaging import Preprocessing
from mapsi.infer.folder import (
    CARD,
    DOCUMENT,
    FAMILIAR,
    METRICS,
    NETWORK,
    STRIDE,
    AxisLabels,
    Familiarity,
    ModelDocument,
)
from mapsi.infer.model import Model, nearness
from mapsi.learn.export.backgrounds import BackgroundTrial
from mapsi.learn.export.calibration import centroids, choose_threshold, familiarity_threshold, fit_temperature
from mapsi.learn.export.card import write_card
from mapsi.learn.export.map_figures import measure_map
from mapsi.learn.export.measurement import (
    answer_samples,
    axis_answers,
    measure_axis,
    measure_familiar,
    measure_source_baseline,
    measure_sure,
    model_inputs,
)
from mapsi.learn.export.padding import with_fixed_padding
from mapsi.learn.fitting.training import load_weights
from mapsi.learn.network import AxisNetwork
from mapsi.learn.photos import FIT
from mapsi.learn.run import MANIFEST, RunConfig, read_run

# Float32 sums differ in order between the two engines; larger gaps than these mean another network.
EXPORT_TOLERANCE = 2e-3
CHECKED = 32
"""Photos by which the two engines are compared."""
OPSET = 18
# The stem and the first two blocks of EfficientNet-Lite: few channels, so each one counts.
DELICATE = 6


class ReadingNetwork(nn.Module):
    """The network as a model folder answers: a flat tuple of outputs in the order of :attr:`names`."""

    def __init__(self, network: AxisNetwork, axes: Sequence[str]) -> None:
        super().__init__()
        self.network = network
        self.axes = list(axes)

    def forward(self, photos: Tensor) -> tuple[Tensor, ...]:
        embedding, logits, focus, garments = self.network.read(photos)
        outputs = [embedding]
        for axis in self.axes:
            outputs += [logits[axis], focus[axis]]
        return tuple(outputs if garments is None else [*outputs, garments])

    @property
    def names(self) -> list[str]:
        """Names of the outputs: the embedding, then logits and focus of each axis, and the map where there is one."""
        kinds = [f"{kind}:{axis}" for axis in self.axes for kind in ("logits", "focus")]
        return ["embedding", *kinds, *(["map"] if self.network.map is not None else [])]


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """``calibration`` counts the training photos that set the int8 ranges, ``familiar`` those that tell what is
    familiar; ``size`` and ``close_up`` are the recipe's where none are given; ``map_size`` is that of the map where it
    is another than ``size``; ``notes`` is Markdown for the card's end."""

    name: str
    size: int | None = None
    map_size: int = 0
    close_up: float | None = None
    calibration: int = 256
    familiar: int = 1500
    int8: bool = True
    notes: Path | None = None


def export(run: Path, target: Path, options: ExportOptions, say: Callable[[str], None] = print) -> ModelDocument:
    """Write the model folder of a finished run to ``target``, built beside it and switched in at the end.

    Raises :class:`ArtifactError` where the run is unfinished or the exported network answers differently from torch's.
    """
    _refuse_other_folders(target)
    config = read_run(run)
    network = load_weights(run, config)
    manifest = read_manifest(run / MANIFEST, Path(config.root))
    close_up = config.recipe.close_up if options.close_up is None else options.close_up
    preprocessing = Preprocessing(options.size or config.size, FIT, *network.scale, close_up)
    held, axes = [s for s in manifest.part("validation") if s.labels or s.nothing], list(config.classes)
    with atomic_folder(target) as folder, tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "float.onnx"
        write_onnx(network, axes, preprocessing, plain)
        checked = held[:CHECKED]
        gap = largest_gap(network, axes, plain, np.concatenate(model_inputs(checked, preprocessing)))
        say(f"ONNX answers like torch: largest difference {gap:.1e} on {len(checked)} photos")
        if gap > EXPORT_TOLERANCE:
            raise ArtifactError(f"The exported network differs from torch's by {gap:.1e}.", "Report this as a fault.")
        if options.int8:
            calibration = spread(manifest.part("train"), options.calibration)
            quantise(plain, folder / NETWORK, np.concatenate(model_inputs(calibration, preprocessing)))
        else:
            (folder / NETWORK).write_bytes(plain.read_bytes())
        document = _document(folder, config, network, preprocessing, options)
        model, unrounded = Model(document, _session(folder / NETWORK)), Model(document, _session(plain))
        familiar = write_familiar(folder, model, spread(manifest.part("train"), options.familiar))
        document, least, metrics = calibrate_and_measure(model, unrounded, familiar, manifest.part("train"), held)
        document = replace(document, familiarity=Familiarity(least, file_digest(folder / FAMILIAR)))
        metrics["torch_gap"] = gap
        metrics["map"] = measure_map(model, manifest.part("validation"), np.random.default_rng(0))
        write_json(folder / DOCUMENT, document.to_json())
        write_json(folder / METRICS, metrics)
        card = write_card(document, metrics, manifest, config, int8=options.int8, notes=_notes(options))
        (folder / CARD).write_text(card, "utf-8")
        Model.open(folder)  # raises where the folder does not hold together
    return document


def _refuse_other_folders(target: Path) -> None:
    """Raises unless what is there, which is about to be replaced, is a model folder."""
    if target.exists() and (not target.is_dir() or (any(target.iterdir()) and not (target / DOCUMENT).is_file())):
        raise UsageError(f"{target} holds something other than a model folder.", "Name a new folder with --into.")


def _notes(options: ExportOptions) -> str:
    if options.notes is None:
        return ""
    try:
        return decode(options.notes.read_bytes())
    except (OSError, UnicodeError) as error:
        raise ArtifactError(f"The notes {options.notes} cannot be read: {error}.", "Check --notes.") from error


def write_onnx(network: AxisNetwork, axes: Sequence[str], preprocessing: Preprocessing, file: Path) -> None:
    """Write the float network as one ONNX file with a free batch dimension, and free height and width where it has a
    map, which may be read at another size."""
    example = torch.zeros(2, 3, preprocessing.size, preprocessing.size)
    # Another size, of the map, is a multiple of STRIDE.
    written = with_fixed_padding(network) if preprocessing.size % STRIDE == 0 else copy.deepcopy(network)
    if written.map is not None:
        written.map.drop_silent()
    reading = ReadingNetwork(written, axes).eval()
    names = reading.names
    sides = {2: "height", 3: "width"} if network.map is not None else {}
    sided = [name for name in ["photos", *names] if name in ("photos", "map") or name.startswith("focus:")]
    with warnings.catch_warnings():
        # The tracing exporter is deprecated, but its plain graph of Conv, Relu and Add is what the quantiser knows.
        warnings.simplefilter("ignore", DeprecationWarning)
        # What it does not fold, the borders' order, ONNX Runtime does.
        warnings.filterwarnings("ignore", "Constant folding", UserWarning)
        torch.onnx.export(
            reading,
            (example,),
            str(file),
            input_names=["photos"],
            output_names=names,
            dynamic_axes={name: {0: "batch"} | (sides if name in sided else {}) for name in ["photos", *names]},
            opset_version=OPSET,
            dynamo=False,
        )


def largest_gap(network: AxisNetwork, axes: Sequence[str], file: Path, inputs: FloatArray) -> float:
    """Largest absolute difference between torch's and ONNX Runtime's float outputs."""
    reading = ReadingNetwork(network, axes).eval()
    with torch.inference_mode():
        ours = reading(torch.from_numpy(inputs))
    theirs = ort.InferenceSession(file, providers=["CPUExecutionProvider"]).run(reading.names, {"photos": inputs})
    return max(float(np.abs(a.numpy() - b).max()) for a, b in zip(ours, theirs, strict=True))


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """The photos that set the ranges, in batches; the range of batches that is read is set from outside."""

    def __init__(self, inputs: FloatArray) -> None:
        self._batches = np.array_split(inputs, max(1, len(inputs) // 16))
        self._left: Iterator[FloatArray] = iter(self._batches)

    def __len__(self) -> int:
        return len(self._batches)

    def set_range(self, start_index: int, end_index: int) -> None:
        self._left = iter(self._batches[start_index:end_index])

    def get_next(self) -> dict[str, FloatArray] | None:
        batch = next(self._left, None)
        return None if batch is None else {"photos": batch}


def quantise(plain: Path, target: Path, inputs: FloatArray) -> None:
    """Static QDQ int8 of the convolutions, per channel, ranges set by ``inputs``.

    What cuts off a convolution's answer (ReLU, ReLU6) is in the range that its int8 output has: as a step of its own it
    was rounded to int8 twice, and a seventh of the network's time. The heads stay float, they are a thousandth of the
    work, and so do the sums of the residual branches, which in int8 are no faster but add a sixth to the logits' error.
    Ranges leave out one activation in ten thousand: a few far values would make every step of the scale coarser. Where
    convolutions are depthwise, the first :data:`DELICATE` and the map stay float too: they cost nine tenths of the
    error and, in int8, are no faster (docs/model.md has the figures).
    """
    prepared = plain.with_name("prepared.onnx")
    quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
    # ONNX Runtime prints a line per batch.
    with redirect_stdout(io.StringIO()):
        quantize_static(
            str(prepared),
            str(target),
            _Calibration(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Relu", "Clip"],
            nodes_to_exclude=delicate_nodes(prepared),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.Percentile,
            # Histograms take in a batch at a time (whatever this option's name says): all at once takes gigabytes.
            extra_options={"CalibPercentile": 99.99, "CalibStridedMinMax": 1},
        )


def delicate_nodes(file: Path) -> list[str]:
    """Names of the convolutions that int8 would spoil: none in a network without depthwise ones."""
    graph = onnx.load(file).graph
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    if not any(_is_depthwise(node) for node in convolutions[:DELICATE]):
        return []
    return [node.name for i, node in enumerate(convolutions) if i < DELICATE or "/map/" in node.name]


def _is_depthwise(node: onnx.NodeProto) -> bool:
    return any(one.name == "group" and one.i > 1 for one in node.attribute)


def spread(samples: Sequence[Sample], count: int) -> list[Sample]:
    """``count`` samples evenly spread over the list, which is ordered by folder and class."""
    if len(samples) <= count:
        return list(samples)
    return [samples[int(i)] for i in np.linspace(0, len(samples) - 1, count)]


def _document(
    folder: Path, config: RunConfig, network: AxisNetwork, preprocessing: Preprocessing, options: ExportOptions
) -> ModelDocument:
    created = datetime.datetime.now(datetime.UTC).date().isoformat()
    axes = tuple(
        AxisLabels(axis, tuple(slugs), 1.0, 0.0, axis in config.attributes) for axis, slugs in config.classes.items()
    )
    digest, groups = file_digest(folder / NETWORK), GROUPS if network.map is not None else ()
    width = network.embedding_width
    map_size = options.map_size if groups and options.map_size != preprocessing.size else 0
    return ModelDocument(options.name, created, width, preprocessing, axes, digest, groups=groups, map_size=map_size)


def _session(network: Path) -> ort.InferenceSession:
    return ort.InferenceSession(network, providers=["CPUExecutionProvider"])


def write_familiar(folder: Path, model: Model, samples: Sequence[Sample]) -> FloatArray:
    """Write the centroids of what was learned from beside the network, and give them: (k, width), float16's numbers.
    The threshold is set later, on photos held out."""
    garments = [s for s in samples if not s.nothing]
    (answers,) = answer_samples(garments, model)
    stored = centroids(answers["embedding"]).astype(np.float16)
    np.save(folder / FAMILIAR, stored)
    return stored.astype(np.float32)


def calibrate_and_measure(
    model: Model, plain: Model, familiar: FloatArray, learned: Sequence[Sample], held: Sequence[Sample]
) -> tuple[ModelDocument, float, dict[str, Any]]:
    """Set what is familiar, and each axis's temperature and threshold, on the photos held out, and measure there, the
    int8 ``model`` beside the ``plain`` one of floats. Returns the document with these, the cosine from which a photo is
    familiar, and the figures."""
    truths = _truths_about_garments(model, held)
    trial = BackgroundTrial(model, list(truths), np.random.default_rng(0))

    def show(row: int, photo: Image.Image) -> None:
        if any(truth[row] >= 0 for truth in truths.values()):
            trial.show(row, photo)

    answers, unrounded = answer_samples(held, model, plain, show=show)
    nearest = nearness(answers["embedding"], familiar)
    least = round(familiarity_threshold(nearest[[i for i, s in enumerate(held) if not s.nothing]]), 4)
    known = np.asarray(nearest >= least)
    metrics: dict[str, Any] = {"axes": {}, "familiar": measure_familiar(held, known)}
    axes = []
    for axis in model.axes:
        rows = [i for i, s in enumerate(held) if s.labels.get(axis.axis) in axis.classes]
        mine = [held[i] for i in rows]
        strangers = [i for i, s in enumerate(held) if s.has_no_answer(axis.axis)]
        logits = answers[f"logits:{axis.axis}"]
        # An unfamiliar photo is unsure whatever its logits: as if they were all equal.
        told = logits * known[:, None]
        truth = np.array([axis.classes.index(sample.labels[axis.axis]) for sample in mine])
        temperature = fit_temperature(logits[rows], truth)
        threshold = choose_threshold(told[rows], truth, told[strangers], temperature)
        labels = replace(axis, temperature=temperature, threshold=threshold)
        axes.append(labels)
        seen = axis_answers(labels, mine, logits[rows])
        figures = measure_axis(labels, seen, truth, logits[rows], unrounded[f"logits:{labels.axis}"][rows])
        figures["sure"] = measure_sure(labels, truth, told[rows], told[strangers])
        figures["source_baseline"] = measure_source_baseline(labels.axis, learned, seen)
        metrics["axes"][labels.axis] = figures
    exchanged = trial.figures(truths)
    for name in truths:
        metrics["axes"][name]["backgrounds"] = exchanged.get(name)
    return replace(model.document, axes=tuple(axes)), least, metrics


def _truths_about_garments(model: Model, held: Sequence[Sample]) -> dict[str, IntArray]:
    """The numbers of the classes of ``held`` (n,) on each axis that says what a garment is, -1 where one has none."""
    numbers = {
        axis.axis: {slug: number for number, slug in enumerate(axis.classes)}
        for axis in model.axes
        if not axis.attribute
    }
    return {
        axis: np.array([known.get(sample.labels.get(axis, ""), -1) for sample in held])
        for axis, known in numbers.items()
    }
