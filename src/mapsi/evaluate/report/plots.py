"""The plots of a report, each a PNG: confusion, F1 by class, reliability, risk against coverage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from mapsi.evaluate.coverage import RiskCoverage, Sure
from mapsi.evaluate.reliability import Reliability
from mapsi.evaluate.report.figure import COLOURS, INK, SOFT, drawable, drawing
from mapsi.evaluate.report.report import Report


def plot_report(report: Report, folder: Path, names: Mapping[str, str]) -> dict[str, Path]:
    """Write all plots of ``report`` into ``folder``; their files by name. ``names`` are the classes' names by slug."""
    slugs = (*report.classes, *report.unknown_classes)
    shown = drawable({slug: names.get(slug, slug) for slug in slugs})
    files = {name: folder / f"{name}.png" for name in ("confusion", "classes", "reliability", "coverage")}
    plot_confusion(report, files["confusion"], shown)
    plot_classes(report, files["classes"], shown)
    plot_reliability(report.reliability, files["reliability"])
    plot_coverage(report.risk, report.sure, files["coverage"])
    return files


def plot_confusion(report: Report, file: Path, names: Mapping[str, str]) -> None:
    """Counts in cells, shaded by their share of the true class; rows are true, columns predicted."""
    confusion = report.confusion
    counts = confusion.counts
    totals = np.array([int(report.scores.classes[slug]["n"]) for slug in confusion.rows])
    rows, columns = counts.shape
    width, height = max(5.5, 2.6 + 0.46 * columns), max(4.2, 1.9 + 0.42 * rows)
    with drawing(file, width, height, names.values()) as figure:
        axes = figure.add_subplot()
        shares = counts / totals[:, None]
        picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for i, j in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[i, j] > 0.55 else INK
            axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=9, color=colour)
        axes.set_xticks(
            range(columns), [names[s] for s in confusion.columns], rotation=45, ha="right", rotation_mode="anchor"
        )
        axes.set_yticks(range(rows), [f"{names[s]} ({n})" for s, n in zip(confusion.rows, totals, strict=True)])
        axes.set(xlabel="told", ylabel="true class (photos)")
        _cell_borders(axes, rows, columns)
        bar = figure.colorbar(picture, ax=axes, format=PercentFormatter(1), pad=0.02, fraction=0.04)
        bar.set_label("share of the true class")
        bar.outline.set_visible(False)


def _cell_borders(axes: Axes, rows: int, columns: int) -> None:
    axes.grid(visible=False)
    axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#ebe8e2", linewidth=0.8)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)


def plot_classes(report: Report, file: Path, names: Mapping[str, str]) -> None:
    """F1 of each class with its 95 % interval, the best on top; a dashed line at their mean."""
    slugs = sorted(report.confusion.rows, key=lambda slug: report.scores.classes[slug]["f1"])
    f1 = np.array([report.scores.classes[slug]["f1"] for slug in slugs])
    ends = [report.intervals.classes[slug] for slug in slugs]
    # A percentile interval need not hold the figure itself; a bar of negative length cannot be drawn.
    low = np.maximum(f1 - [end.low for end in ends], 0)
    high = np.maximum([end.high for end in ends] - f1, 0)
    with drawing(file, 5.6, 1.3 + 0.34 * len(slugs), names.values()) as figure:
        axes = figure.add_subplot()
        mean = report.scores.macro["f1"]
        axes.axvline(mean, color=SOFT, linestyle="--", linewidth=1.2, label=f"macro F1 {mean:.3f}")
        places = np.arange(len(slugs))
        axes.errorbar(
            f1,
            places,
            xerr=[low, high],
            fmt="o",
            color=COLOURS[0],
            ecolor=COLOURS[5],
            elinewidth=3,
            label="F1 and 95% interval",
        )
        axes.set_yticks(places, [names[slug] for slug in slugs])
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.7, len(slugs) - 0.3), xlabel="F1")
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper right", ncols=2)


def plot_reliability(reliability: Reliability, file: Path) -> None:
    """How right answers of a confidence are, against that confidence; how many there are, below."""
    bins = reliability.bins
    confidence, right = np.array([b.confidence for b in bins]), np.array([b.accuracy for b in bins])
    ends = [np.maximum(right - [b.low for b in bins], 0), np.maximum([b.high for b in bins] - right, 0)]
    with drawing(file, 5.4, 5.6) as figure:
        upper, lower = figure.subplots(2, sharex=True, height_ratios=[4, 1])
        upper.plot([0, 1], [0, 1], color=SOFT, linestyle="--", linewidth=1.2, label="confidence kept exactly")
        upper.errorbar(
            confidence,
            right,
            yerr=ends,
            fmt="o",
            color=COLOURS[0],
            ecolor=COLOURS[5],
            elinewidth=2.5,
            label="answers, 95% interval",
        )
        upper.set(ylim=(-0.03, 1.03), ylabel="share that is right")
        upper.set_title(f"expected calibration error {reliability.error:.3f}")
        upper.legend(loc="upper left")
        lower.bar(confidence, [b.n for b in bins], width=0.045, color=COLOURS[0])
        lower.set(xlim=(-0.02, 1.04), xlabel="confidence", ylabel="photos")
        for axis in (upper.xaxis, upper.yaxis):
            axis.set_major_formatter(PercentFormatter(1))


def plot_coverage(risk: RiskCoverage, sure: Sure | None, file: Path) -> None:
    """The share of wrong answers against the share of photos answered, the model's own threshold marked where it has
    one."""
    with drawing(file, 5.6, 4.4) as figure:
        axes = figure.add_subplot()
        overall = float(risk.risk[-1])
        axes.axhline(
            overall, color=SOFT, linestyle="--", linewidth=1.2, label=f"every photo answered: {overall:.1%} wrong"
        )
        axes.plot(
            risk.coverage,
            risk.risk,
            color=COLOURS[0],
            label=f"the surest first: area {risk.area:.3f}, at best {risk.least_area:.3f}",
        )
        if sure is not None and sure.accuracy is not None:
            wrong = 1 - sure.accuracy
            label = f"threshold {sure.threshold:.2f}: {sure.share:.1%} answered, {wrong:.1%} of them wrong"
            axes.plot(sure.share, wrong, "o", color=COLOURS[1], markersize=9, label=label)
        top = max(float(risk.risk.max()), 0.05)
        axes.set(xlim=(0, 1.02), ylim=(-0.03 * top, 1.08 * top))
        axes.set(xlabel="photos that get a sure answer (coverage)", ylabel="wrong among these (risk)")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1, decimals=0 if top >= 0.1 or axis is axes.xaxis else 1))
        figure.legend(loc="outside upper left")
