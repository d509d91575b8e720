"""Heads and projection of a finished run find the best fit on a backbone that stands still."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import nn

from mapsi.cli import main
from mapsi.dataset.manifest import build_manifest
from mapsi.dataset.photos import Sample
from mapsi.dataset.plan import PhotoFolder
from mapsi.errors import UsageError
from mapsi.learn.fitting.refitting import HEAD_RIDGE, fit_heads, fit_projection, jittered, refit_run, standardise
from mapsi.learn.fitting.training import train
from mapsi.learn.network import AxisNetwork, Start
from mapsi.learn.recipe import Phase, load_recipe
from mapsi.learn.run import WEIGHTS, TrainingSet, read_run
from mapsi.taxonomy import load_taxonomy
from test_dataset import make_folder

torch.set_num_threads(1)
CLASSES = {"style": ("suit", "knit")}
RECIPE = replace(load_recipe("mapsi"), backbone="resnet10t", phases=(Phase(32, 1),), batch=8)
WIDTH = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    photos, start = make_folder(folder / "photos", {"suit": 14, "knit": 14}), folder / "start.safetensors"
    torch.manual_seed(0)
    save_file(timm.create_model(RECIPE.backbone, num_classes=0).state_dict(), start)
    split = build_manifest([PhotoFolder(photos, "style", "split")], load_taxonomy(), 0.25, np.random.default_rng(0))
    data = TrainingSet(split, CLASSES, photos)
    train(data, RECIPE, folder / "short", start=Start(start), say=lambda _: None)
    return folder / "short"


def heads_on(width: int, **axes: int) -> AxisNetwork:
    return AxisNetwork(nn.Identity(), width, axes)


def test_a_head_ends_where_no_step_betters_it() -> None:
    rng = torch.Generator().manual_seed(0)
    features, labels = torch.randn(60, WIDTH, generator=rng), torch.randint(0, 3, (60,), generator=rng)
    network, targets = heads_on(WIDTH, style=3), nn.functional.one_hot(labels, 3).float()
    targets[40:] = 0  # without a label: these teach nothing
    head = network.heads["style"]
    assert isinstance(head, nn.Linear)
    start = head.weight.detach().clone()
    fit_heads(network, features, {"style": targets})
    loss = nn.functional.cross_entropy(head(features[:40]), labels[:40])
    (loss + HEAD_RIDGE * (head.weight - start).square().sum()).backward()  # type: ignore[no-untyped-call]
    assert head.weight.grad is not None
    assert float(head.weight.grad.abs().max()) < 2e-3


def test_photos_of_a_product_come_together_and_the_others_keep_their_place() -> None:
    rng = torch.Generator().manual_seed(1)
    own, setting = torch.randn(40, WIDTH, generator=rng), torch.randn(WIDTH, generator=rng) * 6
    worn, others = own + 0.1 * torch.randn(40, WIDTH, generator=rng) + setting, torch.randn(80, WIDTH, generator=rng)
    samples = [Sample(Path(f"{k}.jpg"), product=str(k), source="flat") for k in range(40)]
    samples += [Sample(Path(f"w{k}.jpg"), product=str(k), source="worn") for k in range(40)]
    # A second photo of one worn product makes the worn ones the more numerous source.
    features = torch.cat([own, worn, worn[:1], others])
    samples += [Sample(Path("again.jpg"), product="0", source="worn"), *(Sample(Path("o.jpg")) for _ in range(80))]
    network = AxisNetwork(nn.Identity(), WIDTH, {}, embedding=8)
    assert network.projection is not None
    before = network.projection.weight.detach().clone()

    def found(weight: torch.Tensor) -> float:
        flat, asked = (nn.functional.normalize(each @ weight.T, dim=1) for each in (own, worn))
        return float(((asked @ flat.T).argmax(dim=1) == torch.arange(40)).float().mean())

    fit_projection(network, features, samples)
    after = network.projection.weight.detach()
    assert found(after) > found(before) + 0.3
    kept = nn.functional.cosine_similarity(others @ before.T, others @ after.T)
    assert float(kept.mean()) > 0.7


def test_a_refitted_run_differs_in_its_heads_alone_and_is_measured_as_any_run(run: Path, tmp_path: Path) -> None:
    into = tmp_path / "again"
    done = CliRunner().invoke(main, ["refit", str(run), "--into", str(into)])
    assert done.exit_code == 0, done.output
    assert (into / "report" / "style" / "report.html").exists()
    before, after = load_file(run / WEIGHTS), load_file(into / WEIGHTS)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"heads.style.weight", "heads.style.bias"}
    assert all(name.startswith("scales.") for name in set(after) - set(before))
    was = read_run(run)
    assert read_run(into) == replace(
        was, start="short, all but its backbone fitted anew", recipe=replace(was.recipe, scales=True)
    )


def test_a_run_that_reads_all_scales_is_refitted_as_it_is(run: Path, tmp_path: Path) -> None:
    once, twice = tmp_path / "once", tmp_path / "twice"
    refit_run(run, once, say=lambda _: None)
    refit_run(once, twice, say=lambda _: None)
    first, second = load_file(once / WEIGHTS), load_file(twice / WEIGHTS)
    assert first.keys() == second.keys()
    for name in first:
        assert first[name].shape == second[name].shape
    # What is average was measured on the same photos both times.
    assert torch.allclose(first["scales.standard.running_mean"], second["scales.standard.running_mean"], atol=1e-5)
    assert torch.allclose(first["scales.standard.running_var"], second["scales.standard.running_var"], atol=1e-5)


def test_numbers_of_scales_end_with_mean_nought_and_deviation_one_and_the_network_gives_them_so() -> None:
    network = AxisNetwork(timm.create_model("resnet10t", num_classes=0, global_pool=""), 512, {}, scales=True).eval()
    assert network.scales is not None
    rng = torch.Generator().manual_seed(0)
    for spread, middle in ((5.0, 3.0), (0.5, -1.0)):  # the second time by a measure that is there
        numbers = torch.randn(50, network.scales.count, generator=rng) * spread + middle
        pooled = torch.cat([torch.ones(50, 512), network.scales.standard(numbers)], dim=1).detach()
        standardise(network, pooled)
        assert torch.equal(pooled[:, :512], torch.ones(50, 512))
        assert torch.allclose(pooled[:, 512:], network.scales.standard(numbers), atol=1e-4)
        assert float(pooled[:, 512:].mean(dim=0).abs().max()) < 1e-4
        assert torch.allclose(pooled[:, 512:].std(dim=0, correction=0), torch.tensor(1.0), atol=1e-3)


def test_a_folder_in_use_is_refused_before_a_photo_is_read(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="already exists"):
        refit_run(run, tmp_path)


shares = st.floats(0, 0.6)


@given(shares, shares, st.floats(0.05, 0.4), st.floats(0.05, 0.4), st.integers(0, 99))
def test_a_box_that_is_moved_stays_a_box_in_the_photo(x: float, y: float, w: float, h: float, seed: int) -> None:
    boxed = Sample(Path("a.jpg"), {"garment": "shirt"}, box=(x, y, w, h))
    moved = jittered([boxed, Sample(Path("b.jpg"), {"garment": "shirt"})], np.random.default_rng(seed))
    assert len(moved) == 2
    for sample in moved:
        assert sample.box is not None
        left, top, width, height = sample.box
        assert left >= 0
        assert top >= 0
        assert width > 0
        assert height > 0
        assert left + width <= 1 + 1e-9
        assert top + height <= 1 + 1e-9
