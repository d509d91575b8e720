"""The map of garments: what its losses ask for, and how it is fitted on a backbone that stands still."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from mapsi.dataset.photos import GROUPS, Sample
from mapsi.errors import ArtifactError
from mapsi.learn.augmentation import UNKNOWN
from mapsi.learn.fitting.map_fitting import fit_map
from mapsi.learn.garment_map import MapHead, map_loss, overlap_loss
from mapsi.learn.network import AxisNetwork, Start, build_network, normalise
from mapsi.learn.photos import read_mask, read_square

torch.set_num_threads(1)
SIZE = 64
RED = GROUPS.index("upper")


def test_places_that_a_mask_does_not_know_cost_nothing() -> None:
    logits = torch.randn(2, len(GROUPS), 8, 8, generator=torch.Generator().manual_seed(0))
    masks = torch.full((2, 8, 8), UNKNOWN, dtype=torch.uint8)
    assert float(map_loss(logits, masks, GROUPS)) == 0
    masks[0, :4] = 1
    changed = logits.clone()
    changed[0, :, 4:] += 5 * torch.randn(len(GROUPS), 4, 8)
    changed[1] = 0
    assert float(map_loss(logits, masks, GROUPS)) == pytest.approx(float(map_loss(changed, masks, GROUPS)), abs=1e-5)


@given(
    arrays(np.float32, (1, 3, 2, 3), elements=st.floats(-4, 4, width=16)),
    arrays(np.uint8, (1, 2, 3), elements=st.sampled_from([0, 1, 2, UNKNOWN])),
)
@settings(deadline=None)
def test_the_loss_of_overlap_is_that_of_a_slow_reading(logits: np.ndarray, masks: np.ndarray) -> None:
    known = [(y, x) for y in range(2) for x in range(3) if masks[0, y, x] != UNKNOWN]
    shares = np.exp(logits[0]) / np.exp(logits[0]).sum(axis=0)
    losses = []
    for group in {int(masks[0][at]) for at in known}:
        mine = {at for at in known if masks[0][at] == group}
        wrong = {at: abs((at in mine) - float(shares[group][at])) for at in known}
        loss, mistaken, before = 0.0, set(), 1.0
        for at in sorted(known, key=lambda at: -wrong[at]):
            mistaken.add(at)
            overlap = len(mine - mistaken) / len(mine | mistaken)
            loss, before = loss + wrong[at] * (before - overlap), overlap
        losses.append(loss)
    told = float(overlap_loss(torch.from_numpy(logits), torch.from_numpy(masks)))
    assert told == pytest.approx(np.mean(losses) if losses else 0.0, abs=1e-4)


@pytest.mark.parametrize(("right", "loss"), [(True, 0.0), (False, 1.0)])
def test_a_sure_map_loses_nothing_where_it_is_right_and_all_where_it_is_wrong(right: bool, loss: float) -> None:
    masks = torch.tensor([[[0, 0, 1], [1, 1, UNKNOWN]]], dtype=torch.uint8)
    told = torch.where(masks == UNKNOWN, 0, masks if right else 1 - masks).long()
    logits = 100 * torch.nn.functional.one_hot(told, 2).movedim(-1, 1).float()
    assert float(overlap_loss(logits, masks)) == pytest.approx(loss, abs=1e-6)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """Red squares on a grey ground, with masks: of twelve a person drew them, of twelve products a machine."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    return [red_square(folder / f"{k}.png", rng, product=str(k) if k >= 12 else "") for k in range(24)]


def red_square(file: Path, rng: np.random.Generator, product: str) -> Sample:
    left, top, side = (int(value) for value in (*rng.integers(4, 40, 2), rng.integers(30, 50)))
    pixels, mask = np.full((96, 96, 3), 120, np.uint8), np.zeros((96, 96), np.uint8)
    pixels[top : top + side, left : left + side] = (200, 20, 20)
    mask[top : top + side, left : left + side] = RED
    Image.fromarray(pixels).save(file)
    Image.fromarray(mask).save(file.with_suffix(".mask.png"))
    return Sample(file, product=product, mask=file.with_suffix(".mask.png"))


def mapping_network() -> AxisNetwork:
    torch.manual_seed(0)
    return build_network("resnet10t", {"style": 2}, Start(), embedding=8, groups=len(GROUPS)).eval()


def agreement(network: AxisNetwork, samples: list[Sample]) -> float:
    """Share of places told as the masks say."""
    pixels = torch.from_numpy(np.stack([read_square(s.path, SIZE) for s in samples])).permute(0, 3, 1, 2)
    with torch.inference_mode():
        logits = network.groups(network.maps(normalise(pixels, network.scale)))
    assert logits is not None
    told = logits.argmax(dim=1).numpy()
    return float(
        np.mean([(told[i] == read_mask(s, told.shape[1:], len(GROUPS))).mean() for i, s in enumerate(samples)])
    )


def test_a_map_is_fitted_to_its_masks_and_nothing_else_moves(photos: list[Sample]) -> None:
    network = mapping_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    fit_map(network, photos, SIZE, seed=0, epochs=40)
    assert agreement(network, photos) > 0.85
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert moved
    assert all(name.startswith("map.") for name in moved)
    assert not any(module.training for module in network.modules())


def test_the_same_photos_and_seed_give_the_same_map(photos: list[Sample]) -> None:
    torch.manual_seed(5)
    drawn = torch.randn(1)
    fitted = []
    for _ in range(2):
        torch.manual_seed(5)
        network = mapping_network()
        torch.manual_seed(5)
        fit_map(network, photos[:6], SIZE, seed=3, epochs=2)
        assert torch.equal(torch.randn(1), drawn), "who calls draws on as if nothing had been drawn"
        fitted.append(network.state_dict())
    assert all(torch.equal(fitted[0][name], fitted[1][name]) for name in fitted[0])


def test_without_masks_of_whole_photos_a_map_stays_as_it_is(photos: list[Sample]) -> None:
    network = mapping_network()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    without = [replace(photos[0], mask=None), replace(photos[1], box=(0.0, 0.0, 0.5, 0.5))]
    fit_map(network, without, SIZE, seed=0)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_masks_of_one_sort_alone_are_enough(photos: list[Sample]) -> None:
    for some in (photos[:12], photos[12:]):
        network = mapping_network()
        before = agreement(network, some)
        fit_map(network, some, SIZE, seed=0, epochs=25)
        assert agreement(network, some) > before


def test_a_mask_that_cannot_be_read_is_named(photos: list[Sample], tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(ArtifactError, match=r"bad\.png"):
        fit_map(mapping_network(), [replace(photos[0], mask=tmp_path / "bad.png")], SIZE, seed=0)


def test_what_never_learned_to_say_anything_is_left_out_of_a_map_and_what_did_stays() -> None:
    torch.manual_seed(0)
    last, scales = torch.randn(2, 8, 2, 2), [torch.randn(2, 4, side, side) for side in (16, 8, 4, 2)]
    head = MapHead(8, [4, 4, 4, 4], 3).eval()
    with torch.inference_mode():
        before, learned = head(last, scales), copy.deepcopy(head)
        head.drop_silent()
        assert head.last is None
        assert head.whole is None
        assert torch.equal(head(last, scales), before)
        assert learned.last is not None
        learned.last.bias += 1.0
        after = learned(last, scales)
        learned.drop_silent()
        assert torch.equal(learned(last, scales), after)
        assert not torch.equal(after, before)
