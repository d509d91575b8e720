"""The card of a model folder: what it is, what it learned from, how good it is, and what its limits are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from mapsi.dataset.manifest import Manifest
from mapsi.dataset.photos import Sample
from mapsi.infer.folder import AxisLabels, ModelDocument
from mapsi.learn.run import RunConfig


def write_card(
    document: ModelDocument,
    metrics: dict[str, Any],
    manifest: Manifest,
    config: RunConfig,
    *,
    int8: bool = True,
    notes: str = "",
) -> str:
    """The card as Markdown. ``notes`` is what a person adds about the data, licences and limits."""
    parts = [
        f"# {document.name}",
        f"Made {document.created}; fingerprint `{document.fingerprint}`.",
        _network_section(document, config, int8),
        *(_axis_section(labels, metrics["axes"][labels.axis], manifest, int8) for labels in document.axes),
        *([_map_section(metrics["map"])] if metrics.get("map") else []),
        _familiar_section(document, metrics["familiar"]),
        _data_section(manifest),
        _recipe_section(config),
    ]
    if notes:
        parts.append(notes.strip())
    return "\n\n".join(parts) + "\n"


def _network_section(document: ModelDocument, config: RunConfig, int8: bool) -> str:
    p = document.preprocessing
    views = (
        f"each photo whole and {p.close_up:.0%} of its sides mirrored, averaged" if p.close_up else "each photo once"
    )
    return "\n".join(
        [
            "## Network",
            f"- {config.recipe.backbone}, a linear head per axis, embedding of {document.width} numbers, unit length.",
            f"- Reads RGB at {p.size} x {p.size} px ({p.fit}), {views}; mean {p.mean}, deviation {p.std}.",
            "- ONNX, int8 (static QDQ, per channel), ranges from training photos; heads in float."
            if int8
            else "- ONNX, float.",
        ]
    )


def _axis_section(labels: AxisLabels, figures: dict[str, Any], manifest: Manifest, int8: bool) -> str:
    accuracy, macro = figures["intervals"]["accuracy"], figures["intervals"]["macro_f1"]
    sure, plain = figures["sure"], figures["float"]
    lines = [
        f"## Axis `{labels.axis}`",
        f"On {figures['n']} photos held out, {'int8' if int8 else 'float'}, with 95 % bootstrap intervals over "
        f"{figures['intervals']['blocks']} blocks of photos that belong together:",
        "",
        "| figure | value | interval |",
        "|---|---|---|",
        f"| accuracy | {figures['accuracy']:.3f} | {accuracy['low']:.3f} to {accuracy['high']:.3f} |",
        f"| macro F1 | {figures['macro']['f1']:.3f} | {macro['low']:.3f} to {macro['high']:.3f} |",
        f"| right class among the first three | {figures['top3']:.3f} | |",
        f"| accuracy in float | {plain['accuracy']:.3f} | |",
        f"| macro F1 in float | {plain['macro_f1']:.3f} | |",
        f"| calibration error | {figures['calibration_error']:.3f} | |",
    ]
    lines += [_part_row(name, figures[name]) for name in ("proxies", "others") if name in figures]
    lines += _clothes_lines(figures)
    lines += [
        "",
        f"Temperature {labels.temperature:.3f}, threshold {labels.threshold:.2f}: "
        f"{sure['share']:.0%} of these photos get a sure answer, right in {_percent(sure['accuracy'])}; "
        f"of {sure['strangers']} photos that have no answer on this axis, {_percent(sure['strangers_sure'])} do.",
        "",
        "| class | photos learned from | photos measured on | precision | recall | F1 |",
        "|---|---|---|---|---|---|",
    ]
    learned = Counter(s.labels.get(labels.axis) for s in manifest.part("train"))
    for slug in labels.classes:
        row = figures["classes"].get(slug)
        shown = f"{row['n']} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f}" if row else "0 | | |"
        lines.append(f"| {slug} | {learned[slug]} | {shown} |")
    return "\n".join(lines)


def _clothes_lines(figures: dict[str, Any]) -> list[str]:
    """Whether the model recognises the clothes rather than the source of the photo."""
    lines = []
    baseline, backgrounds = figures.get("source_baseline"), figures.get("backgrounds")
    if baseline is not None:
        lines += ["", f"Guessing the class from the source of the photo alone is right in {baseline['accuracy']:.1%}."]
    if backgrounds is not None:
        lines += [
            "",
            f"{backgrounds['n']} of these photos stand on a flat white or black background: accuracy "
            f"{backgrounds['accuracy']:.3f} as they are, {backgrounds['exchanged']:.3f} with another background put "
            f"behind; {backgrounds['same_answer']:.0%} of the answers stay.",
        ]
    return lines


def _map_section(figures: dict[str, Any]) -> str:
    bounds = figures["interval"]
    return "\n".join(
        [
            "## Map of garments",
            f"On {figures['photos']} outfits held out: mean intersection over union of upper, outer, lower, "
            "one-piece and shoes "
            f"{figures['mean_iou']:.3f} ({bounds['low']:.3f} to {bounds['high']:.3f}). Of "
            f"{figures['large_garments']} garments "
            f"that fill 2 % of the photo or more, {figures['boxes_found']:.0%} are found with a box that "
            "overlaps by half.",
            "",
            "| group | intersection over union |",
            "|---|---|",
            *(f"| {group} | {share:.3f} |" for group, share in figures["iou"].items()),
        ]
    )


def _familiar_section(document: ModelDocument, figures: dict[str, Any]) -> str:
    assert document.familiarity is not None
    rows = [f"| {name} | {row['photos']} | {row['familiar']:.0%} |" for name, row in figures.items()]
    return "\n".join(
        [
            "## What it takes for clothes",
            "A photo is unfamiliar, and unsure on every axis, where its embedding's cosine to the nearest of "
            "the middles of "
            f"what was learned from is below {document.familiarity.threshold}. Of the photos held out:",
            "",
            "| photos of | photos | familiar |",
            "|---|---|---|",
            *rows,
        ]
    )


def _part_row(name: str, part: dict[str, Any]) -> str:
    interval = part["macro_f1_interval"]
    what = f"macro F1, {name} only ({part['n']} photos, {part['classes']} classes)"
    return f"| {what} | {part['macro_f1']:.3f} | {interval['low']:.3f} to {interval['high']:.3f} |"


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.0%}"


def _data_section(manifest: Manifest) -> str:
    train, held = manifest.part("train"), manifest.part("validation")
    return "\n".join(
        [
            "## Data",
            f"{len(train)} photos to learn from, {len(held)} held out; near-twins never on both sides.",
            "",
            "| source | learned from | held out | stand-ins (proxies) |",
            "|---|---|---|---|",
            *_source_rows(train, held),
        ]
    )


def _source_rows(train: Sequence[Sample], held: Sequence[Sample]) -> list[str]:
    learned, measured = Counter(_source(s) for s in train), Counter(_source(s) for s in held)
    proxies = Counter(_source(s) for s in [*train, *held] if s.proxy)
    return [f"| {name} | {learned[name]} | {measured[name]} | {proxies[name]} |" for name in sorted(learned | measured)]


def _source(sample: Sample) -> str:
    return sample.source or "/".join(sample.path.parts[-4:-2])


def _recipe_section(config: RunConfig) -> str:
    told = {"start weights": config.start} if config.start else {}
    rows = [f"| {key} | {value} |" for key, value in (told | config.recipe.to_json()).items()]
    return "\n".join(["## Recipe", "| setting | value |", "|---|---|", *rows])
