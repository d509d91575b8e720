"""Model folders kept beside the index: the one it was made with has to be there for as long as it serves.

models/FINGERPRINT   a whole model folder
models/chosen        the fingerprint of the one that further builds use, where an operator chose one
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from mapsi.artifacts import atomic_file, atomic_folder, clear_place, file_digest, read_short
from mapsi.errors import ArtifactError
from mapsi.infer import Model

CHOSEN = "chosen"
_NAME = re.compile(r"[0-9a-f]{16}")
_CHOOSE = "Choose one: `mapsi index build --model FOLDER`, or `--model shipped` for the one that comes with mapsi."


class ModelStore:
    """Copies of model folders under one folder, by fingerprint."""

    def __init__(self, root: Path, threads: int = 0) -> None:
        self._root = root
        self._threads = threads

    def keep(self, model: Model) -> None:
        """Keep a copy of the folder that ``model`` was opened from, where there is none, or a damaged one."""
        kept = self._root / model.fingerprint
        if model.folder is None or model.folder == kept or _is_copied(model.folder, kept):
            return
        clear_place(kept / "model.json")
        with atomic_folder(kept) as beside:
            for file in _files(model.folder):
                copy = beside / file.relative_to(model.folder)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)

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
        clear_place(self._root / CHOSEN)
        with atomic_file(self._root / CHOSEN) as beside:
            beside.write_text(fingerprint, "utf-8")

    def chosen(self) -> Path | None:
        """The folder of the model that further builds use, ``None`` where none was chosen. Raises
        :class:`ArtifactError` where the one chosen is not to be had: another one in its place would change every answer
        without a word."""
        file = self._root / CHOSEN
        try:
            name = read_short(file).strip()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ArtifactError(f"{file} cannot be read, which names the model that was chosen.", _CHOOSE) from error
        if not _NAME.fullmatch(name):
            raise ArtifactError(f"{file} holds no name of a model.", _CHOOSE)
        if (folder := self.path(name)) is None:
            raise ArtifactError(f"The model {name} was chosen for the index, and is not in {self._root}.", _CHOOSE)
        return folder

    def fault(self) -> ArtifactError | None:
        """Why no index can be built with the model that was chosen."""
        try:
            self.chosen()
        except ArtifactError as error:
            return error
        return None

    def remove_others(self, keep: Collection[str]) -> None:
        """Remove the models that are neither in ``keep`` nor chosen."""
        chosen = None
        with suppress(ArtifactError):
            chosen = self.chosen()
        for folder in self._root.glob("*/"):
            if folder.name not in keep and folder != chosen and not folder.name.startswith("."):
                shutil.rmtree(folder, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _is_copied(folder: Path, copy: Path) -> bool:
    """Whether a folder's files lie in its copy as they are, and can be read there: a hundredth of a second for a
    model."""
    pairs = [(file, copy / file.relative_to(folder)) for file in _files(folder)]
    try:
        return all(twin.is_file() and file_digest(twin) == file_digest(file) for file, twin in pairs)
    except OSError:
        return False
