"""Model folders kept beside the index: the one it was made with has to be there for as long as it serves.

models/FINGERPRINT   a whole model folder
models/chosen        the fingerprint of the one that further builds use, where an operator chose one
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from mapsi.artifacts import atomic_file, atomic_folder
from mapsi.errors import ArtifactError
from mapsi.infer import Model

CHOSEN = "chosen"


class ModelStore:
    """Copies of model folders under one folder, by fingerprint."""

    def __init__(self, root: Path, threads: int = 0) -> None:
        self._root = root
        self._threads = threads

    def keep(self, model: Model) -> None:
        """Keep a copy of the folder that ``model`` was opened from, where there is none."""
        if model.folder is None or self.path(model.fingerprint) is not None:
            return
        with atomic_folder(self._root / model.fingerprint) as beside:
            shutil.copytree(model.folder, beside, dirs_exist_ok=True)

    def path(self, fingerprint: str) -> Path | None:
        """The folder of this model, ``None`` where none is kept."""
        folder = self._root / fingerprint
        return folder if folder.is_dir() else None

    def open(self, fingerprint: str) -> Model:
        """Raises :class:`ArtifactError` where there is none, or another one by that name."""
        folder = self.path(fingerprint)
        if folder is None:
            raise ArtifactError(
                "The index of product pictures was made with a model that is no longer here.",
                "Run `mapsi index build` to make it with the current one.",
            )
        model = Model.open(folder, threads=self._threads)
        if model.fingerprint != fingerprint:
            raise ArtifactError(f"The model folder {folder} holds another model.", "Run `mapsi index build`.")
        return model

    def choose(self, fingerprint: str) -> None:
        """Let further builds use this model, where nothing else is asked for."""
        with atomic_file(self._root / CHOSEN) as beside:
            beside.write_text(fingerprint, "utf-8")

    def chosen(self) -> Path | None:
        """The folder of the model that further builds use, ``None`` where none was chosen. Raises
        :class:`ArtifactError` where what is there is no name."""
        file = self._root / CHOSEN
        try:
            return self.path(file.read_text("utf-8").strip())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{file} holds no name of a model.", "Remove it, and choose a model again.") from error

    def remove_others(self, keep: Collection[str]) -> None:
        """Remove the models that are neither in ``keep`` nor chosen."""
        chosen = self.chosen()
        for folder in self._root.glob("*/"):
            if folder.name not in keep and folder != chosen and not folder.name.startswith("."):
                shutil.rmtree(folder, ignore_errors=True)
