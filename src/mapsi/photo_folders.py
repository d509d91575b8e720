"""Folders of photos, ``CLASS/*.jpg``: which files are photos, and what is skipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mapsi.errors import ArtifactError
from mapsi.file_names import composed, is_leftover, is_text

SUFFIXES = frozenset(
    {
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".png",
        ".webp",
        ".avif",
        ".heic",
        ".heif",
        ".bmp",
        ".dib",
        ".gif",
        ".tif",
        ".tiff",
    }
)
"""How the names of photo files end, in lower case."""

_HINT = "It should hold CLASS/*.jpg."


def photo_files(folder: Path) -> list[Path]:
    """The photos directly in ``folder``, sorted by name; raises :class:`ArtifactError` where it cannot be read."""
    return [path for path in _entries(folder) if _is_photo(path)]


def class_folders(folder: Path) -> list[Path]:
    """The class folders in ``folder``; raises :class:`ArtifactError` where there is none."""
    found = [path for path in _entries(folder) if path.is_dir()]
    if not found:
        raise ArtifactError(f"The folder {folder} has no class folders.", _HINT)
    return found


def scan_classes(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield (photo, name of its class folder, composed) for ``CLASS/*.jpg``."""
    for class_folder in class_folders(folder):
        for path in photo_files(class_folder):
            yield path, composed(class_folder.name)


def passed_over(folder: Path) -> list[str]:
    """A sentence for each file that is no photo of a class though it lies among them, and one for all leavings of
    systems."""
    told = [f"{path.name} is skipped: it is not in a class folder." for path in _entries(folder) if _is_photo(path)]
    odd = [ascii(path.name)[1:-1] for path in sorted(folder.iterdir()) if not is_text(path.name)]
    told += [f"{name} is skipped: its name is not in UTF-8." for name in odd]
    for class_folder in class_folders(folder):
        for path in sorted(class_folder.rglob("*")):
            inner = path.relative_to(folder)
            if path.is_dir() or any(map(is_leftover, inner.parts)):
                continue
            if not is_text(inner.as_posix()):
                told.append(f"{ascii(inner.as_posix())[1:-1]} is skipped: its name is not in UTF-8.")
            elif len(inner.parts) > 2:
                told.append(f"{inner.as_posix()} is skipped: it is not directly inside a class folder.")
            elif path.suffix.lower() in SUFFIXES and not path.is_file():
                told.append(f"{inner.as_posix()} is skipped: it is no file, or a link that leads nowhere.")
            elif not _is_photo(path):
                told.append(f"{inner.as_posix()} is skipped: its name does not end like a photo's.")
    left = [path.relative_to(folder).as_posix() for path in folder.glob("*/*") if is_leftover(path.name)]
    left += [path.name for path in folder.glob("*") if is_leftover(path.name)]
    if left:
        told.append(f"Skipped as system files: {min(left)}{f' and {len(left) - 1} more' * (len(left) > 1)}.")
    return told


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not is_leftover(path.name) and is_text(path.name))
    except OSError as error:
        raise ArtifactError(f"The folder {folder} cannot be read: {error.strerror}.", _HINT) from error


def _is_photo(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and path.is_file()
