"""The heads, projection and map of a finished run, fitted again on a backbone that stands still.

While a backbone learns, its heads run after it, on photos that are cropped, recoloured and hidden in part. Once it
stands still, what is linear on top of it has a best fit that takes minutes to find (Kang et al., 2020, "Decoupling
Representation and Classifier"; Kirichenko et al., 2023, "Last Layer Re-Training"). Where the backbone has several
scales they are read as well from then on (:class:`ScalePooling`): on a network that learned for an hour that is worth
more than the refit itself (docs/model.md). The backbone stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mapsi.batches import batched
from mapsi.dataset.manifest import read_manifest
from mapsi.dataset.photos import Sample
from mapsi.imaging import Box
from mapsi.learn.fitting.derived import refuse_a_folder_in_use, write_derived
from mapsi.learn.fitting.map_fitting import fit_map
from mapsi.learn.fitting.training import load_weights
from mapsi.learn.fitting.warm_heads import minimise
from mapsi.learn.module import recipe_targets
from mapsi.learn.network import AxisNetwork, has_scales, normalise, widen
from mapsi.learn.photos import read_views
from mapsi.learn.run import MANIFEST, RunConfig, read_run

BATCH = 16
HEAD_ROUNDS, PROJECTION_ROUNDS = 80, 40
# Weights of the squared distance from the weights so far. A tenth of them fits the photos learned from better and those
# held out worse; ten times as much gives away half of what is gained.
HEAD_RIDGE, PROJECTION_RIDGE = 3e-4, 1e-3
# The same for what is read of the scales, whose numbers are four times as large as the pooled features.
SCALES_HEAD_RIDGE, SCALES_PROJECTION_RIDGE = 5e-3, 5e-3
SHARPNESS = 14.0
"""Inverse temperature of the cosines of two photos; 20 and 30 find as many."""
KEPT = 1.0
"""Weight of how far the embeddings of photos without a product turn: what classes taught them stays."""
JITTERED = 2
"""How many further boxes around each box are read: a map puts them less exactly than a person does."""


def refit_run(run: Path, into: Path, say: Callable[[str], None] = print) -> RunConfig:
    """Write a finished run ``into`` with the weights of ``run``, its heads and, where it has them, its projection and
    its map fitted again. Recipe and split are the run's.

    Raises :class:`UsageError` for a folder in use, and :class:`ArtifactError` where the run is unfinished, a photo
    cannot be read, or the folder cannot be written.
    """
    refuse_a_folder_in_use(into)
    config = read_run(run)
    network = load_weights(run, config)
    if not config.recipe.scales and has_scales(network.backbone):
        widen(network)
        config = replace(config, recipe=replace(config.recipe, scales=True))
    learned_from = read_manifest(run / MANIFEST, Path(config.root)).part("train")
    if network.map is not None:
        say("fitting the map of garments")
        fit_map(network, learned_from, config.size, config.recipe.seed)
    samples = [sample for sample in learned_from if _teaches(sample)]
    shown = [*samples, *jittered(samples, np.random.default_rng(config.recipe.seed))]
    say(f"reading {len(shown):,} photos with the finished backbone")
    features = read_features(network, shown, config.size, config.recipe.close_up)
    standardise(network, features)
    fit_heads(network, features, recipe_targets(shown, config.classes, config.recipe))
    if network.projection is not None:
        fit_projection(network, features, shown)
    refitted = replace(config, start=f"{run.resolve().name}, all but its backbone fitted anew")
    write_derived(run, into, refitted, network.state_dict())
    return refitted


def _teaches(sample: Sample) -> bool:
    return bool(sample.labels or sample.nothing or sample.product)


def jittered(samples: Sequence[Sample], rng: np.random.Generator) -> list[Sample]:
    """Each labelled box of a photo :data:`JITTERED` times, moved by about 6 % and scaled by about 12 % of its sides."""
    boxed = [sample for sample in samples if sample.box is not None and sample.labels and not sample.product]
    return [replace(sample, box=_moved(sample.box, rng)) for sample in boxed for _ in range(JITTERED) if sample.box]


def _moved(box: Box, rng: np.random.Generator) -> Box:
    x, y, width, height = box
    (right, down), (wider, taller) = rng.normal(0, 0.06, 2), np.exp(rng.normal(0, 0.12, 2))
    middle_x, middle_y = x + width * (0.5 + right), y + height * (0.5 + down)
    left, top = max(0.0, middle_x - width * wider / 2), max(0.0, middle_y - height * taller / 2)
    end_x, end_y = min(1.0, middle_x + width * wider / 2), min(1.0, middle_y + height * taller / 2)
    return left, top, end_x - left, end_y - top


def read_features(network: AxisNetwork, samples: Sequence[Sample], size: int, close_up: float) -> Tensor:
    """What is pooled of samples (n, width), the mean over the views of a photo that serving reads."""
    parts = []
    with torch.inference_mode():
        for batch in batched(samples, BATCH):
            views = np.stack([read_views(s.path, size, close_up, s.box) for s in batch])
            photos = torch.from_numpy(views).permute(0, 1, 4, 2, 3).flatten(0, 1)
            pooled = network.pool(network.maps(normalise(photos, network.scale)))
            parts.append(pooled.reshape(*views.shape[:2], -1).mean(dim=1))
    return torch.cat(parts).clone()


def standardise(network: AxisNetwork, pooled: Tensor) -> None:
    """Take what is ``pooled`` of the scales (n, width), standardised as the network does by now, for what is average;
    from then on the network standardises by that, and so is ``pooled``, in place."""
    if network.scales is None:
        return
    norm, numbers = network.scales.standard, pooled[:, network.width :]
    assert norm.running_mean is not None
    assert norm.running_var is not None
    unit = (norm.running_var + norm.eps).sqrt()
    mean, variance = numbers.mean(dim=0), numbers.var(dim=0, correction=0) * unit.square()
    norm.running_mean.add_(mean * unit)
    norm.running_var.copy_(variance)
    numbers.sub_(mean).mul_(unit * torch.rsqrt(variance + norm.eps))


def fit_heads(network: AxisNetwork, features: Tensor, targets: Mapping[str, Tensor]) -> None:
    """Fit each head to its ``targets`` (n, classes) on ``features`` (n, width), in place, near where it was."""
    for axis, head in network.heads.items():
        assert isinstance(head, nn.Linear)
        taught = targets[axis].sum(dim=1) > 0
        shown, wanted, start = features[taught], targets[axis][taught], head.weight.detach().clone()
        ridge = _ridge(network, HEAD_RIDGE, SCALES_HEAD_RIDGE)

        def loss(
            head: nn.Linear = head,
            shown: Tensor = shown,
            wanted: Tensor = wanted,
            start: Tensor = start,
            ridge: Tensor = ridge,
        ) -> Tensor:
            missed = -(wanted * torch.log_softmax(head(shown), dim=1)).sum(dim=1).mean()
            return missed + (ridge * (head.weight - start).square()).sum()

        minimise(loss, list(head.parameters()), HEAD_ROUNDS)


def _ridge(network: AxisNetwork, plain: float, of_scales: float) -> Tensor:
    """What each column of a layer's weights costs, (inputs,)."""
    scales = 0 if network.scales is None else network.scales.count
    return torch.cat([torch.full((network.width,), plain), torch.full((scales,), of_scales)])


def fit_projection(network: AxisNetwork, features: Tensor, samples: Sequence[Sample]) -> None:
    """Fit the network's projection, in place, so that each photo of a product is nearest to that product's photos by
    other sources (InfoNCE over all of them at once), while photos without a product keep their place."""
    projection = network.projection
    assert projection is not None
    ridge = _ridge(network, PROJECTION_RIDGE, SCALES_PROJECTION_RIDGE)
    products = [i for i, sample in enumerate(samples) if sample.product]
    others = torch.tensor([i for i, sample in enumerate(samples) if not sample.product], dtype=torch.int64)
    names, sources = (np.unique(values, return_inverse=True)[1] for values in _of(samples, products))
    start = projection.weight.detach().clone()
    shown, apart = features[products], features[others]
    placed = _embed(apart, start)
    # A photo of the source with most photos (worn ones, whole and cut out) is sought among those of the others. Of the
    # products (0, 0, 1, 1, 1) by the sources (0, 1, 0, 0, 1) the photos 0, 2 and 3 are asked for among 1 and 4, and
    # ``right`` is ((yes, no), (no, yes), (no, yes)).
    asked = sources == np.bincount(sources).argmax()
    right = torch.from_numpy(names[asked][:, None] == names[~asked][None])
    asked_rows, sought_rows = torch.from_numpy(np.flatnonzero(asked)), torch.from_numpy(np.flatnonzero(~asked))
    told = right.any(dim=1)

    def loss() -> Tensor:
        weight = projection.weight
        cosines = SHARPNESS * _embed(shown[asked_rows], weight) @ _embed(shown[sought_rows], weight).T
        missed = cosines.logsumexp(dim=1) - cosines.masked_fill(~right, -torch.inf).logsumexp(dim=1)
        turned = 1 - (_embed(apart, weight) * placed).sum(dim=1)
        kept = KEPT * turned.mean() if len(others) else 0.0
        return missed[told].mean() + kept + (ridge * (weight - start).square()).sum()

    minimise(loss, [projection.weight], PROJECTION_ROUNDS)


def _of(samples: Sequence[Sample], numbers: Sequence[int]) -> tuple[list[str], list[str]]:
    return [samples[i].product for i in numbers], [samples[i].source for i in numbers]


def _embed(features: Tensor, weight: Tensor) -> Tensor:
    return nn.functional.normalize(features @ weight.T, dim=1)
