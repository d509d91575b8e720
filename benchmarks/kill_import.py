"""Kill refreshes at random moments and check that nothing was lost or half written, and that the next one succeeds.

    python benchmarks/kill_import.py [--kills 50] [--seed 17] [--only sqlite|mariadb]

On SQLite in a temporary folder, then on a MariaDB that is started for the run. Ends with an assertion where it fails.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from killing import kill_and_check, start_catalog
from servers import run_mariadb


def kill(url: str, folder: Path, kills: int, seed: int) -> None:
    chance, began = random.Random(seed), time.monotonic()
    folder.mkdir()
    start_catalog(url, folder)
    states = Counter(kill_and_check(url, folder, round_, chance) for round_ in range(kills))
    told = ", ".join(f"{count} {state}" for state, count in states.most_common())
    print(
        f"{url.split(':', maxsplit=1)[0]}: {kills} kills, the last run then stood as: {told}; "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--only", choices=("sqlite", "mariadb"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if arguments.only != "mariadb":
            kill(f"sqlite:///{folder / 'killed.sqlite3'}", folder / "feed", arguments.kills, arguments.seed)
        if arguments.only != "sqlite":
            with run_mariadb(folder) as server:
                kill(server.create_database("killed"), folder / "feeds", arguments.kills, arguments.seed)


if __name__ == "__main__":
    main()
