"""The manual's example of a score is what the shipped weights give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mapsi.search.score import load_weights

MANUAL = (Path(__file__).parent.parent / "docs" / "ordering.md").read_text("utf-8")
EXAMPLES = [
    line.strip("| ").split(" | ")
    for line in MANUAL.splitlines()
    if line.startswith("| black ") or "sneakers, women" in line
]


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: row[0])
def test_the_example_of_the_manual_adds_up_to_the_shipped_score(row: list[str]) -> None:
    weights = load_weights()
    cosine, color, audience = float(row[1]), float(row[3]), float(row[4])
    kind, family, place = map(float, row[2].split(", "))
    likeness = weights.of_likeness(np.array([cosine], np.float32), np.array([place], np.float32))
    agreed = weights.kind * kind + weights.family * family + weights.place * place
    logit = weights.bias + likeness + agreed + weights.color * color * place + weights.audience * audience
    assert float(row[5].partition(" = ")[2]) == pytest.approx(float(logit[0]), abs=0.0051)
    assert float(row[6]) == pytest.approx(float(weights.score(logit)[0]), abs=0.0051)


def test_the_manual_has_the_example() -> None:
    assert len(EXAMPLES) == 5
