"""Names of files as systems change them on their way: letters taken apart by macOS, leftovers of macOS, Windows and NAS
boxes."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_LEFTOVERS = frozenset(
    {
        "__macosx", "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "@tmp", "@sharebin", "$recycle.bin",  # noqa: E501
        "@synologydrive", "@synoeastream", "@database", "@appstore", "@transcode", "@__thumb", "@upload_cache",
        "recycler", "system volume information", "lost+found", "found.000", "network trash folder", "temporary items",
        "desktop db", "desktop df", "thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r",
    }
)  # fmt: skip


def is_leftover(name: str) -> bool:
    """Whether a file or folder was left by a system, not put there by a person: ``._photo.jpg``, ``.DS_Store``,
    ``__MACOSX``, ``@eaDir``, ``#recycle``, ``Thumbs.db`` and whatever else is hidden."""
    return name.startswith((".", "~$")) or name.lower() in _LEFTOVERS


def is_text(name: str) -> bool:
    """Whether a name can be written into a table or a page: one in the code page of another system is mere bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def composed(name: str) -> str:
    """A name as it is compared: macOS and some archives take the letters of 원피스.jpg apart, others do not."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


class OnDisk:
    """Finds files whose names are written with other letters on the disk than where they are named; looks into each
    folder once."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, str]] = {}

    def find(self, path: Path) -> Path:
        """The path of the file or folder as the disk has it; ``path`` itself where there is none."""
        if str(path).isascii() or path.exists() or path == path.parent:
            return path
        folder = self.find(path.parent)
        if folder not in self._names:
            try:
                self._names[folder] = {composed(entry.name): entry.name for entry in folder.iterdir()}
            except OSError:
                self._names[folder] = {}  # whoever opens the file says what is wrong
        return folder / self._names[folder].get(composed(path.name), path.name)
