"""What lies in a backup: a tar archive with tables, files of the home folder, and a list of both at its end.

tables/NAME.jsonl.gz   a line of column names, then a line per row
secret-key, models/, pictures/   as in the home folder
contents.json          the last member: what the others are, to tell a whole backup from a cut or damaged one
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from mapsi.errors import ArtifactError

LIST = "contents.json"
TABLES = "tables/"
TABLE_ENDING = ".jsonl.gz"
KEPT_FILES = ("secret-key",)
KEPT_FOLDERS = ("models", "pictures")
"""Those of the home folder that cannot be made again, or only by asking every shop for every picture."""
DERIVED = ("index", "words")
"""Those that are made of the catalogue."""
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Contents:
    """``members`` has the SHA-256 of each, by name; ``settings`` those that were set, secret ones as ``***``;
    ``revision`` names the schema of the tables, ``made_at`` is in ISO 8601."""

    revision: str
    version: str
    made_at: str
    settings: Mapping[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, document: Any, file: Path) -> Self:
        """Raises :class:`ArtifactError` where the list is not of this format."""
        if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
            raise ArtifactError(
                f"{file} is a backup in a format that this version does not know.",
                "Restore it with the version of mapsi that made it.",
            )
        texts = [document.pop(name, None) for name in ("revision", "version", "made_at")]
        tables = [document.pop(name, None) for name in ("settings", "members")]
        told = [
            *texts,
            *(text for table in tables if isinstance(table, dict) for pair in table.items() for text in pair),
        ]
        if (
            document
            or not all(isinstance(table, dict) for table in tables)
            or not all(isinstance(t, str) for t in told)
        ):
            raise damaged(file, "its list of contents is not one")
        return cls(*texts, *tables)


def damaged(file: Path, how: str) -> ArtifactError:
    """The error of a backup that cannot be trusted."""
    return ArtifactError(f"The backup {file} is damaged: {how}. Nothing was restored.", "Use an earlier one.")
