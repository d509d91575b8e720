"""What photos of strangers cost: kinds and styles told at random, and with senders and sources apart.

    python benchmarks/senders_apart.py ../shared/data [--size 224]

The features of EfficientNet-Lite0 with its ImageNet weights, which has seen none of these photos, one view, and
logistic regression on five folds. Two minutes on two cores; the table stands in docs/model.md.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from mapsi.arrays import FloatArray
from mapsi.dataset.photos import Sample
from mapsi.learn.fitting.refitting import read_features
from mapsi.learn.network import Start, build_network

FOLDS = 5
STRENGTH = 0.003
SETS = {"clothing": "sender", "paper17": "source"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with clothing/ and paper17/")
    parser.add_argument("--size", type=int, default=224)
    given = parser.parse_args()
    network = build_network("tf_efficientnet_lite0", {"label": 2}, Start(imagenet=True)).eval()
    for name, apart in SETS.items():
        rows = list(labelled(given.data / name))
        samples = [Sample(given.data / name / row["path"]) for row in rows]
        features = standardised(read_features(network, samples, given.size, close_up=0.0).numpy())
        labels, groups = (np.array([row[column] for row in rows]) for column in ("label", apart))
        print(f"{name}: {len(rows):,} photos, {len(set(groups))} of {apart}", flush=True)
        at_random = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        by_group = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
        for how, folds in (("at random", at_random), ("apart", by_group)):
            told = np.empty_like(labels)
            for learned, asked in folds.split(features, labels, groups):
                model = LogisticRegression(C=STRENGTH, max_iter=300).fit(features[learned], labels[learned])
                told[asked] = model.predict(features[asked])
            macro = f1_score(labels, told, average="macro")
            print(f"  {how}: accuracy {accuracy_score(labels, told):.3f}, macro F1 {macro:.3f}", flush=True)


def labelled(folder: Path) -> Iterator[dict[str, str]]:
    """The rows of ``labels.csv`` whose photo is there and teaches a class."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.DictReader(opened):
            if row.get("split", "train") in ("train", "validation") and (folder / row["path"]).is_file():
                yield row


def standardised(found: FloatArray) -> FloatArray:
    """Features (n, width), each less its mean and over its standard deviation."""
    return np.asarray((found - found.mean(axis=0)) / (found.std(axis=0) + 1e-6), np.float32)


if __name__ == "__main__":
    main()
