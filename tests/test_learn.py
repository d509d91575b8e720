"""Learning, small but real: a network trained on drawings, exported, quantised, opened and asked."""

from __future__ import annotations

import csv
import json
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file

from mapsi.cli import main
from mapsi.dataset.manifest import Manifest, build_manifest
from mapsi.dataset.photos import Sample
from mapsi.dataset.plan import PhotoFolder
from mapsi.errors import ArtifactError, PhotoError, UsageError
from mapsi.imaging import decode_photo, to_input
from mapsi.infer import Model
from mapsi.learn.export import measurement
from mapsi.learn.export.calibration import calibration_error, choose_threshold, fit_temperature
from mapsi.learn.export.export import CHECKED, ExportOptions, ReadingNetwork, export
from mapsi.learn.fitting.training import load_weights, train
from mapsi.learn.network import AxisNetwork, Start, build_network
from mapsi.learn.objective import axis_loss, mix_batch, target_table
from mapsi.learn.photos import TrainingPhotos, background_mask, decode, open_store
from mapsi.learn.recipe import Phase, load_recipe
from mapsi.learn.run import METRICS, TrainingSet, read_run
from mapsi.taxonomy import load_taxonomy
from test_dataset import make_folder

torch.set_num_threads(1)
BACKBONE = "resnet10t"
CLASSES = {"style": ("suit", "knit"), "garment": ("dress", "hat", "shoes")}
TAXONOMY = load_taxonomy()


def _samples() -> list[Sample]:
    labels = [{"style": "suit"}, {"style": "knit", "garment": "hat"}, {"garment": "dress"}, {}, {"style": "suit"}]
    return [Sample(Path(f"{i}.jpg"), one, nothing=not one) for i, one in enumerate(labels)]


def test_targets_have_the_weight_of_their_sample_and_nothing_where_there_is_no_label() -> None:
    tables = target_table(_samples(), CLASSES, smoothing=0.1, balance=0.0, nothing=0.5)
    style = tables["style"].numpy()
    assert style[0] == pytest.approx([0.95, 0.05])
    assert style[2] == pytest.approx([0, 0])
    assert style[3] == pytest.approx([0.25, 0.25])
    hat = Sample(Path("hat.jpg"), {"garment": "hat"}, unsure=("style",))
    tables_of_hat = target_table([hat], CLASSES, smoothing=0.0, balance=0.0, nothing=0.5)
    assert tables_of_hat["style"].numpy()[0] == pytest.approx([0.25, 0.25])
    assert tables_of_hat["garment"].numpy()[0] == pytest.approx([0, 1, 0])
    assert tables["garment"].numpy()[1] == pytest.approx([0.1 / 3, 0.9 + 0.1 / 3, 0.1 / 3])


def test_the_average_spans_a_tenth_of_the_run() -> None:
    recipe = replace(load_recipe("mapsi"), phases=(Phase(32, 3), Phase(48, 2)), batch=10)
    assert recipe.steps(105) == 50
    assert recipe.average_decay(105) == pytest.approx(0.8)
    assert [recipe.size_at(epoch) for epoch in range(6)] == [32, 32, 32, 48, 48, 48]


def test_balance_gives_the_rarer_class_more_weight() -> None:
    style = target_table(_samples(), CLASSES, smoothing=0.0, balance=0.5, nothing=0.5)["style"].numpy()
    assert style[1].sum() > style[0].sum() > 0


def test_the_loss_is_that_of_a_slow_loop() -> None:
    rng = np.random.default_rng(0)
    tables = target_table(_samples(), CLASSES, smoothing=0.1, balance=0.3, nothing=0.5)
    logits = {axis: torch.from_numpy(rng.normal(size=(5, len(c))).astype(np.float32)) for axis, c in CLASSES.items()}
    slow = 0.0
    for axis, table in tables.items():
        terms = []
        for row, scores in zip(table.numpy(), logits[axis].numpy(), strict=True):
            if row.sum() > 0:
                shares = np.exp(scores) / np.exp(scores).sum()
                terms.append(-sum(t * np.log(p) for t, p in zip(row, shares, strict=True)))
        slow += sum(terms) / len(terms)
    assert float(axis_loss(logits, tables)) == pytest.approx(slow, rel=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_a_mixed_batch_keeps_pixels_and_targets_in_the_same_shares(seed: int) -> None:
    photos = torch.zeros(4, 3, 16, 16)
    photos[:2] = 1.0
    targets = {"style": torch.tensor([[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 2)}
    mixed, mixed_targets = mix_batch(photos, targets, np.random.default_rng(seed))
    assert mixed.mean(dim=(1, 2, 3)).numpy() == pytest.approx(mixed_targets["style"][:, 0].numpy(), abs=1e-5)


def test_white_and_black_backgrounds_are_found_from_the_border_inwards() -> None:
    pixels = np.full((40, 40, 3), 255, np.uint8)
    pixels[10:30, 10:30] = 120
    pixels[18:22, 18:22] = 255
    mask = background_mask(pixels)
    assert mask[0, 0]
    assert not mask[20, 20], "white inside a garment is no background"
    assert mask.sum() == 40 * 40 - 20 * 20
    assert background_mask(255 - pixels).sum() == mask.sum()
    assert not background_mask(np.full((40, 40, 3), 128, np.uint8)).any()


def test_augmentation_is_the_same_for_the_same_seed_epoch_and_photo() -> None:
    store = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    first = TrainingPhotos(store, [0, 1, 2], 24, seed=1, epoch=4)[1][0]
    assert torch.equal(first, TrainingPhotos(store, [0, 1, 2], 24, seed=1, epoch=4)[1][0])
    assert not torch.equal(first, TrainingPhotos(store, [0, 1, 2], 24, seed=1, epoch=5)[1][0])
    for augmentation in ("none", "crop", "strong"):
        assert TrainingPhotos(store, [0, 1, 2], 24, 1, 4, augmentation)[0][0].shape == (3, 24, 24)


def test_a_photo_is_decoded_once_and_again_when_it_changed(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "p", {"knit": 2})
    samples = [Sample(p) for p in sorted((folder / "knit").iterdir())]
    first = open_store(samples, tmp_path / "cache", 32)
    assert first.shape == (2, 32, 32, 3)
    open_store(samples, tmp_path / "cache", 32)
    assert len(list((tmp_path / "cache").iterdir())) == 1
    make_folder(tmp_path / "p", {"knit": 2}, start=90)
    assert not np.array_equal(first, open_store(samples, tmp_path / "cache", 32))


def test_of_several_photos_that_cannot_be_read_the_first_is_named(tmp_path: Path) -> None:
    photos = sorted((make_folder(tmp_path / "p", {"knit": 40}) / "knit").iterdir())
    for damaged in (photos[7], photos[31]):
        damaged.write_bytes(b"no photo")
    with pytest.raises(PhotoError, match=photos[7].name):
        open_store([Sample(photo) for photo in photos], tmp_path / "cache", 32)
    assert not any(tmp_path.glob("cache/*.npy")), "half a store is none"


def test_weights_of_another_network_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="another network"):
        build_network("resnet18", {"style": 2}, Start(weights))
    with pytest.raises(UsageError, match="resnet3400"):
        build_network("resnet3400", {"style": 2}, Start(weights))
    (tmp_path / "x.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ArtifactError, match="cannot be read"):
        build_network(BACKBONE, {"style": 2}, Start(tmp_path / "x.safetensors"))


def test_the_mean_of_a_class_activation_map_is_its_logit_without_the_bias(weights: Path) -> None:
    network = build_network(BACKBONE, {"style": 2}, Start(weights)).eval()
    _, logits, focus, _ = network.read(torch.rand(2, 3, 64, 64))
    head = network.heads["style"]
    assert torch.allclose(focus["style"].mean(dim=(2, 3)) + head.bias, logits["style"], atol=1e-5)


def _manifest(folder: Path) -> Manifest:
    style = make_folder(folder / "style", {"suit": 14, "knit": 14})
    garment = make_folder(folder / "garment", {"dress": 12, "hat": 12}, start=100)
    nothing = make_folder(folder / "nothing", {"x": 10}, start=200)
    plan = [
        PhotoFolder(style, "style", "split"),
        PhotoFolder(garment, "garment", "split"),
        PhotoFolder(nothing, "", "split", nothing=True),
    ]
    return build_manifest(plan, TAXONOMY, 0.25, np.random.default_rng(0))


RECIPE = replace(
    load_recipe("mapsi"),
    backbone=BACKBONE,
    phases=(Phase(32, 2), Phase(48, 1)),
    batch=8,
    learning_rate=3e-3,
    warm_heads=False,
)


def learned(manifest: Manifest, root: Path) -> TrainingSet:
    return TrainingSet(manifest, manifest.classes(TAXONOMY), root)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> tuple[Path, Manifest, list[str]]:
    """A run that was stopped in its third epoch and started again."""
    folder = tmp_path_factory.mktemp("run")
    manifest = _manifest(folder / "photos")
    said: list[str] = []

    def stop_in_third(text: str) -> None:
        if text.startswith("epoch 3/"):
            raise KeyboardInterrupt
        said.append(text)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(learned(manifest, folder), RECIPE, folder / "run", start=Start(weights), say=stop_in_third)
    assert signal.getsignal(signal.SIGINT) is handler, "Ctrl-C works as before"
    assert not (folder / "run" / "weights.safetensors").exists()
    train(learned(manifest, folder), RECIPE, folder / "run", start=Start(weights), say=said.append)
    return folder / "run", manifest, said


def test_an_interrupted_run_goes_on_where_it_was(finished: tuple[Path, Manifest, list[str]]) -> None:
    run, _, said = finished
    assert [text.split()[1] for text in said if text.startswith("epoch")] == ["1/3", "2/3", "3/3"]
    with (run / METRICS).open() as lines:
        rows = list(csv.DictReader(lines))
    assert [float(row["size"]) for row in rows] == [32, 32, 48]
    assert all(0 <= float(row["style_accuracy"]) <= 1 for row in rows)
    assert read_run(run).classes == {"style": ["suit", "knit"], "garment": ["dress", "hat"]}


@pytest.fixture(scope="module")
def folders(finished: tuple[Path, Manifest, list[str]], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The run's model folder in int8 and in float."""
    target = tmp_path_factory.mktemp("models")
    for kind in ("int8", "float"):
        options = ExportOptions(
            name="a test", int8=kind == "int8", close_up=None if kind == "int8" else 0.0, calibration=32
        )
        export(finished[0], target / kind, options, say=lambda _: None)
    return {kind: target / kind for kind in ("int8", "float")}


def test_the_commands_lead_from_folders_to_a_model_that_answers(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    photos = make_folder(tmp_path / "style", {"suit": 10, "knit": 10})
    run, model = tmp_path / "run", tmp_path / "model"

    def mapsi(*words: object) -> str:
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        return done.output

    start = ["--weights", weights, "--backbone", BACKBONE, "--phase", "32:1", "--batch", 8]
    trained = mapsi("train", "--photos", f"style={photos}", "--into", run, *start)
    assert "held out" in trained
    mapsi("export", run, "--into", model, "--name", "by commands")
    mapsi("evaluate", "--model", model, "--data", photos, "--axis", "style", "--json", tmp_path / "f.json")
    assert json.loads((tmp_path / "f.json").read_text("utf-8"))["n"] == 20
    assert json.loads(mapsi("classify", photos / "suit" / "000.jpg", "--model", model, "--json"))[0]["axes"]["style"]


def _network(run: Path) -> AxisNetwork:
    return load_weights(run, read_run(run))


def test_onnx_answers_as_torch_does(finished: tuple[Path, Manifest, list[str]], folders: dict[str, Path]) -> None:
    run, manifest, _ = finished
    model = Model.open(folders["float"])
    photos = [decode_photo(s.path.read_bytes()) for s in manifest.part("validation")[:6]]
    inputs = np.stack([to_input(photo, model.document.preprocessing) for photo in photos])
    answers = model.answer(inputs)
    with torch.inference_mode():
        ours = ReadingNetwork(_network(run), ["style", "garment"])(torch.from_numpy(inputs[:, 0]))
    names = ["embedding", "logits:style", "focus:style", "logits:garment", "focus:garment"]
    for name, expected in zip(names, ours, strict=True):
        assert answers[name] == pytest.approx(expected.numpy(), abs=2e-3), name
    assert np.linalg.norm(answers["embedding"], axis=1) == pytest.approx(np.ones(6), abs=1e-4)


def test_int8_answers_nearly_as_float_does(
    finished: tuple[Path, Manifest, list[str]], folders: dict[str, Path]
) -> None:
    photos = [decode_photo(s.path.read_bytes()) for s in finished[1].part("validation")]
    int8, plain = (Model.open(folders[kind]).read_many(photos) for kind in ("int8", "float"))
    cosines = [float(a.embedding @ b.embedding) for a, b in zip(int8, plain, strict=True)]
    assert np.mean(cosines) > 0.9
    assert (folders["int8"] / "model.onnx").stat().st_size < 0.4 * (folders["float"] / "model.onnx").stat().st_size


def test_the_card_tells_data_figures_and_recipe(folders: dict[str, Path]) -> None:
    card = (folders["int8"] / "card.md").read_text("utf-8")
    for part in (
        "# a test",
        "## Axis `style`",
        "## Axis `garment`",
        "macro F1",
        "95 %",
        "## Data",
        "held out",
        "resnet10t",
    ):
        assert part in card


def test_a_finished_run_started_again_keeps_its_averaged_weights(
    finished: tuple[Path, Manifest, list[str]], weights: Path
) -> None:
    run, manifest, _ = finished
    before = load_file(run / "weights.safetensors")
    train(learned(manifest, run.parent), RECIPE, run, start=Start(weights), say=lambda _: None)
    after = load_file(run / "weights.safetensors")
    assert all(torch.equal(before[name], after[name]) for name in before)
    with pytest.raises(ArtifactError, match="another recipe"):
        train(learned(manifest, run.parent), replace(RECIPE, seed=1), run, start=Start(weights))


def test_too_few_photos_are_told_before_anything_is_written(tmp_path: Path, weights: Path) -> None:
    manifest = _manifest(tmp_path / "photos")
    with pytest.raises(UsageError, match="less than one batch"):
        train(learned(manifest, tmp_path), replace(RECIPE, batch=64), tmp_path / "run", start=Start(weights))
    learned_only = Manifest(tuple(entry for entry in manifest.entries if entry.part == "train"))
    data = replace(learned(manifest, tmp_path), manifest=learned_only)
    with pytest.raises(UsageError, match="held out"):
        train(data, RECIPE, tmp_path / "run", start=Start(weights))
    assert not (tmp_path / "run").exists()


def test_an_export_decodes_photos_held_out_once_beside_the_check_of_the_network(
    finished: tuple[Path, Manifest, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: Counter[Path] = Counter()

    def counted(path: Path, **rest: Any) -> Image.Image:
        decoded[path] += 1
        return decode(path, **rest)

    monkeypatch.setattr(measurement, "decode", counted)
    export(finished[0], tmp_path / "model", ExportOptions(name="x", int8=False, familiar=8), say=lambda _: None)
    held = [sample.path for sample in finished[1].part("validation")]
    assert {path: decoded[path] for path in held} == {path: 2 if n < CHECKED else 1 for n, path in enumerate(held)}


def test_an_export_never_takes_the_place_of_something_else(
    finished: tuple[Path, Manifest, list[str]], tmp_path: Path
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "precious.txt").write_text("x")
    for target in (tmp_path / "models", tmp_path / "models" / "precious.txt", finished[0]):
        with pytest.raises(UsageError, match="something other"):
            export(finished[0], target, ExportOptions(name="x"))
    assert (tmp_path / "models" / "precious.txt").exists()


def test_an_unfinished_run_cannot_be_exported(tmp_path: Path, finished: tuple[Path, Manifest, list[str]]) -> None:
    run = tmp_path / "run"
    run.mkdir()
    for name in ("run.json", "manifest.csv"):
        (run / name).write_bytes((finished[0] / name).read_bytes())
    with pytest.raises(ArtifactError, match="not finished"):
        export(run, tmp_path / "model", ExportOptions(name="x"))
    assert not (tmp_path / "model").exists()
    with pytest.raises(ArtifactError, match="not a run folder"):
        read_run(tmp_path)


def test_a_run_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path, weights: Path) -> None:
    manifest = _manifest(tmp_path / "photos")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtifactError, match=r"cannot be (written|read)"):
        train(learned(manifest, tmp_path), RECIPE, tmp_path / "file" / "run", start=Start(weights))


def test_temperature_is_found_again() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 5)).astype(np.float32) * 2
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    truth = np.array([rng.choice(5, p=row / row.sum()) for row in shares.astype(np.float64)])
    assert fit_temperature(logits * 3, truth) == pytest.approx(3, rel=0.1)
    assert calibration_error(logits * 3, truth, 3.0) < 0.03 < calibration_error(logits * 3, truth, 1.0)


def test_the_threshold_keeps_the_right_and_drops_the_strange() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400)
    logits = np.eye(4, dtype=np.float32)[truth] * rng.uniform(3, 6, (400, 1)).astype(np.float32)
    strange = rng.normal(size=(200, 4)).astype(np.float32) * 0.3
    threshold = choose_threshold(logits, truth, strange, 1.0)
    assert 0.45 < threshold < 0.9


def test_two_axes_learn_together_with_missing_labels() -> None:
    """A tiny network fits drawings on both axes though no photo is labelled on both."""
    torch.manual_seed(0)
    network = AxisNetwork(timm.create_model(BACKBONE, num_classes=0, global_pool=""), 512, {"style": 2, "garment": 2})
    photos = torch.rand(8, 3, 32, 32) * 0.2
    photos[:2, 0] += 1
    photos[2:4, 1] += 1
    photos[4:6, 2] += 1
    labels = [{"style": "suit"}] * 2 + [{"style": "knit"}] * 2 + [{"garment": "dress"}] * 2 + [{"garment": "hat"}] * 2
    samples = [Sample(Path(f"{i}"), one) for i, one in enumerate(labels)]
    tables = target_table(
        samples, {"style": ("suit", "knit"), "garment": ("dress", "hat")}, smoothing=0.0, balance=0.0, nothing=0.0
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    for _ in range(25):
        optimiser.zero_grad()
        axis_loss(network(photos), tables).backward()
        optimiser.step()
    logits = network(photos)
    assert logits["style"][:4].argmax(dim=1).tolist() == [0, 0, 1, 1]
    assert logits["garment"][4:].argmax(dim=1).tolist() == [0, 0, 1, 1]
