"""Finished runs made from other finished runs: the same photos and recipe, other weights."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from safetensors.torch import save_file
from torch import Tensor

from mapsi.artifacts import atomic_folder, write_json
from mapsi.errors import ArtifactError, UsageError
from mapsi.learn.run import CONFIG, MANIFEST, WEIGHTS, RunConfig


def refuse_a_folder_in_use(into: Path) -> None:
    """Raises :class:`UsageError` where a derived run would replace something."""
    if into.exists():
        raise UsageError(f"{into} already exists.", "Name a new folder with --into.")


def write_derived(run: Path, into: Path, config: RunConfig, weights: Mapping[str, Tensor]) -> None:
    """Write a finished run ``into`` with the split of ``run``; raises :class:`ArtifactError` where it cannot be
    written."""
    try:
        with atomic_folder(into) as folder:
            save_file({name: value.contiguous() for name, value in weights.items()}, folder / WEIGHTS)
            shutil.copyfile(run / MANIFEST, folder / MANIFEST)
            write_json(folder / CONFIG, asdict(config))
    except OSError as error:
        raise ArtifactError(f"{into} cannot be written: {error.strerror}.", "Choose another with --into.") from error
