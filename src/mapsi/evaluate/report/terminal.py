"""A report as text of at most 100 columns, for a terminal."""

from __future__ import annotations

from mapsi.evaluate.comparison import Comparison
from mapsi.evaluate.groups import Group
from mapsi.evaluate.report.report import Report
from mapsi.evaluate.resampling import ROUNDS
from mapsi.evaluate.scores import Interval

BAR = 20
_EIGHTHS = " ▏▎▍▌▋▊▉"


def as_text(report: Report) -> str:
    """The figures of ``report``: all photos, a bar per class, the most confused pairs, and what to know about them."""
    parts = [_summary(report), _classes(report)]
    parts += [_confused(report)] if report.confused else []
    parts += [_groups(report)] if report.groups else []
    parts += [_against(report.against)] if report.against is not None else []
    return "\n\n".join(parts)


def notes(report: Report) -> list[str]:
    """What a reader of the figures has to know about the photos, a sentence each."""
    found = [f"Left out, {photo.name}: {photo.reason}" for photo in report.unreadable]
    if report.unknown_classes:
        found.append(f"The model does not know: {', '.join(report.unknown_classes)}. Their photos count as missed.")
    if report.empty_classes:
        found.append(f"No photos to measure on: {', '.join(report.empty_classes)}. The averages leave them out.")
    return found


def drawn(report: Report) -> str:
    """What the intervals are drawn from."""
    if report.blocks == report.scores.n:
        return f"from {ROUNDS:,} resamples of the photos"
    return f"from {ROUNDS:,} resamples of {report.blocks} blocks (photos of one sender or product are drawn together)"


def bar_of(share: float, width: int = BAR) -> str:
    """A bar for a share of 0..1, ``width`` columns wide, to an eighth of a column."""
    whole, eighth = divmod(round(share * width * 8), 8)
    return ("█" * whole + _EIGHTHS[eighth].strip()).ljust(width)


def _between(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"


def _summary(report: Report) -> str:
    scores, intervals, sure = report.scores, report.intervals, report.sure
    lines = [
        f"{report.axis}: {scores.n} photos of {report.data}, by {report.model} ({report.fingerprint})",
        f"  95% intervals in brackets, {drawn(report)}",
        f"  accuracy           {scores.accuracy:.3f}  ({_between(intervals.accuracy)})",
        f"  macro F1           {scores.macro['f1']:.3f}  ({_between(intervals.macro_f1)})",
        f"  among first three  {scores.top3:.3f}  ({_between(intervals.top3)})",
        f"  calibration error  {report.reliability.error:.3f}",
    ]
    if sure is not None:
        right = "" if sure.accuracy is None else f", right in {sure.accuracy:.1%}"
        lines.append(f"  sure answers       {sure.share:.1%} of the photos at confidence {sure.threshold:.2f}{right}")
    lines.append(f"  risk and coverage  area {report.risk.area:.3f}, at best {report.risk.least_area:.3f}")
    if report.baseline is not None:
        lines.append(
            f"  source alone       {report.baseline.accuracy:.3f}, the model there {report.baseline.model:.3f}"
        )
    return "\n".join(lines)


def _classes(report: Report) -> str:
    width = max(len("weighted average"), *(len(slug) for slug in report.confusion.rows))
    lines = [f"  {'':{width}}  photos  precision  recall     F1"]
    for slug in report.confusion.rows:
        row, interval = report.scores.classes[slug], report.intervals.classes[slug]
        lines.append(
            f"  {slug:{width}}  {row['n']:6}  {row['precision']:9.3f}  {row['recall']:6.3f}  {row['f1']:5.3f}"
            f"  {bar_of(row['f1'])}  ({_between(interval)})"
        )
    for name, average in (("average", report.scores.macro), ("weighted average", report.scores.weighted)):
        lines.append(
            f"  {name:{width}}  {report.scores.n:6}  {average['precision']:9.3f}  {average['recall']:6.3f}"
            f"  {average['f1']:5.3f}"
        )
    return "\n".join(lines)


def _confused(report: Report) -> str:
    rows = (f"  {p.n:4} of {p.of:4}  {p.truth} taken for {p.told}" for p in report.confused)
    return "\n".join(["Most confused", *rows])


def _groups(report: Report) -> str:
    lines = []
    for mark, groups in report.groups.items():
        lines += [f"By {mark}", *map(_group, groups)]
    return "\n".join(lines)


def _group(group: Group) -> str:
    return (
        f"  {group.value}: {group.n} photos of {group.classes} {'class' if group.classes == 1 else 'classes'}, "
        f"accuracy {group.accuracy:.3f}, "
        f"macro F1 {group.macro_f1:.3f} ({_between(group.macro_f1_interval)})"
    )


def _against(found: Comparison) -> str:
    lines = [f"Against {found.other} ({found.other_fingerprint}), on the same {found.n} photos"]
    if not found.same_classes:
        lines.append(
            f"  on the {len(found.classes)} classes that both know; {found.left_out} photos of others left out"
        )
    lines += [f"  {sentence}" for sentence in found.sentences]
    lines.append(
        f"  Right alone: {found.only_ours} against {found.only_theirs} photos, McNemar's exact p {found.mcnemar:.3g}; "
        f"other sign in {found.accuracy.other_sign:.1%} and {found.macro_f1.other_sign:.1%} of the resamples"
    )
    return "\n".join(lines)
