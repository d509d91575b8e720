"""A manifest divided into photos to learn from, to choose by (validation) and to measure on at the end (test)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mapsi.dataset.facts import PhotoFacts, read_facts, stack_bits
from mapsi.dataset.manifest import LEFT_OUT, Entry, Manifest, ManifestPart
from mapsi.dataset.split import allot, group_samples
from mapsi.errors import ArtifactError, UsageError
from mapsi.imaging import PhotoLimits
from mapsi.progress import Advance, no_advance

# In the order of `allot`: what is learned from, then what is set apart, the test part first.
SIDES: tuple[ManifestPart, ...] = ("train", "test", "validation")
DIVIDED: tuple[ManifestPart, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class SplitShares:
    """How many photos of a class go where.

    By default the paper's: about 80 photos a class are the test part, but never more than a fifth of the class, and of
    the rest a fifth is for validation. With ``fixed`` = (train, validation, test), shares of the whole that sum to 1.
    """

    test_per_class: int = 80
    fixed: tuple[float, float, float] | None = None
    most_for_test: float = 0.2
    validation: float = 0.2

    def __post_init__(self) -> None:
        if self.fixed is not None and (min(self.fixed) < 0 or abs(sum(self.fixed) - 1) > 1e-6 or self.fixed[0] <= 0):
            raise UsageError(
                f"The shares {', '.join(f'{share:g}' for share in self.fixed)} do not sum to 1.",
                "Give train, validation and test, for example 0.7,0.15,0.15: they sum to 1, and train gets more "
                "than 0.",
            )

    def wanted(self, counts: Mapping[str, int]) -> tuple[dict[str, float], dict[str, float]]:
        """Photos a class wanted for test and for validation."""
        if self.fixed is not None:
            _, validation, test = self.fixed
            return {c: test * n for c, n in counts.items()}, {c: validation * n for c, n in counts.items()}
        for_test = {c: min(float(self.test_per_class), self.most_for_test * n) for c, n in counts.items()}
        return for_test, {c: self.validation * (n - for_test[c]) for c, n in counts.items()}


@dataclass(frozen=True, slots=True)
class Division:
    """The manifest, photos a class and part (``counts``), and a sentence for each share that could not be reached."""

    manifest: Manifest
    axis: str
    counts: Mapping[str, Counter[str]]
    shortages: tuple[str, ...]


def only_axis(manifest: Manifest) -> str:
    """The axis that the manifest labels; raises :class:`UsageError` where there are several or none."""
    axes = sorted({axis for entry in manifest.entries for axis in entry.sample.labels})
    if len(axes) != 1:
        named = f"labels several axes: {', '.join(axes)}" if axes else "labels no axis"
        raise UsageError(f"The manifest {named}.", "Say with --axis whose classes to divide.")
    return axes[0]


def require_photos(manifest: Manifest, file: Path) -> None:
    """Raises :class:`ArtifactError`, naming how many and the first, where photos of the manifest are gone."""
    gone = manifest.gone()
    if gone:
        used = len(manifest.entries) - manifest.left_out
        raise ArtifactError(
            f"{len(gone)} of the {used} photos in {file} are gone; the first is {gone[0]}.",
            "Put them back, or make the manifest again.",
        )


def divide(
    manifest: Manifest,
    axis: str,
    shares: SplitShares,
    seed: int,
    limits: PhotoLimits | None = None,
    progress: Advance = no_advance,
) -> Division:
    """Divide all photos that are not left out, whatever part they stood in; same photos and seed, same division.

    Near-twins and the photos of one block share a part. A photo that cannot be read is left out and says why.
    """
    used = [i for i, entry in enumerate(manifest.entries) if entry.part != LEFT_OUT]
    facts = read_facts([manifest.entries[i].sample.path for i in used], limits, progress=progress)
    entries = list(manifest.entries)
    for i, fact in zip(used, facts, strict=True):
        if fact.fault:
            entries[i] = Entry(entries[i].sample, LEFT_OUT, fact.fault)
    readable = [(i, fact) for i, fact in zip(used, facts, strict=True) if not fact.fault]
    if not readable:
        raise ArtifactError("There is no photo to divide: all are left out or cannot be read.", "Check the photos.")
    shortages = _divide_readable(entries, readable, axis, shares, np.random.default_rng(seed))
    return Division(Manifest(tuple(entries)), axis, _counts(entries, axis), shortages)


def _divide_readable(
    entries: list[Entry],
    readable: Sequence[tuple[int, PhotoFacts]],
    axis: str,
    shares: SplitShares,
    rng: np.random.Generator,
) -> tuple[str, ...]:
    samples = [entries[i].sample for i, _ in readable]
    groups = group_samples(samples, stack_bits([fact for _, fact in readable]))
    labels = [sample.labels.get(axis, "") for sample in samples]
    wanted = shares.wanted(Counter(labels))
    sides = allot(labels, groups, wanted, rng)
    for (i, _), side in zip(readable, sides, strict=True):
        entries[i] = replace(entries[i], part=SIDES[side], reason="")
    return _shortages(labels, groups, sides, wanted)


def _shortages(
    labels: Sequence[str], groups: Sequence[int], sides: Sequence[int], wanted: Sequence[Mapping[str, float]]
) -> tuple[str, ...]:
    have = Counter(zip(labels, sides, strict=True))
    largest: dict[str, int] = {}
    for (cls, _), count in Counter(zip(labels, groups, strict=True)).items():
        largest[cls] = max(largest.get(cls, 0), count)
    told = []
    for cls in sorted(set(labels)):
        for side, want in enumerate(wanted, start=1):
            asked, got = round(want[cls]), have[cls, side]
            if got == 0 and 0 < want[cls] < 1:
                photos = "1 photo" if have[cls, 0] == 1 else f"{sum(have[cls, part] for part in range(3))} photos"
                told.append(f"{cls or 'photos without a class'}: none for {SIDES[side]}, it has {photos} only.")
            elif got < asked - max(1, 0.1 * asked) or (got == 0 and want[cls] >= 1):
                told.append(
                    f"{cls or 'photos without a class'}: {got} instead of {asked} photos for {SIDES[side]}, because "
                    f"photos that belong together are kept together (up to {largest[cls]} in this class)."
                )
    return tuple(told)


def _counts(entries: Sequence[Entry], axis: str) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for entry in entries:
        counts.setdefault(entry.sample.labels.get(axis, ""), Counter())[entry.part] += 1
    return dict(sorted(counts.items()))
