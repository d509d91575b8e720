"""Photos decoded at a part of their size: how much faster, and whether a model reads the same in them.

    python benchmarks/bench_decoding.py --photos ../shared/data/clothing/validation --count 300

Photos of a data set are as small as it keeps them, so each is made as large as a phone's (12 million pixels, enlarged,
with the noise of a sensor, JPEG quality 90) and decoded whole and as serving does.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from mapsi.imaging import READ_SIDE, decode_photo, to_input
from mapsi.infer import Model

PIXELS = 12_000_000
SHIPPED = Path(__file__).parents[1] / "src" / "mapsi" / "infer" / "shipped"


def enlarged(path: Path, rng: np.random.Generator) -> bytes:
    """A photo as a phone would send it."""
    photo = Image.open(path).convert("RGB")
    scale = (PIXELS / (photo.width * photo.height)) ** 0.5
    large = photo.resize((round(photo.width * scale), round(photo.height * scale)), Image.Resampling.LANCZOS)
    noise = rng.normal(0, 6, (large.height // 4 + 1, large.width // 4 + 1)).astype(np.float32)
    grain = np.tile(noise, (4, 4))[: large.height, : large.width, None]
    out = io.BytesIO()
    noisy = np.clip(np.asarray(large, dtype=np.float32) + grain, 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(out, "JPEG", quality=90)
    return out.getvalue()


def main(folder: Path, count: int) -> None:
    """Print times in milliseconds and the agreement of labels and embeddings."""
    rng, model = np.random.default_rng(0), Model.open(SHIPPED)
    paths = sorted(folder.glob("*/*.jpg"))
    chosen = [paths[i] for i in sorted(rng.permutation(len(paths))[:count])]
    times: dict[int, list[float]] = {0: [], READ_SIDE: []}
    cosines: list[float] = []
    same: dict[str, int] = {}
    for path in chosen:
        data, answers = enlarged(path, rng), {}
        for at_least, spent in times.items():
            begun = time.perf_counter()
            photo = decode_photo(data, at_least=at_least)
            inputs = to_input(photo, model.document.preprocessing)
            spent.append(1000 * (time.perf_counter() - begun))
            answers[at_least] = model.answer(inputs[None])
        whole, part = answers[0], answers[READ_SIDE]
        cosines.append(float((whole["embedding"] * part["embedding"]).sum()))
        for name in (name for name in whole if name.startswith("logits:")):
            same[name] = same.get(name, 0) + int(whole[name].argmax() == part[name].argmax())
    _tell(times, cosines, same, len(chosen))


def _tell(times: dict[int, list[float]], cosines: Sequence[float], same: dict[str, int], count: int) -> None:
    for at_least, spent in times.items():
        print(f"{'whole' if not at_least else f'at least {at_least}'}: median {statistics.median(spent):.0f} ms")
    least, low, middle = min(cosines), float(np.quantile(cosines, 0.01)), statistics.median(cosines)
    print(f"cosine of the embeddings: median {middle:.5f}, 1st percentile {low:.5f}, least {least:.5f}")
    for name, agreed in same.items():
        print(f"{name.removeprefix('logits:')}: {agreed} of {count} answers are the same")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    asked = parser.parse_args()
    main(asked.photos, asked.count)
