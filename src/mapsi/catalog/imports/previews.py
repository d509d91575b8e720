"""The latest dry run of each source, kept until the next: a worker makes it, the operator's page shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from mapsi.catalog.records import Preview, SourceRecord
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.operator_tables import PreviewRow
from mapsi.catalog.store.tables import SourceRow


@dataclass(frozen=True, slots=True)
class KeptPreview:
    """A dry run: when (UTC), and for each feed that was new the fields of a ``Preview``, prices as text."""

    at: datetime
    previews: Sequence[Mapping[str, Any]]


class Previews:
    """The latest dry runs of one catalogue's sources."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, source: SourceRecord, previews: Sequence[Preview]) -> None:
        """Keep a dry run in place of the one before; of a source that was removed meanwhile nothing is kept."""
        document = json.dumps([asdict(one) for one in previews], ensure_ascii=False, default=str)
        with self._database.write() as connection:
            connection.execute(delete(PreviewRow).where(PreviewRow.source_id == source.id))
            if connection.scalar(select(SourceRow.id).where(SourceRow.id == source.id)) is not None:
                values = {"source_id": source.id, "made_at": self._database.now(), "document": document}
                connection.execute(insert(PreviewRow).values(**values))

    def latest(self, source: SourceRecord) -> KeptPreview | None:
        """The latest dry run of a source; ``None`` where there was none."""
        with self._database.read() as connection:
            row = connection.execute(select(PreviewRow).where(PreviewRow.source_id == source.id)).one_or_none()
        return None if row is None else KeptPreview(row.made_at, json.loads(row.document))
