"""How many pictures the network is best given at once, by how many threads and callers.

    python benchmarks/bench_network.py [--rounds 7]

All cases in turn, round after round; the least and the middle of the rounds. Beside the time of a picture stands the
processor time, of which what else runs on the machine takes least.
"""

from __future__ import annotations

import argparse
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from mapsi.cores import cores
from mapsi.infer import Model

PICTURES = (1, 2, 3, 4, 6, 8, 16)


def measure(model: Model, pictures: int, callers: int) -> tuple[float, float]:
    """Milliseconds of time and of processor time that a picture takes, of so many at once, asked for by so many
    callers."""
    side = model.document.preprocessing.size
    photos = np.random.default_rng(0).normal(size=(pictures, 3, side, side)).astype(np.float32)
    runs = max(callers, 16 // pictures)
    began, worked = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(lambda _: model._session.run(["embedding"], {"photos": photos}), range(runs)))
    each = runs * pictures / 1000
    return (time.perf_counter() - began) / each, (time.process_time() - worked) / each


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    models = {threads: Model.open(threads=threads) for threads in (1, cores())}
    cases = [(threads, callers, pictures) for threads in models for callers in (1, 4) for pictures in PICTURES]
    found: dict[tuple[int, int, int], list[tuple[float, float]]] = {case: [] for case in cases}
    for _ in range(rounds):
        for threads, callers, pictures in cases:
            found[threads, callers, pictures].append(measure(models[threads], pictures, callers))
    print("| threads | callers | pictures at once | ms a picture, least and middle | processor ms, least and middle |")
    print("|---|---|---|---|---|")
    for (threads, callers, pictures), took in found.items():
        wall, worked = zip(*took, strict=True)
        told = [f"{min(each):.1f}, {statistics.median(each):.1f}" for each in (wall, worked)]
        print(f"| {threads} | {callers} | {pictures} | {told[0]} | {told[1]} |")


if __name__ == "__main__":
    main()
