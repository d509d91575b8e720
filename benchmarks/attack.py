"""Attack a server of its own on loopback, in about three minutes, and print what came of it.

    python benchmarks/attack.py [--times 5] [--kills 5] [--seed 20] [--home FOLDER] [--keep]

The server is ``mapsi demo`` in a temporary folder, or over what ``--home`` holds of an earlier one. ``--times`` is how
much more is tried than in the short form, ``tests/test_attack.py``; ``--keep`` writes the table to docs/reliability.md.
Ends with 1 where anything broke, was lost or was let in, memory was beyond what it may be (1 GB with photos of 40
million pixels at once, 400 MB after bombs), or a bystander waited for more than 2 s.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from attacked import Outcome, attackable
from attacking import everything, kill_refreshes, kill_servers

PAGE = Path(__file__).parents[1] / "docs" / "reliability.md"
PATIENT = 2.0  # seconds
MARK = "<!-- written by benchmarks/attack.py --keep -->"


def row(outcome: Outcome) -> str:
    peak, after = ("" if count is None else f"{count / 1e6:,.0f} MB" for count in (outcome.peak, outcome.after))
    wait = "" if outcome.wait is None else f"{outcome.wait:.2f} s"
    counts = (outcome.tried, outcome.refused, outcome.broken, outcome.lost, outcome.let_in)
    return f"| {outcome.kind} | " + " | ".join(map(str, counts)) + f" | {peak} | {after} | {wait} |"


HEADING = """\
| attack | tried | refused | 5xx | lost | let in | peak memory | afterwards | longest wait of a bystander |
|---|---|---|---|---|---|---|---|---|"""


def attack(home: Path, times: int, kills: int, chance: random.Random) -> Iterator[Outcome]:
    with attackable(home, "demo", patience=600) as target:
        yield from everything(target, chance, times)
    yield kill_servers(home, ["demo"], kills, chance)
    yield kill_refreshes(kills, chance)


def made_by(seconds: float) -> str:
    command = " ".join(("python", "benchmarks/" + Path(sys.argv[0]).name, *sys.argv[1:]))
    machine = f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"
    return f"`{command}`, {datetime.now(UTC):%Y-%m-%d}, {machine}, {seconds:.0f} s."


def write_below(mark: str, told: str) -> None:
    """Write to docs/reliability.md, in place of what stands between a mark and the next heading or the end."""
    before, _, after = PAGE.read_text("utf-8").partition(mark)
    _, heading, rest = after.partition("\n## ")
    PAGE.write_text(f"{before}{mark}\n\n{told.strip()}\n{heading}{rest}", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    began, faults, lines = time.monotonic(), 0, [HEADING]
    print(HEADING, flush=True)
    with tempfile.TemporaryDirectory() as made:
        chance = random.Random(arguments.seed)
        for outcome in attack(arguments.home or Path(made), arguments.times, arguments.kills, chance):
            lines.append(row(outcome))
            print(lines[-1], flush=True)
            faults += outcome.faults + ((outcome.wait or 0) > PATIENT)
    told = "\n".join([*lines, "", made_by(time.monotonic() - began)])
    if arguments.keep:
        write_below(MARK, told)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
