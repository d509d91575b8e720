"""The short form of ``make attack``: whatever is sent is refused, and whoever stands by is served."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

from attacked import attackable
from attacking import everything


def test_what_attacks_is_refused_and_whoever_stands_by_is_served(built_house: Path, tmp_path: Path) -> None:
    home = shutil.copytree(built_house, tmp_path / "home")
    with attackable(home, "serve", "--model", str(home / "model")) as target:
        outcomes = list(everything(target, random.Random(20), 1))
        assert target.process.wait(30) == 0
    assert [outcome for outcome in outcomes if outcome.faults or not outcome.tried] == []
    assert "Traceback" not in (home / "server.log").read_text("utf-8")
