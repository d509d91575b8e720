"""Checking a folder of labelled photos: what is found, what is left out and why. Nothing is ever deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mapsi.dataset.copies import Likeness, Match, find_copies
from mapsi.dataset.facts import PhotoFacts, read_facts, stack_bits
from mapsi.dataset.findings import KINDS, CheckReport, ClassRow, Finding
from mapsi.dataset.label_errors import FOLDS, LabelCheck, find_label_errors
from mapsi.dataset.manifest import LEFT_OUT, Entry, Manifest
from mapsi.dataset.photos import Sample
from mapsi.dataset.split import group_samples
from mapsi.errors import ArtifactError
from mapsi.file_names import composed
from mapsi.imaging import PhotoLimits
from mapsi.photo_folders import class_folders
from mapsi.progress import Advance, Progress, no_progress

Embed = Callable[[Sequence[Path], Advance], npt.NDArray[np.float32]]
"""Photo files -> embeddings of unit length (n, width), telling how many more are done."""

MIN_SIDE = 96
MIN_PHOTOS = 40
MOST_TIMES = 5

_REASONS: dict[Likeness, str] = {
    "copy": "It is the same file as {other}, which is kept.",
    "twin": "It shows the same picture as {other}, which is kept ({apart} of 64 bits apart).",
    "copy-across": "It is the same file as {other}. At most one of the two labels is right, so both are left out.",
    "twin-across": "It shows the same picture as {other} ({apart} of 64 bits apart). At most one of the two labels is "
    "right, so both are left out.",
    "alike": "It looks like {other} ({apart} of 64 bits apart) but is another picture. It is kept; a split puts "
    "both on "
    "one side.",
}


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """``min_side`` in pixels; a class with fewer than ``min_photos`` kept photos is reported."""

    min_side: int = MIN_SIDE
    min_photos: int = MIN_PHOTOS
    leave_out_label_errors: bool = False
    seed: int = 0


def check(
    folder: Path,
    axis: str,
    samples: Sequence[Sample],
    embed: Embed | None,
    options: CheckOptions | None = None,
    limits: PhotoLimits | None = None,
    bar: Progress = no_progress,
) -> tuple[CheckReport, Manifest]:
    """Look for unreadable and tiny photos, copies, label errors (with ``embed``) and uneven classes among ``samples``
    of ``folder``, which ``axis`` labels. The manifest holds all of them, kept or left out.

    Raises :class:`ArtifactError` where no photo can be read.
    """
    asked = options or CheckOptions()
    facts = read_facts(
        [s.path for s in samples], limits, side=asked.min_side, progress=bar("looking at photos", len(samples))
    )
    work = _Work(folder, axis, samples, asked)
    usable = work.add_faults(facts)
    if all(fact.fault for fact in facts):
        raise ArtifactError(f"No photo in {folder} can be read; the first: {facts[0].fault}", "Check the files.")
    copies = find_copies(
        [samples[i].path for i in usable], [work.labels[i] for i in usable], [facts[i] for i in usable], limits
    )
    for match in copies:
        work.add_match(match, usable)
    if embed is not None:
        kept = [i for i in usable if i not in work.gone]
        groups = group_samples([samples[i] for i in kept], stack_bits([facts[i] for i in kept]))
        embeddings = embed([samples[i].path for i in kept], bar("reading photos with the model", len(kept)))
        labels = [work.labels[i] for i in kept]
        checked = find_label_errors(embeddings, labels, groups, asked.seed, bar("checking labels", FOLDS))
        work.add_doubts(checked, kept)
    return work.report(), work.manifest()


class _Work:
    """What has been found so far; ``gone`` maps a photo's number to the reason it is left out for."""

    def __init__(self, folder: Path, axis: str, samples: Sequence[Sample], options: CheckOptions) -> None:
        self.folder, self.axis, self.samples, self.options = folder, axis, samples, options
        self.labels = [s.labels.get(axis, "") for s in samples]
        self.names = [s.path.relative_to(folder).as_posix() for s in samples]
        self.gone: dict[int, str] = {}
        self.findings: list[Finding] = []
        self.unchecked: dict[str, str] = {}
        self.labels_checked = False

    def _add(self, i: int, finding: Finding) -> None:
        self.findings.append(finding)
        if finding.left_out:
            self.gone.setdefault(i, finding.reason)

    def add_faults(self, facts: Sequence[PhotoFacts]) -> list[int]:
        """Tell what cannot be read and what is tiny; the numbers of the others."""
        for i, fact in enumerate(facts):
            if fact.fault:
                self._add(i, Finding("unreadable", self.names[i], self.labels[i], fact.fault, left_out=True))
            elif fact.side < self.options.min_side:
                reason = f"Its shorter side has {fact.side} pixels; {self.options.min_side} are asked for."
                self._add(i, Finding("tiny", self.names[i], self.labels[i], reason, left_out=True))
        return [i for i in range(len(facts)) if i not in self.gone]

    def add_match(self, match: Match, numbers: Sequence[int]) -> None:
        i, other = numbers[match.photo], numbers[match.other]
        reason = _REASONS[match.kind].format(other=self.names[other], apart=match.apart)
        found = Finding(
            match.kind, self.names[i], self.labels[i], reason, match.leaves_out, self.names[other], self.labels[other]
        )
        self._add(i, found)

    def add_doubts(self, checked: LabelCheck, numbers: Sequence[int]) -> None:
        self.unchecked, self.labels_checked = checked.unchecked, True
        left_out = self.options.leave_out_label_errors
        for doubt in checked.doubts:
            i = numbers[doubt.photo]
            reason = (
                f"It is in {self.labels[i]}, but looks like {doubt.likely} "
                f"({doubt.share:.0%} against {doubt.given_share:.0%}) to a model that did not learn from it."
            )
            found = Finding(
                "label",
                self.names[i],
                self.labels[i],
                reason,
                left_out,
                likely=doubt.likely,
                share=doubt.share,
                given_share=doubt.given_share,
            )
            self._add(i, found)

    def report(self) -> CheckReport:
        ordered = sorted(self.findings, key=lambda finding: KINDS.index(finding.kind))
        photos = Counter({composed(found.name): 0 for found in class_folders(self.folder)} | Counter(self.labels))
        kept = Counter(label for i, label in enumerate(self.labels) if i not in self.gone)
        rows = tuple(
            ClassRow(label, photos[label], kept[label], self._remarks(label, kept[label])) for label in sorted(photos)
        )
        return CheckReport(self.folder, self.axis, tuple(ordered), rows, _balance(kept, photos), self.labels_checked)

    def _remarks(self, label: str, kept: int) -> tuple[str, ...]:
        remarks = []
        if kept < self.options.min_photos:
            remarks.append(f"Only {_photos(kept)} to learn from; at least {self.options.min_photos} are recommended.")
        if label in self.unchecked:
            remarks.append(self.unchecked[label])
        return tuple(remarks)

    def manifest(self) -> Manifest:
        return Manifest(
            tuple(
                Entry(sample, LEFT_OUT, self.gone[i]) if i in self.gone else Entry(sample, "kept")
                for i, sample in enumerate(self.samples)
            )
        )


def _balance(kept: Counter[str], photos: Counter[str]) -> tuple[str, ...]:
    if len(photos) == 1:
        return (f"All photos are of one class, {next(iter(photos))}: there is nothing to tell it from.",)
    if len({kept[label] for label in photos}) == 1:
        return (f"Every class has {_photos(max(kept.values(), default=0))}.",)
    largest = max(sorted(photos), key=lambda label: kept[label])
    smallest = min(sorted(photos), key=lambda label: kept[label])
    said = (
        f"The largest class is {largest} with {_photos(kept[largest])}, the smallest {smallest} with {kept[smallest]}"
    )
    if kept[largest] <= MOST_TIMES * kept[smallest]:
        return (f"{said}.",)
    times = f"{kept[largest] / kept[smallest]:.0f} times as many" if kept[smallest] else "and none at all"
    return (f"{said}: {times}. A model will favour the large classes unless training weights them.",)


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count} photos"
