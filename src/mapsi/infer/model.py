"""Opening a model folder and asking it about photos."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from PIL import Image

from mapsi.arrays import FloatArray
from mapsi.errors import ArtifactError
from mapsi.imaging import Box, cut, to_input
from mapsi.infer.folder import FAMILIAR, NETWORK, AxisLabels, ModelDocument, read_document
from mapsi.infer.look import WHOLE, Garment, Look, Region, find_regions, group_shares, with_margin
from mapsi.infer.reading import AxisReading, Guess, Reading

# Below this, a length is that of a zero vector.
_TINY = np.float32(1e-12)
_AT_ONCE = 4
"""Pictures in one run of the network. Two to four take 15 % less processor time each than one by itself, sixteen as
much again: what lies between two layers no longer fits the cache (``benchmarks/bench_network.py``)."""


def shipped_model() -> Path:
    """The model folder that comes with the package."""
    with as_file(files("mapsi.infer") / "shipped") as folder:
        return folder


class Model:
    """A model folder in memory. Any number of threads may ask it at once."""

    def __init__(
        self,
        document: ModelDocument,
        session: ort.InferenceSession,
        familiar: FloatArray | None = None,
        folder: Path | None = None,
        threads: int = 0,
    ) -> None:
        self.document = document
        self.fingerprint = document.fingerprint
        self.folder = folder
        self.threads = threads
        self._familiar = familiar
        self._session = session
        kinds = [f"{kind}:{labels.axis}" for labels in document.axes for kind in ("logits", "focus")]
        self._outputs = ("embedding", *kinds)

    @classmethod
    def open(cls, folder: Path | None = None, *, threads: int = 0) -> Self:
        """Open a model folder (the shipped one by default); ``threads`` 0 means all processor cores.

        Raises :class:`ArtifactError` where it is missing, damaged, or does not answer as its document says.
        """
        folder = folder or shipped_model()
        document = read_document(folder)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that have nothing to do sleep: spinning, they would take a third to a half of a full machine (20
        # instead of 11 ms of processor time for a photo).
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(folder / NETWORK, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises bare classes of its own for a file it cannot load
            raise ArtifactError(f"The network in {folder} cannot be loaded.", "Export the model again.") from error
        familiar = np.load(folder / FAMILIAR).astype(np.float32) if document.familiarity is not None else None
        model = cls(document, session, familiar, folder, threads)
        model._check_outputs()
        return model

    def with_threads(self, threads: int) -> Self:
        """The same model with ``threads`` threads: itself, or opened once more. With one thread it runs in the
        caller's: of callers in as many threads as there are cores, each keeps one busy, and none waits for another
        (``benchmarks/bench_embedding.py``).

        Raises :class:`ArtifactError` where the folder holds another model by now.
        """
        if threads == self.threads:
            return self
        again = self.open(self.folder, threads=threads)
        if again.fingerprint != self.fingerprint:
            raise ArtifactError(f"The model folder {self.folder} has changed meanwhile.", "Start again.")
        return again

    def _check_outputs(self) -> None:
        found = {output.name: output.shape for output in self._session.get_outputs()}
        expected = {"embedding": self.document.width}
        expected |= {f"logits:{labels.axis}": len(labels.classes) for labels in self.document.axes}
        expected |= {f"focus:{labels.axis}": len(labels.classes) for labels in self.document.axes}
        if self.document.groups:
            expected["map"] = len(self.document.groups)
        (photos,) = self._session.get_inputs()
        side, expected_side = photos.shape[2], self.document.map_size
        if expected_side and isinstance(side, int) and side != expected_side:
            raise ArtifactError(
                f"The network reads photos of {side} px; for the map {expected_side} were expected.",
                "Export the model again.",
            )
        for name, width in expected.items():
            if name not in found or found[name][1] != width:
                raise ArtifactError(
                    f"The network's output {name} is {found.get(name, 'missing')}; {width} wide was expected.",
                    "Export the model again.",
                )

    @property
    def axes(self) -> tuple[AxisLabels, ...]:
        return self.document.axes

    def read(self, photo: Image.Image) -> Reading:
        """Read one RGB picture."""
        return self.read_many([photo])[0]

    def read_many(self, photos: Sequence[Image.Image]) -> list[Reading]:
        """Read several RGB pictures in one batch."""
        if not photos:
            return []
        answers = self.answer(self._inputs(photos))
        familiar = self.familiar(answers["embedding"])
        return [self._reading(answers, i, bool(familiar[i])) for i in range(len(photos))]

    def read_box(self, photo: Image.Image, box: Box) -> Reading:
        """Read what is in a box of an RGB picture, with a little room around it; raises :class:`UsageError` for a box
        that is none."""
        return self.read(cut(photo, with_margin(box)))

    def garments(
        self, photo: Image.Image, worth_reading: Callable[[Sequence[Region]], Sequence[bool]] | None = None
    ) -> Look:
        """Read an RGB picture as a whole and each garment in it by itself; of those that are not ``worth_reading``, the
        reading is that of the whole.

        A model without a map takes the whole picture for one garment.
        """
        groups = self.document.groups
        if not groups:
            whole = self.read(photo)
            return Look(whole, (Garment("", 1.0, WHOLE, None, whole),), (), np.zeros((0, 0), np.uint8))
        answers, logits = self._whole(photo)
        shares = group_shares(logits)
        whole = self._reading(answers, 0, bool(self.familiar(answers["embedding"])[0]))
        regions = find_regions(shares, groups)
        chosen = [True for _ in regions] if worth_reading is None else worth_reading(regions)
        apart = [region for region, is_chosen in zip(regions, chosen, strict=True) if is_chosen]
        readings = iter(self.read_many([cut(photo, with_margin(region.box)) for region in apart]))
        garments = (
            Garment(region.group, region.confidence, region.box, region.mask, next(readings) if is_chosen else whole)
            for region, is_chosen in zip(regions, chosen, strict=True)
        )
        return Look(whole, tuple(garments), groups, shares.argmax(axis=0).astype(np.uint8))

    def _whole(self, photo: Image.Image) -> tuple[dict[str, FloatArray], FloatArray]:
        """What a picture answers as a whole, and its map; in one run where both are read at one size."""
        if self.document.map_size:
            return self.answer(self._inputs([photo])), self.map_logits(photo)
        told = self._run(self._inputs([photo]), (*self._outputs, "map"))
        logits = told.pop("map")[0, 0]
        return self._mean(told), logits

    def map_logits(self, photo: Image.Image) -> FloatArray:
        """The logits (groups, h, w) of the map of an RGB picture, by a model that has one."""
        # Of the whole picture alone: a close-up lacks the shoes at its border.
        size = self.document.map_size or self.document.preprocessing.size
        seen = replace(self.document.preprocessing, size=size, close_up=0.0)
        logits: FloatArray = self._run(to_input(photo, seen)[None], ("map",))["map"][0, 0]
        return logits

    def familiar(self, embeddings: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether each of the embeddings (B, width) is near something that the model learned from, (B,).

        Distance to what was learned tells photos of something else better than confidence does (Sun et al., 2022);
        centroids of clusters stand for the photos themselves.
        """
        if self._familiar is None or self.document.familiarity is None:
            return np.ones(len(embeddings), dtype=np.bool_)
        return np.asarray(nearness(embeddings, self._familiar) >= self.document.familiarity.threshold)

    def answer(self, inputs: FloatArray) -> dict[str, FloatArray]:
        """Raw outputs by name for inputs (B, views, 3, size, size), as :func:`to_input` makes them: the mean over the
        views, the close-up's focus laid where it was taken."""
        return self._mean(self._run(inputs, self._outputs))

    def _mean(self, told: dict[str, FloatArray]) -> dict[str, FloatArray]:
        """What outputs (B, views, ...) say of each photo, (B, ...)."""
        whole = {name: views[:, 0] for name, views in told.items()}
        if told["embedding"].shape[1] == 1:
            return whole
        near = {name: views[:, 1] for name, views in told.items()}
        for name in near:
            if name.startswith("focus:"):
                near[name] = focus_of_whole(near[name][..., ::-1], self.document.preprocessing.close_up)
        both = {name: (whole[name] + near[name]) * np.float32(0.5) for name in whole}
        # A picture of nothing may have no features at all: its embedding stays zero, which is like nothing.
        lengths = np.maximum(np.linalg.norm(both["embedding"], axis=1, keepdims=True), _TINY)
        return both | {"embedding": np.asarray(both["embedding"] / lengths, dtype=np.float32)}

    def _run(self, inputs: FloatArray, outputs: Sequence[str]) -> dict[str, FloatArray]:
        """The ``outputs`` asked for, (B, views, ...), of inputs (B, views, 3, size, size). They cost what all outputs
        cost: ONNX Runtime goes through the whole network, whichever are asked for."""
        pictures = inputs.reshape(-1, *inputs.shape[2:])
        parts = [
            self._session.run(outputs, {"photos": np.ascontiguousarray(pictures[at : at + _AT_ONCE])})
            for at in range(0, max(1, len(pictures)), _AT_ONCE)
        ]
        told = (each[0] if len(each) == 1 else np.concatenate(each) for each in zip(*parts, strict=True))
        return {
            name: each.reshape(*inputs.shape[:2], *each.shape[1:]) for name, each in zip(outputs, told, strict=True)
        }

    def shares(self, photos: Sequence[Image.Image], axis: str) -> FloatArray:
        """Calibrated class probabilities (B, classes) of RGB pictures on one axis."""
        labels = next(labels for labels in self.axes if labels.axis == axis)
        return calibrated(self.answer(self._inputs(photos))[f"logits:{axis}"], labels.temperature)

    def _inputs(self, photos: Sequence[Image.Image]) -> FloatArray:
        return np.stack([to_input(photo, self.document.preprocessing) for photo in photos])

    def _reading(self, answers: dict[str, FloatArray], i: int, familiar: bool) -> Reading:
        axes = {labels.axis: self._axis_reading(answers, labels, i, familiar) for labels in self.axes}
        attributes = {labels.axis for labels in self.axes if labels.attribute}
        if not any(answer.known for axis, answer in axes.items() if axis not in attributes):
            axes |= {axis: replace(axes[axis], known=False) for axis in attributes}
        return Reading(answers["embedding"][i], axes, self.fingerprint)

    def _axis_reading(self, answers: dict[str, FloatArray], labels: AxisLabels, i: int, familiar: bool) -> AxisReading:
        shares = calibrated(answers[f"logits:{labels.axis}"][i], labels.temperature)
        order = np.argsort(-shares, kind="stable")
        top = tuple(Guess(labels.classes[k], float(shares[k])) for k in order)
        focus = scaled_focus(answers[f"focus:{labels.axis}"][i, order[0]])
        known = familiar and top[0].confidence >= labels.threshold
        return AxisReading(labels.axis, known, top, focus)


def focus_of_whole(near: FloatArray, close_up: float) -> FloatArray:
    """The map (..., h, w) of the middle ``close_up`` of a picture as one of the whole picture, of the same shape:
    bilinear within, and what it says at its border beyond that."""
    down, across = (_stretching(cells, close_up) for cells in near.shape[-2:])
    return np.asarray(np.einsum("yi,...ij,xj->...yx", down, near, across), dtype=np.float32)


@lru_cache(maxsize=8)  # of one model always the same one or two, and worked out anew 2 % of an answer
def _stretching(cells: int, close_up: float) -> FloatArray:
    """(cells, cells): how much of each cell of a close-up is in each cell of the whole.

    Four cells (1, 2, 3, 4) of the middle half are (1, 1.5, 3.5, 4) of the whole: the inner two lie between cells of the
    close-up, the outer two beyond it.
    """
    places = (np.arange(cells) + 0.5) / cells
    seen = ((places - 0.5) / close_up + 0.5) * cells - 0.5
    columns = [np.interp(seen, np.arange(cells), row) for row in np.eye(cells)]
    return np.stack(columns, axis=1).astype(np.float32)


def nearness(embeddings: FloatArray, centroids: FloatArray) -> FloatArray:
    """Cosine of each unit embedding (B, width) to the nearest of unit ``centroids`` (k, width): (B,)."""
    # Not by @: BLAS wakes a thread a core for this small product, which then spin for a while and take a third of the
    # model's own rate from it (131 pictures a second instead of 169).
    return np.asarray(np.einsum("bw,kw->bk", embeddings, centroids).max(axis=1), dtype=np.float32)


def calibrated(logits: FloatArray, temperature: float) -> FloatArray:
    """Softmax of logits / temperature over the last dimension."""
    scaled = logits / np.float32(temperature)
    scaled -= scaled.max(axis=-1, keepdims=True)
    shares = np.exp(scaled)
    return np.asarray(shares / shares.sum(axis=-1, keepdims=True), dtype=np.float32)


def scaled_focus(activation: FloatArray) -> FloatArray:
    """A class-activation map (h, w) as 0..1: what spoke against the class is 0, the strongest place 1."""
    positive = np.maximum(activation, 0)
    peak = positive.max()
    return np.asarray(positive / peak if peak > 0 else positive, dtype=np.float32)
