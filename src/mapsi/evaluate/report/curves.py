"""Learning curves: accuracy and loss of one run by epoch, and several runs over epochs and over minutes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import cycle, pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mapsi.errors import ArtifactError
from mapsi.evaluate.report.figure import COLOURS, SOFT, STYLES, drawing

Row = Mapping[str, str | float]
"""A line of a run's ``metrics.csv``: ``epoch`` (from 0), ``size`` (pixels), ``loss``, ``seconds``, ``AXIS_accuracy``,
``AXIS_f1``, and where the run measured them ``val_loss`` and ``train_accuracy``."""

Points = tuple[list[float], list[float]]


def plot_curves(rows: Sequence[Row], file: Path) -> None:
    """Accuracy and loss by epoch, of photos learned from and held out, side by side in one PNG (the paper's figure 3).

    Values that are missing, empty or not finite are left out. Raises :class:`ArtifactError` where there is no epoch.
    """
    epochs = _epochs(rows)
    axes_names = [
        key.removesuffix("_accuracy")
        for key in _columns(epochs)
        if key.endswith("_accuracy") and key != "train_accuracy"
    ]
    with drawing(file, 11, 4.4, axes_names) as figure:
        left, right = figure.subplots(1, 2)
        _line(left, epochs, "train_accuracy", "learned from", SOFT, "--")
        for name, colour in zip(axes_names, cycle(COLOURS), strict=False):
            _line(left, epochs, f"{name}_accuracy", f"held out, {name}", colour)
        left.set(title="Accuracy", ylabel="share of right answers")
        left.set_ylim(bottom=0, top=1.02)
        _line(right, epochs, "loss", "learned from", SOFT, "--")
        _line(right, epochs, "val_loss", "held out", COLOURS[0])
        right.set(title="Loss", ylabel="loss")
        right.set_ylim(bottom=0)
        for axes in (left, right):
            _mark_sizes(axes, epochs)
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            if axes.get_legend_handles_labels()[0]:
                axes.legend(loc="best")


def plot_comparison(
    runs: Mapping[str, Sequence[Row]], file: Path, *, metric: str, label: str = "", target: float | None = None
) -> None:
    """One ``metric`` (a column of ``metrics.csv``) of several named runs, over epochs and over minutes, in one PNG.

    ``label`` names the metric; ``target`` draws a line at a value to be reached. A run without the metric is left out;
    raises :class:`ArtifactError` where none has it.
    """
    found = {name: _epochs(rows) for name, rows in runs.items() if rows}
    found = {name: epochs for name, epochs in found.items() if metric in _columns(epochs)}
    if not found:
        raise ArtifactError(f"None of the runs has the figure {metric}.", "Look at the first line of metrics.csv.")
    with drawing(file, 11, 4.4 + 0.25 * math.ceil(len(found) / 3), found) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        looks = zip(cycle(COLOURS), (style for style in cycle(STYLES) for _ in COLOURS), strict=False)
        for (name, epochs), (colour, style) in zip(found.items(), looks, strict=False):
            numbers, values = _points(epochs, metric)
            look = {"color": colour, "linestyle": style, "marker": "o" if len(values) == 1 else None}
            left.plot(numbers, values, label=f"{name}: {values[-1]:.3f} at the end", **look)
            minutes = _minutes(epochs)
            right.plot([minutes[number] for number in numbers], values, **look)
        for axes, title in ((left, "epoch"), (right, "minutes of learning")):
            axes.set_xlabel(title)
            if target is not None:
                axes.axhline(target, color=SOFT, linestyle=":", label=f"target: {target:.3f}" if axes is left else None)
        left.set_ylabel(label or metric.replace("_", " "))
        left.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        for axes in (left, right):
            axes.set_xlim(left=0)
        figure.legend(loc="outside upper center", ncols=3)


def _epochs(rows: Sequence[Row]) -> list[Row]:
    """The rows by epoch; of two for one epoch (a run that went on after a kill) the later one."""
    by_epoch = {int(number): row for row in rows if (number := _number(row.get("epoch"))) is not None}
    if not by_epoch:
        raise ArtifactError("The run has no finished epoch to draw.", "Train it for at least one epoch.")
    return [by_epoch[number] for number in sorted(by_epoch)]


def _columns(epochs: Sequence[Row]) -> list[str]:
    """The columns that hold a value anywhere, in their order."""
    return [key for key in dict.fromkeys(key for row in epochs for key in row) if _points(epochs, key)[1]]


def _number(value: str | float | None) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _points(epochs: Sequence[Row], column: str) -> Points:
    """Epochs counted from 1, and the values of ``column`` at them."""
    pairs = [(float(row["epoch"]) + 1, _number(row.get(column))) for row in epochs]
    known = [(epoch, value) for epoch, value in pairs if value is not None]
    return [epoch for epoch, _ in known], [value for _, value in known]


def _line(axes: Axes, epochs: Sequence[Row], column: str, label: str, colour: str, style: str = "-") -> None:
    numbers, values = _points(epochs, column)
    if values:
        # One epoch alone makes no line.
        axes.plot(numbers, values, label=label, color=colour, linestyle=style, marker="o" if len(values) == 1 else None)


def _minutes(epochs: Sequence[Row]) -> dict[float, float]:
    """Minutes of learning that were behind at the end of each epoch, counted from 1."""
    spent, behind = 0.0, {}
    for row in epochs:
        spent += (_number(row.get("seconds")) or 0.0) / 60
        behind[float(row["epoch"]) + 1] = spent
    return behind


def _mark_sizes(axes: Axes, epochs: Sequence[Row]) -> None:
    """A faint line where the pictures' size changes."""
    sizes = [(float(row["epoch"]) + 1, _number(row.get("size"))) for row in epochs]
    for (_, before), (epoch, size) in pairwise(sizes):
        if size is not None and before is not None and size != before:
            axes.axvline(epoch - 0.5, color=SOFT, linestyle=":", linewidth=1)
            axes.annotate(
                f"{size:.0f} px",
                (epoch - 0.5, 1),
                (3, -3),
                xycoords=axes.get_xaxis_transform(),
                textcoords="offset points",
                va="top",
                fontsize=8,
                color=SOFT,
            )
