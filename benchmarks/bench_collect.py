"""How long a collection takes where nobody keeps it waiting but the sources' own pace, and what its table says.

    python benchmarks/bench_collect.py [--per-class 50] [--hosts 4] [--source NAME]...

Servers on this machine speak the formats of NAVER API HUB, Openverse and Commons and serve drawn pictures; the command
is the real one, at the real pace.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from photo_sources import run_photo_sources


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=50)
    parser.add_argument("--hosts", type=int, default=4, help="servers that the pictures lie on")
    parser.add_argument("--source", action="append", help="naver-hub, openverse and commons by default")
    arguments = parser.parse_args()
    sources = arguments.source or ["naver-hub", "openverse", "commons"]
    with run_photo_sources(arguments.hosts) as hosts, tempfile.TemporaryDirectory() as folder:
        hosts[0].stock = lambda api, text: hosts[0].items(api, text, 40)
        command = [sys.executable, "-m", "mapsi", "collect", "--per-class", str(arguments.per_class), "--into", folder]
        for source in sources:
            command += ["--source", source]
        began = time.perf_counter()
        done = subprocess.run(command, env={**os.environ, **hosts[0].environment()}, check=False)
        seconds = time.perf_counter() - began
        photos = len(list(Path(folder).glob("*/*.jpg")))
        requests = sum(count for host in hosts for count in host.asked.values())
        twice = sum(len([path for path in host.twice() if "auth_tokens" not in path]) for host in hosts)
    print(f"exit code {done.returncode}, {photos} photos in {seconds:.1f} s ({photos / seconds:.0f}/s)")
    print(f"{requests} requests, {twice} of them for what had been asked for before")


if __name__ == "__main__":
    main()
