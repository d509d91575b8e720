"""What a run is trained on, and Lightning's trainer for it."""

from __future__ import annotations

import ctypes
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from mapsi.artifacts import atomic_file
from mapsi.cores import cores
from mapsi.errors import UsageError
from mapsi.learn.recipe import Recipe

Precision = Literal["auto", "32", "bf16"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What to train on, in Lightning's terms; ``auto`` takes the accelerator that is there, and bf16 where it is
    fast."""

    accelerator: str = "auto"
    devices: int | str = "auto"
    nodes: int = 1
    precision: Precision = "auto"


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place, and then into it. Lightning's own way goes over the folder for temporary
    files: where that is on another disk, a process that is killed leaves half a checkpoint in place of a whole
    one."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        written = io.BytesIO()
        torch.save(checkpoint, written)
        with atomic_file(Path(path)) as beside:
            beside.write_bytes(written.getbuffer())


def keep_freed_memory() -> bool:
    """Ask the C library to keep the memory that a batch frees for the next one; for the rest of this process.

    A step on a processor frees and takes again a gigabyte in large pieces. glibc gives each piece back to the system,
    which hands it out again page by page, zeroed: 2 % of a step on a quiet machine (benchmarks/bench_training.py).
    False where the C library is another one, and nothing is changed.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        return False
    trim_threshold, mmap_max = -1, -4  # M_TRIM_THRESHOLD and M_MMAP_MAX of malloc.h
    return bool(library.mallopt(mmap_max, 0) and library.mallopt(trim_threshold, -1))


def loader_processes(device: torch.device, devices: int) -> int:
    """How many processes make photos ready for one of ``devices`` devices of this machine.

    None where the network itself runs on the processor: its threads keep all cores busy, and a process beside them
    slows them down (benchmarks/bench_training.py). For a GPU, its share of the cores, less the one that feeds it.
    """
    if device.type == "cpu":
        return 0
    return max(1, cores() // devices - 1)


def build_trainer(recipe: Recipe, photos: int, checkpoint: Path, machine: Machine) -> pl.Trainer:
    """The trainer of a run over ``photos`` photos, which keeps its latest state in ``checkpoint``.

    Raises :class:`UsageError` where the machine is not as it was described, or has more devices than there are batches.
    """
    try:
        trainer = _trainer(recipe, checkpoint, machine)
    except (MisconfigurationException, ImportError, RuntimeError, TypeError, ValueError) as error:
        raise UsageError(
            f"Training cannot run on that machine: {str(error).strip().splitlines()[0]}",
            "Check --accelerator, --devices and --nodes.",
        ) from error
    if photos // trainer.world_size < recipe.batch:
        raise UsageError(
            f"Each of {trainer.world_size} devices would learn from {photos // trainer.world_size} photos, less "
            "than one"
            f" batch of {recipe.batch}.",
            "Use fewer devices, a smaller --batch, or more photos.",
        )
    if recipe.average_span > 0:
        # The average spans a share of the steps, of which several devices take fewer.
        average = EMAWeightAveraging(decay=recipe.average_decay(photos // trainer.world_size))
        trainer.callbacks.insert(0, average)  # type: ignore[attr-defined]
    return trainer


def _trainer(recipe: Recipe, checkpoint: Path, machine: Machine) -> pl.Trainer:
    latest = ModelCheckpoint(dirpath=checkpoint.parent, filename=checkpoint.stem, enable_version_counter=False)
    return pl.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        precision=precision_of(machine),
        max_epochs=recipe.epochs,
        callbacks=[latest],
        plugins=[WholeCheckpoints()],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        gradient_clip_val=5.0 if recipe.optimiser == "adamw" else None,
    )


def precision_of(machine: Machine) -> Literal["32-true", "bf16-mixed"]:
    """bf16 where it is asked for or where the processor has it as a matrix unit: on one that has bf16 in its vectors
    only it is a third slower than float32 (23 against 34 photos a second at 128 px, two cores)."""
    if machine.precision == "auto":
        on_gpu = machine.accelerator != "cpu" and torch.cuda.is_available()
        fast = torch.cuda.is_bf16_supported() if on_gpu else torch.cpu._is_amx_tile_supported()
        return "bf16-mixed" if fast else "32-true"
    return "bf16-mixed" if machine.precision == "bf16" else "32-true"
