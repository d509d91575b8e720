"""Does anything starve the two cores while learning? Photos a second, side by side:

    python benchmarks/bench_training.py ../shared/data/clothing/train

- the network alone, on one batch that lies ready;
- the network fed by the loader as `mapsi train` feeds it (photos decoded once, augmented by one process beside);
- the same with no process beside, and with two;
- the naive way: every photo decoded from its file for every epoch;
- augmented by Pillow on 8 bits against the same by torchvision on tensors;
- the backbone's norms held and folded into its convolutions, its lowest layers held too, against all that learns;
- float32 against bf16;
- the memory of a step given back to the system against kept (each way in a process of its own, for it cannot be undone);
- heads on cached features of the frozen backbone against heads on features read again every epoch.

Ratios of medians of interleaved rounds: other work on the machine disturbs all of them alike.
"""  # noqa: E501

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from mapsi.dataset.photos import Sample
from mapsi.learn.augmentation import augment
from mapsi.learn.fitting.holding import hold_layers, hold_norms
from mapsi.learn.fitting.warm_heads import frozen_features, warm_heads
from mapsi.learn.machine import keep_freed_memory
from mapsi.learn.network import AxisNetwork, Start, build_network, normalise
from mapsi.learn.photos import STORE_SIDE, TrainingPhotos, open_store, read_square

BATCH, CLASSES = 32, 10


class DecodedAnew(Dataset[tuple[Tensor, int]]):
    """The naive way: a photo is read and decoded whenever it is asked for."""

    def __init__(self, samples: list[Sample], size: int) -> None:
        self.samples, self.size = samples, size

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        pixels = read_square(self.samples[i].path, STORE_SIDE, at_least=2 * STORE_SIDE)
        made, _ = augment(Image.fromarray(pixels), None, self.size, np.random.default_rng(i))
        return torch.from_numpy(np.array(made)).permute(2, 0, 1), i


class AugmentedInTensors(Dataset[tuple[Tensor, int]]):
    """The usual way: torchvision's transforms of one tensor after the other."""

    def __init__(self, store: np.ndarray, size: int) -> None:
        self.store, self.size = store, size

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        turned = v2.RandomApply([v2.RandomRotation(15, v2.InterpolationMode.BILINEAR)], 0.3)
        colours = v2.RandomApply([v2.ColorJitter(0.35, 0.3, 0.4, 0.08)], 0.8)
        ways = [v2.RandomResizedCrop(self.size, (0.35, 1.0)), v2.RandomHorizontalFlip(), turned, colours]
        made: Tensor = v2.Compose([*ways, v2.RandomErasing(0.25)])(
            torch.from_numpy(self.store[i].copy()).permute(2, 0, 1)
        )
        return made, i


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, help="folder with CLASS/*.jpg")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--backbone", default="resnet34")
    parser.add_argument("--batches", type=int, default=6, help="batches a round")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    samples = [Sample(path) for path in sorted(given.photos.glob("*/*.jpg"))[:640]]
    compare_memory(given.backbone, given.size, given.batches, given.rounds)
    keep_freed_memory()
    network = fresh_network(given.backbone)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        store = open_store(samples, Path(folder), STORE_SIDE)
        print(f"decoding {len(samples)} photos once: {len(samples) / (time.perf_counter() - started):.0f} photos/s")
        cached = TrainingPhotos(store, range(len(samples)), given.size, seed=0, epoch=0)
        ready = torch.stack([cached[i][0] for i in range(BATCH)])
        ways: dict[str, Callable[[], Iterator[Tensor]]] = {
            "network alone": lambda: iter([ready] * given.batches),
            "fed by one process beside": lambda: feed(cached, 1),
            "fed by none": lambda: feed(cached, 0),
            "fed by two": lambda: feed(cached, 2),
            "decoded anew": lambda: feed(DecodedAnew(samples, given.size), 1),
            "augmented in tensors": lambda: feed(AugmentedInTensors(store, given.size), 0),
        }
        rates = measure(network, ways, given.batches, given.rounds)
        alone = statistics.median(rates["network alone"])
        for name, found in rates.items():
            median = statistics.median(found)
            print(f"{name:28} {median:6.1f} photos/s  {median / alone:5.0%} of the network alone")
        half = measure(network, {"bf16": ways["network alone"]}, given.batches, given.rounds, bf16=True)["bf16"]
        print(
            f"{'bf16 against float32':28} {statistics.median(half):6.1f} photos/s  "
            f"{statistics.median(half) / alone:5.0%}"
        )
        compare_holding(given.backbone, ready, given.batches, given.rounds)
        compare_heads(network, store, given.size, Path(folder))


def fresh_network(backbone: str) -> AxisNetwork:
    return build_network(backbone, {"a": CLASSES}, Start()).to(memory_format=torch.channels_last)


def compare_holding(backbone: str, ready: Tensor, batches: int, rounds: int) -> None:
    networks = {"all learns": fresh_network(backbone)}
    for layers in (0, 3):
        held = fresh_network(backbone)
        hold_layers(held.backbone, layers)
        hold_norms(held.backbone, torch.zeros(1, 3, *ready.shape[2:]))
        networks[f"norms and {layers} layers held" if layers else "norms held"] = held.train()
    found: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(rounds):
        for name, network in networks.items():
            found[name] += measure(network, {"": lambda: iter([ready] * (batches + 1))}, batches, rounds=1)[""]
    alone = statistics.median(found["all learns"])
    for name, rates in found.items():
        print(
            f"{name:28} {statistics.median(rates):6.1f} photos/s  {statistics.median(rates) / alone:5.2f} times as fast"
        )


def compare_memory(backbone: str, size: int, batches: int, rounds: int) -> None:
    found: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds):
        for keep, rates in found.items():
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                rates.append(process.submit(rate_alone, keep, backbone, size, batches).result())
    given_back, kept = (statistics.median(rates) for rates in found.values())
    print(f"memory given back {given_back:.1f} photos/s, kept {kept:.1f}: {kept / given_back:.2f} times as fast")


def rate_alone(keep: bool, backbone: str, size: int, batches: int) -> float:
    if keep:
        keep_freed_memory()
    ready = torch.zeros(BATCH, 3, size, size, dtype=torch.uint8)
    return measure(fresh_network(backbone), {"": lambda: iter([ready] * (batches + 1))}, batches, rounds=1)[""][0]


def feed(photos: Dataset[Any], workers: int) -> Iterator[Tensor]:
    for batch in DataLoader(photos, BATCH, num_workers=workers):
        yield batch[0]


def measure(
    network: AxisNetwork, ways: dict[str, Callable[[], Iterator[Tensor]]], batches: int, rounds: int, bf16: bool = False
) -> dict[str, list[float]]:
    """Photos a second of each way, a figure a round; a batch is thrown away first, and the ways take turns."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            source = way()
            step(network, next(source), bf16)
            started = time.perf_counter()
            done = 0
            for batch, _ in zip(source, range(batches), strict=False):
                step(network, batch, bf16)
                done += len(batch)
            found[name].append(done / (time.perf_counter() - started))
    return found


def step(network: AxisNetwork, batch: Tensor, bf16: bool) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
        logits = network(normalise(batch))["a"]
    loss = torch.nn.functional.cross_entropy(logits.float(), torch.zeros(len(batch), dtype=torch.long))
    network.zero_grad()
    loss.backward()


def compare_heads(network: AxisNetwork, store: np.ndarray, size: int, folder: Path) -> None:
    targets = {"a": torch.nn.functional.one_hot(torch.arange(len(store)) % CLASSES, CLASSES).float()}
    started = time.perf_counter()
    features = frozen_features(network, store, size, folder)
    once = time.perf_counter() - started
    started = time.perf_counter()
    warm_heads(network, features, targets)
    fitted = time.perf_counter() - started
    print(
        f"heads on cached features: {once:.1f} s to read, {fitted:.1f} s to fit; "
        f"60 epochs that read them again: {60 * once:.0f} s, {(60 * once) / (once + fitted):.0f} times as long"
    )


if __name__ == "__main__":
    main()
