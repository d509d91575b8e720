"""The network with its data, its objective and its schedule, as Lightning wants them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from mapsi.arrays import UInt8Array
from mapsi.dataset.photos import GROUPS, Sample
from mapsi.errors import ArtifactError
from mapsi.evaluate.scores import accuracy, macro_f1
from mapsi.learn.garment_map import map_loss
from mapsi.learn.likeness import Likeness, epoch_order, epoch_size
from mapsi.learn.machine import loader_processes
from mapsi.learn.network import AxisNetwork, answer_views, normalise
from mapsi.learn.objective import axis_loss, mix_batch, target_table
from mapsi.learn.optimiser import build_optimiser, build_schedule
from mapsi.learn.photos import TrainingPhotos, read_masks, read_views
from mapsi.learn.recipe import Recipe

# The axes in which products visibly differ. Photos that have a colour to learn keep theirs.
COLOUR = "colour"
MARKED = ("garment", COLOUR)

EpochEnd = Callable[[dict[str, float]], object]


class TrainingModule(pl.LightningModule):
    """``samples`` are the rows of ``store``; ``held`` are measured on after every epoch, and the figures are handed to
    ``epoch_end`` of the first process."""

    def __init__(
        self,
        network: AxisNetwork,
        classes: Mapping[str, Sequence[str]],
        samples: Sequence[Sample],
        held: Sequence[Sample],
        store: UInt8Array,
        recipe: Recipe,
        epoch_end: EpochEnd,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.classes = classes
        self.samples = samples
        self.held = held
        self.store = store
        self.recipe = recipe
        self.epoch_end = epoch_end
        self.masks = read_masks(samples, store.shape[1] // 2, len(GROUPS)) if network.map is not None else None
        self.gentle = frozenset(i for i, s in enumerate(samples) if s.product or COLOUR in s.labels)
        self.likeness = _likeness(samples, classes, network, recipe)
        self.targets = recipe_targets(samples, classes, recipe)
        self.truths = {axis: _truth(held, axis, slugs) for axis, slugs in classes.items()}
        self._held_pixels: tuple[int, Tensor] | None = None
        self._answers: dict[str, Tensor] = {}
        self._losses: list[float] = []
        self._right = self._seen = 0
        self._started = (0.0, 0.0)
        self._before = (0.0, 0.0)

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Count the wall and processor time of what is done in here towards the next epoch."""
        started = (time.monotonic(), time.process_time())
        yield
        self._before = (time.monotonic() - started[0], time.process_time() - started[1])

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor, int]]:
        epoch, seed = self.current_epoch, self.recipe.seed
        size, augmentation = self.recipe.size_at(epoch), self.recipe.augmentation
        photos = TrainingPhotos(
            self.store, range(len(self.samples)), size, seed, epoch, augmentation, self.masks, self.gentle
        )
        # The order is drawn here and not by the loader, whose generator has moved on by a draw more after a resume.
        order = epoch_order(
            self.samples,
            self.recipe.draws,
            np.random.default_rng((seed, 2, epoch)),
            self.recipe.batch if self.recipe.pairs_apart else 0,
        )
        own = torch.Generator().manual_seed(seed)
        workers = loader_processes(self.trainer.strategy.root_device, self.trainer.num_devices)
        return DataLoader(photos, self.recipe.batch, sampler=order, num_workers=workers, drop_last=True, generator=own)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        size = self.recipe.size_at(self.current_epoch)
        if self._held_pixels is None or self._held_pixels[0] != size:
            pixels = np.stack([read_views(s.path, size, self.recipe.close_up, s.box) for s in self.held])
            self._held_pixels = (size, torch.from_numpy(pixels).permute(0, 1, 4, 2, 3))
        return DataLoader(TensorDataset(self._held_pixels[1], torch.arange(len(self.held))), batch_size=64)

    def on_train_epoch_start(self) -> None:
        # Dropout draws from torch's own generator: seeded by the epoch, a resumed run draws what an unbroken one does.
        # `train` restores the caller's generator.
        torch.manual_seed(self.recipe.seed * 1000 + self.current_epoch)
        self._started = (time.monotonic() - self._before[0], time.process_time() - self._before[1])
        self._before = (0.0, 0.0)
        self._losses = []
        self._right = self._seen = 0

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], number: int) -> Tensor:
        photos, rows = normalise(batch[0], self.network.scale), batch[2]
        targets = {axis: table[rows.cpu()].to(photos.device) for axis, table in self.targets.items()}
        rng = np.random.default_rng((self.recipe.seed, 1, self.current_epoch, number, self.global_rank))
        mixed = rng.random() < self.recipe.mix
        if mixed:
            photos, targets = mix_batch(photos, targets, rng)
        logits, loss = self._loss(photos, batch[1], rows, targets, mixed=mixed)
        if not torch.isfinite(loss):
            raise ArtifactError(
                f"The loss became NaN in epoch {self.current_epoch + 1}.",
                "Start again in another folder with a smaller --rate.",
            )
        self._losses.append(float(loss.detach()))
        if not mixed:
            self._count_right(logits, targets)
        return loss

    def _loss(
        self, photos: Tensor, masks: Tensor, rows: Tensor, targets: Mapping[str, Tensor], *, mixed: bool
    ) -> tuple[Mapping[str, Tensor], Tensor]:
        """Logits by axis, and the sum of the tasks' losses. A mixed photo shows no one garment and has no mask."""
        maps = self.network.maps(photos)
        pooled, told = self.network.pool(maps), self.network.groups(maps)
        logits = self.network.answer(pooled)
        loss = axis_loss(logits, targets)
        if self.likeness is not None and not mixed:
            embeddings = self.network.embed(pooled).float()
            loss = loss + self.recipe.likeness * self.likeness(embeddings, rows, targets)
        if told is not None and not mixed:
            loss = loss + self.recipe.garment_map * map_loss(told, masks, GROUPS)
        return logits, loss

    def _count_right(self, logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> None:
        """Count the photos of a training batch that are classified correctly."""
        for axis, target in targets.items():
            # A row of equal weights (a photo without an answer) has no best class.
            seen = target.max(dim=1).values > target.min(dim=1).values
            right = (logits[axis].argmax(dim=1) == target.argmax(dim=1)) & seen
            self._right += int(right.sum())
            self._seen += int(seen.sum())

    def on_validation_epoch_start(self) -> None:
        self._answers = {axis: torch.zeros(len(self.held), len(slugs)) for axis, slugs in self.classes.items()}

    def validation_step(self, batch: tuple[Tensor, Tensor], number: int) -> None:
        rows = self._gathered(batch[1])
        for axis, logits in answer_views(self.network, batch[0]).items():
            self._answers[axis][rows] = self._gathered(logits.float())

    def _gathered(self, values: Tensor) -> Tensor:
        """The ``values`` (n, ...) of all processes, one after the other."""
        gathered = self.all_gather(values)
        assert isinstance(gathered, Tensor)
        return gathered.reshape(-1, *values.shape[1:]).cpu()

    def on_validation_epoch_end(self) -> None:
        if self.global_rank != 0:
            return
        row: dict[str, float] = {"epoch": self.current_epoch, "size": self.recipe.size_at(self.current_epoch)}
        row["loss"] = float(np.mean(self._losses)) if self._losses else float("nan")
        row["val_loss"] = self._held_loss()
        row["seconds"] = time.monotonic() - self._started[0]
        row["cpu_seconds"] = time.process_time() - self._started[1]
        if self._seen:
            row["train_accuracy"] = self._right / self._seen
        for axis, truth in self.truths.items():
            rows = truth >= 0
            guess = self._answers[axis].argmax(dim=1).numpy()[rows]
            row[f"{axis}_accuracy"] = accuracy(truth[rows], guess)
            row[f"{axis}_f1"] = macro_f1(truth[rows], guess)
        self.epoch_end(row)

    def _held_loss(self) -> float:
        """Sum over the axes of the plain cross-entropy of the photos held out, so that recipes can be compared."""
        total = 0.0
        for axis, truth in self.truths.items():
            rows = torch.from_numpy(np.flatnonzero(truth >= 0))
            wanted = torch.from_numpy(truth[truth >= 0])
            total += float(torch.nn.functional.cross_entropy(self._answers[axis][rows], wanted))
        return total

    def configure_optimizers(self) -> Any:
        marks = list(self.likeness.marks.parameters()) if self.likeness is not None else []
        optimiser = build_optimiser(self.network, self.recipe, marks)
        photos = epoch_size(self.samples, self.recipe.draws)
        schedule = build_schedule(optimiser, self.recipe, photos // self.trainer.world_size)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def recipe_targets(
    samples: Sequence[Sample], classes: Mapping[str, Sequence[str]], recipe: Recipe
) -> dict[str, Tensor]:
    """What a recipe has the heads learn from samples; see :func:`target_table`."""
    return target_table(
        samples,
        classes,
        smoothing=recipe.label_smoothing,
        balance=recipe.balance,
        nothing=recipe.nothing_weight,
    )


def _likeness(
    samples: Sequence[Sample], classes: Mapping[str, Sequence[str]], network: AxisNetwork, recipe: Recipe
) -> Likeness | None:
    if not recipe.likeness:
        return None
    marked = {axis: len(slugs) for axis, slugs in classes.items() if axis in MARKED}
    return Likeness(samples, marked, network.embedding_width, recipe.likeness_memory, recipe.likeness_sharpness)


def _truth(samples: Sequence[Sample], axis: str, slugs: Sequence[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """The class number of each sample on an axis, -1 where it has none there."""
    column = {slug: i for i, slug in enumerate(slugs)}
    return np.array([column.get(s.labels.get(axis, ""), -1) for s in samples], dtype=np.int64)
