"""Pictures that are copies of one another, though shops host them at other sizes and compressions.

They are told by their thumbprints (:mod:`mapsi.thumbprints`), and noted under the first of them by digest. A new
picture is looked for among all, those that were looked at before are not compared again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import bindparam, select, update

from mapsi.arrays import BoolArray, IntArray
from mapsi.batches import batched
from mapsi.catalog.pictures.near import Points, near_pairs
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import PictureRow
from mapsi.disjoint_sets import DisjointSets
from mapsi.thumbprints import BLOCK_APART, SIZE, apart, block_means, stacked

_READ = 2000
_PART = 500
_PAIRS = 4000
# Half precision holds 128 to 255 to the eighth part.
_NEAR = BLOCK_APART + 0.2


@dataclass(frozen=True, slots=True)
class _Known:
    """All pictures, ordered by digest: some 170 bytes each. ``same`` are those noted under another's digest by now,
    ``printed`` the numbers of those with a thumbprint, whose ``points`` come in the same order."""

    digests: npt.NDArray[np.bytes_]
    fresh: BoolArray
    same: dict[int, str]
    printed: IntArray
    points: Points

    def digest(self, number: int) -> str:
        return str(self.digests[number].decode())

    def noted(self) -> Iterator[tuple[int, int]]:
        """Those that are noted as one, by pairs; what they are noted under may itself be gone."""
        firsts: dict[str, int] = {}
        for number, digest in self.same.items():
            at = int(np.searchsorted(self.digests, digest.encode()))
            there = at < len(self.digests) and self.digest(at) == digest
            yield firsts.setdefault(digest, at if there else number), number


def note_same_pictures(database: Database) -> None:
    """Look at the pictures that came since this was last called, and note which are copies, of one another or of older
    ones. Done in short transactions; what another does meanwhile is looked at the next time."""
    with database.read() as connection:
        if connection.scalar(select(PictureRow.digest).where(PictureRow.same_as.is_(None)).limit(1)) is None:
            return
    known = _read(database)
    groups = DisjointSets[int]()
    for one, other in known.noted():
        groups.join(one, other)
    for pairs in _gathered(near_pairs(known.points, _NEAR, known.fresh[known.printed])):
        for one, other in _copies(database, known, known.printed[pairs]):
            groups.join(one, other)
    _write(database, known, groups)


def _read(database: Database) -> _Known:
    columns = (
        select(PictureRow.digest, PictureRow.same_as, PictureRow.thumbprint).order_by(PictureRow.digest).limit(_READ)
    )
    digests, fresh, printed, points = [], [], [], []
    same: dict[int, str] = {}
    last, count = "", 0
    while True:
        with database.read() as connection:
            rows = connection.execute(columns.where(PictureRow.digest > last)).all()
        if not rows:
            break
        digests.append(np.array([row.digest for row in rows], dtype="S64"))
        fresh.append(np.array([row.same_as is None for row in rows]))
        same |= {count + at: row.same_as for at, row in enumerate(rows) if row.same_as not in (None, row.digest)}
        with_print = [at for at, row in enumerate(rows) if len(row.thumbprint) == SIZE]
        printed.append(np.array(with_print, dtype=np.int64) + count)
        points.append(block_means(stacked([rows[at].thumbprint for at in with_print])).astype(np.float16))
        last, count = rows[-1].digest, count + len(rows)
    return _Known(np.concatenate(digests), np.concatenate(fresh), same, np.concatenate(printed), np.concatenate(points))


def _gathered(found: Iterable[IntArray]) -> Iterator[IntArray]:
    """The same pairs, each once among some thousands."""
    waiting: list[IntArray] = []
    for pairs in found:
        waiting.append(pairs)
        if sum(map(len, waiting)) >= _PAIRS:
            yield np.unique(np.concatenate(waiting), axis=0)
            waiting = []
    if waiting:
        yield np.unique(np.concatenate(waiting), axis=0)


def _copies(database: Database, known: _Known, pairs: IntArray) -> list[tuple[int, int]]:
    """Those of the pairs (m, 2) of pictures that are copies."""
    prints: dict[int, bytes] = {}
    numbers = {known.digest(number): number for number in np.unique(pairs).tolist()}
    query = select(PictureRow.digest, PictureRow.thumbprint)
    for part in batched(numbers, _PART):
        with database.read() as connection:
            rows = connection.execute(query.where(PictureRow.digest.in_(part))).all()
        prints |= {numbers[row.digest]: row.thumbprint for row in rows}
    there = [(one, other) for one, other in pairs.tolist() if one in prints and other in prints]
    if not there:
        return []
    sides = (stacked([prints[pair[side]] for pair in there]) for side in (0, 1))
    return [pair for pair, is_copy in zip(there, apart(*sides) <= 1, strict=True) if is_copy]


def _write(database: Database, known: _Known, groups: DisjointSets[int]) -> None:
    names = {number: known.digest(first) for number, first in groups.firsts().items()}
    fresh = [known.digest(number) for number in np.flatnonzero(known.fresh).tolist()]
    for part in batched(fresh, _READ):
        alone = update(PictureRow).where(PictureRow.digest.in_(part), PictureRow.same_as.is_(None))
        with database.write() as connection:
            connection.execute(alone.values(same_as=PictureRow.digest))
    noted = [
        {"at": known.digest(number), "first": name}
        for number, name in names.items()
        if known.same.get(number, known.digest(number)) != name
    ]
    table: Any = PictureRow.__table__
    statement = update(table).where(table.c.digest == bindparam("at")).values(same_as=bindparam("first"))
    for rows in batched(noted, _PART):
        with database.write() as connection:
            connection.execute(statement, rows)
