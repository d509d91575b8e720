"""Rows by what they agree in: those of one kind, one colour and one audience lie in one cell.

A million rows lie in some thousand cells, so that what holds for all rows of a cell is reckoned a thousand times and
not a million.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from mapsi.arrays import BoolArray, IntArray

CodeArray = npt.NDArray[np.int16]
CellArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells that have rows: the codes of their ``kind``, ``color`` and ``audience``, (cells,) each; row ``i`` lies
    in the cell ``of_row[i]``."""

    kind: CodeArray
    color: CodeArray
    audience: CodeArray
    of_row: CellArray

    @classmethod
    def of(cls, kind: CodeArray, color: CodeArray, audience: CodeArray) -> Self:
        """The cells of rows with these codes, (rows,) each.

        Kinds (1, 0, 1) of colours (0, 2, 0), all for nobody in particular: two cells, kinds (0, 1) of colours (2, 0),
        and the rows lie in (1, 0, 1).
        """
        colors, audiences = (int(codes.max(initial=0)) + 1 for codes in (color, audience))
        dense = (kind.astype(np.int32) * colors + color) * audiences + audience
        there = np.flatnonzero(np.bincount(dense))
        place = np.zeros(int(dense.max(initial=0)) + 1, np.int32)
        place[there] = np.arange(len(there))
        known, of_audience = np.divmod(there, audiences)
        of_kind, of_color = np.divmod(known, colors)
        return cls(
            kind=of_kind.astype(np.int16),
            color=of_color.astype(np.int16),
            audience=of_audience.astype(np.int16),
            of_row=place[dense],
        )

    def among(self, rows: BoolArray) -> BoolArray:
        """The cells, (cells,), in which any of ``rows`` lies, a mask of all, (rows,)."""
        held = np.zeros(len(self.kind), np.bool_)
        held[self.of_row[rows]] = True
        return held

    @property
    def numbers(self) -> IntArray:
        """The :func:`number` of each cell."""
        return number(self.kind, self.color, self.audience)


def number(kind: npt.ArrayLike, color: npt.ArrayLike, audience: npt.ArrayLike) -> IntArray:
    """One number for three codes of 16 bits, by which a cell is known outside."""
    return np.asarray(kind, np.int64) << 32 | np.asarray(color, np.int64) << 16 | np.asarray(audience, np.int64)
