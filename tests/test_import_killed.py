"""A refresh whose process is killed at any moment: readers see the old feed or the new one, and the next one goes on.

``benchmarks/kill_import.py`` does the same fifty times on each database.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from killing import kill_and_check, start_catalog


@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 4), ("mariadb", 2)])
def test_a_killed_refresh_leaves_no_trace_that_a_reader_sees(
    new_database: Callable[[str], str], tmp_path: Path, kind: str, kills: int
) -> None:
    chance, url = random.Random(11), new_database(kind)
    start_catalog(url, tmp_path)
    for round_ in range(kills):
        kill_and_check(url, tmp_path, round_, chance)
