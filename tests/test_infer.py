"""A model folder answers as its document says, or says what is wrong with it."""

from __future__ import annotations

import json
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mapsi.batches import batched
from mapsi.dataset.photos import GROUPS
from mapsi.errors import ArtifactError
from mapsi.imaging import decode_photo, to_input
from mapsi.infer import Model, shipped_model
from mapsi.infer.folder import ModelDocument
from mapsi.infer.model import calibrated, focus_of_whole, scaled_focus
from mapsi.sample.nothing import draw_nothing
from mapsi.taxonomy import load_taxonomy
from mapsi.web.pages.photos import EXAMPLES
from servers import require

SHARED = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.open()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped folder to damage."""
    return Path(shutil.copytree(shipped_model(), tmp_path / "model"))


def test_the_shipped_model_knows_all_axes_in_the_taxonomys_words(model: Model) -> None:
    taxonomy = load_taxonomy()
    assert {labels.axis for labels in model.axes} == set(taxonomy.axes)
    for labels in model.axes:
        assert set(labels.classes) <= set(taxonomy.find(labels.axis).by_slug)
        assert labels.attribute == (labels.axis not in taxonomy.listed)
    assert model.document.groups == GROUPS
    assert model.document.width <= 256


def test_a_reading_is_complete(model: Model) -> None:
    reading = model.read(Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 40, 3), dtype=np.uint8)))
    assert reading.embedding.shape == (model.document.width,)
    assert np.linalg.norm(reading.embedding) == pytest.approx(1, abs=1e-4)
    for labels in model.axes:
        answer = reading.axes[labels.axis]
        confidences = [guess.confidence for guess in answer.top]
        assert {guess.slug for guess in answer.top} == set(labels.classes)
        assert confidences == sorted(confidences, reverse=True)
        assert sum(confidences) == pytest.approx(1, abs=1e-4)
        assert not answer.known or answer.best.confidence >= labels.threshold
        assert answer.focus.ndim == 2
        assert 0 <= answer.focus.min() <= answer.focus.max() <= 1


def test_photos_read_together_answer_as_photos_read_alone(model: Model) -> None:
    rng = np.random.default_rng(0)
    photos = [Image.fromarray(rng.integers(0, 256, (60, 40, 3), dtype=np.uint8)) for _ in range(3)]
    together = model.read_many(photos)
    for photo, reading in zip(photos, together, strict=True):
        assert float(model.read(photo).embedding @ reading.embedding) > 0.999
    assert model.read_many([]) == []


def test_an_answer_is_the_mean_of_the_whole_photo_and_its_mirrored_close_up(model: Model) -> None:
    assert 0 < model.document.preprocessing.close_up < 1
    photo = Image.fromarray(np.random.default_rng(1).integers(0, 256, (60, 40, 3), dtype=np.uint8))
    inputs = to_input(photo, model.document.preprocessing)[None]
    both, whole, near = (model.answer(views) for views in (inputs, inputs[:, :1], inputs[:, 1:]))
    assert both["logits:style"] == pytest.approx((whole["logits:style"] + near["logits:style"]) / 2, abs=1e-5)
    assert np.linalg.norm(both["embedding"]) == pytest.approx(1, abs=1e-5)
    placed = focus_of_whole(near["focus:style"][..., ::-1], model.document.preprocessing.close_up)
    assert both["focus:style"] == pytest.approx((whole["focus:style"] + placed) / 2, abs=1e-4)


def test_a_close_ups_focus_is_laid_where_it_was_taken() -> None:
    rows, columns = np.mgrid[0:8, 0:8].astype(np.float32)
    slope = (columns + 0.5) / 8 + 10 * (rows + 0.5) / 8
    # A slope over the whole, seen in the middle half of it, is half as steep there.
    near = 0.25 * 11 + slope / 2
    assert focus_of_whole(near[None], 0.5)[0, 2:6, 2:6] == pytest.approx(slope[2:6, 2:6], abs=1e-5)
    assert focus_of_whole(near, 1.0) == pytest.approx(near, abs=1e-5)
    corner = focus_of_whole(near, 0.5)[0, 0]
    assert corner == pytest.approx(near[0, 0], abs=1e-5), "beyond the close-up its border goes on"


def test_calibration_is_a_softmax_that_survives_large_numbers() -> None:
    shares = calibrated(np.array([[1e4, 0.0, -1e4], [0.0, 0.0, 0.0]], np.float32), 2.0)
    assert shares.sum(axis=1) == pytest.approx([1, 1])
    assert shares[1] == pytest.approx([1 / 3] * 3)


def test_a_focus_that_never_spoke_for_the_class_is_dark() -> None:
    assert scaled_focus(np.full((2, 2), -3, np.float32)).max() == 0
    assert scaled_focus(np.array([[-1, 2], [4, 0]], np.float32)).tolist() == [[0, 0.5], [1, 0]]


def test_a_missing_folder_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no model folder"):
        Model.open(tmp_path / "none")


def test_a_damaged_network_is_told_by_its_digest(folder: Path) -> None:
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)
    with pytest.raises(ArtifactError, match="damaged"):
        Model.open(folder)
    (folder / "model.onnx").unlink()
    with pytest.raises(ArtifactError, match=r"no model\.onnx"):
        Model.open(folder)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"format": 99}, "format 99"),
        ({"axes": [{"axis": "style"}]}, "lacks an entry"),
        ({"preprocessing": {"size": 1}}, "preprocessing"),
        ({"width": 7}, "embedding"),
        ({"sha256": "0"}, "damaged"),
    ],
)
def test_a_document_that_does_not_fit_is_refused(folder: Path, change: dict[str, object], named: str) -> None:
    document = json.loads((folder / "model.json").read_text("utf-8"))
    (folder / "model.json").write_text(json.dumps(document | change), "utf-8")
    with pytest.raises(ArtifactError, match=named):
        Model.open(folder)


def test_another_threshold_is_another_fingerprint(folder: Path, model: Model) -> None:
    document = json.loads((folder / "model.json").read_text("utf-8"))
    assert ModelDocument.from_json(document).fingerprint == model.fingerprint
    document["axes"][0]["threshold"] += 0.01
    assert ModelDocument.from_json(document).fingerprint != model.fingerprint


def test_the_card_belongs_to_the_model(model: Model) -> None:
    card = (shipped_model() / "card.md").read_text("utf-8")
    metrics = json.loads((shipped_model() / "metrics.json").read_text("utf-8"))
    assert model.fingerprint in card
    for labels in model.axes:
        assert f"{metrics['axes'][labels.axis]['macro']['f1']:.3f}" in card


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_drawings_that_one_may_try_are_known_for_what_they_are(model: Model, example: str) -> None:
    """They are the first thing that many see of it: "We are not sure about this one" is no way to begin."""
    drawing = Image.open(files("mapsi.web") / "static" / "examples" / f"{example}.webp")  # type: ignore[arg-type]
    told = model.read(drawing.convert("RGB")).axes["garment"]
    assert told.known
    assert told.best.slug in {"coat": ("outwear", "coat")}.get(example, (example,))


def test_the_shipped_model_keeps_its_promise_on_garments(model: Model) -> None:
    """0.88 accuracy on the published validation split of ten kinds, in int8, where the model before had 0.86."""
    folder = SHARED / "clothing" / "validation"
    require(folder.is_dir(), "the photos in ../shared/data/clothing")
    right = total = 0
    garments = load_taxonomy().find("garment")
    ten = {place.name for place in folder.iterdir()}
    for paths in batched(sorted(folder.glob("*/*.jpg")), 4):
        readings = model.read_many([decode_photo(path.read_bytes()) for path in paths])
        for path, reading in zip(paths, readings, strict=True):
            right += garments.counted_as(reading.axes["garment"].best.slug, ten) == path.parent.name
            total += 1
    assert total == 341
    assert right / total >= 0.88


def test_pictures_of_no_garment_are_mostly_unsure(model: Model) -> None:
    rng = np.random.default_rng(5)
    pictures = [Image.new("RGB", (200, 200), tuple(rng.integers(0, 256, 3))) for _ in range(5)]
    pictures += [Image.fromarray(rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)) for _ in range(5)]
    for _ in range(5):
        tiles = (np.indices((200, 200)).sum(axis=0) // int(rng.integers(5, 40)) % 2 * 255).astype(np.uint8)
        pictures.append(Image.fromarray(tiles).convert("RGB"))
    unsure = [not reading.known for reading in model.read_many(pictures)]
    assert sum(unsure) >= 13


def test_a_picture_without_features_is_like_nothing_and_not_beyond_number(model: Model) -> None:
    rng = np.random.default_rng(7)
    pictures = [draw_nothing(rng) for _ in range(24)]
    lengths = np.linalg.norm([reading.embedding for reading in model.read_many(pictures)], axis=1)
    assert np.all((np.abs(lengths - 1) < 1e-3) | (lengths == 0))
