"""docs/performance.md, out of what ``bench_serving.py`` measured."""

from __future__ import annotations

import statistics
import textwrap
from typing import Any

PAPER, SQLITE, MARIADB, BARE = "paper", "mapsi, SQLite", "mapsi, MariaDB", "the network alone"
Rounds = list[dict[str, float]]
_FULL = 6
_BUSY = (
    "**The machine did other things beside it** (load average {load:.0f} at the end): rates are lower, and times "
    "longer, than it could have done; the ratios hold better."
)


def page(figures: dict[str, Any]) -> str:
    """The page. Ratios are medians of those within a round, for what else the machine does changes from one to the
    next."""
    return "\n".join([*_head(figures), *_cases(figures["cases"]), "", *_overload(figures), *_tail(figures), ""])


def _head(figures: dict[str, Any]) -> list[str]:
    return [
        "# How fast it is",
        "",
        _told(
            f"Searches by photo among {figures['products']:,} products, measured on {figures['when']} by",
            f"`{figures['command']}`, which writes this page: {figures['machine']}; the load generator (wrk) on the",
            f"same machine. Medians of {figures['rounds']} rounds of {figures['seconds']:g} s or more, all targets in",
            "turn.",
            _BUSY.format(load=figures["load"]) if figures["load"] > _FULL else "",
            figures.get("note", ""),
        ),
        "",
        _told(
            "**The paper's design** is written as its text says: Flask's own threaded server, PyTorch, ResNet34 at",
            "224 px, the photo decoded in full, the rows of the class from SQL (`benchmarks/paper_design.py`).",
            "**The network alone** does what a photo of one garment asks of it, prepared and with nothing around it:",
            "two views of the photo. It is the limit of any server around it.",
        ),
        "",
    ]


def _cases(cases: dict[str, dict[str, Rounds]]) -> list[str]:
    lines = [
        "| photo | the paper's design: requests/s (p95) | mapsi on SQLite | mapsi on MariaDB | network alone "
        "| mapsi against the paper: requests, p95, processor time | against the network: requests, processor time |",
        "|---|---|---|---|---|---|---|",
    ]
    for case, found in cases.items():
        cells = [
            f"{middle(found[name], 'rate'):.1f} ({middle(found[name], 'p95'):.2f} s)"
            for name in (PAPER, SQLITE, MARIADB)
        ]
        mine, papers, alone = (found[name] for name in (SQLITE, PAPER, BARE))
        against = (
            f"{ratio(mine, papers, 'rate'):.1f}x, 1/{ratio(papers, mine, 'p95'):.1f}, "
            f"1/{ratio(papers, mine, 'cpu_ms'):.1f}"
        )
        limit = f"{ratio(mine, alone, 'rate'):.2f}, {ratio(alone, mine, 'cpu_ms'):.2f}"
        lines.append(f"| {' | '.join([case, *cells, str(round(middle(alone, 'rate'), 1)), against, limit])} |")
    return lines


def _overload(figures: dict[str, Any]) -> list[str]:
    over = figures["overload"]
    kept = statistics.median(each["served"] / each["best"] for each in over)
    lost = sum(each["others"] + each["without_retry"] for each in over)
    half, most = (1000 * middle(over, figure) for figure in ("refused_p50", "refused_p95"))
    return [
        "## Beyond the capacity",
        "",
        _told(
            f"Twice as many requests as are served at best (0.3 MP, {middle(over, 'asked'):.0f} a second, each on a",
            f"connection of its own, whether those before were answered or not): {kept:.2f} of the best rate is",
            f"still served, with a p95 of {middle(over, 'served_p95'):.1f} s; the others get a 503 with `Retry-After`,",
            f"half of them within {half:.0f} ms, 95 % within {most:.0f} ms. Answers of another kind, none at all, or a",
            f"503 without `Retry-After`: {lost:.0f}.",
        ),
        "",
    ]


def _tail(figures: dict[str, Any]) -> list[str]:
    starts = figures["first_answer"]
    memory = ", ".join(f"{name} {size} MB" for name, size in figures["resident_mb"].items())
    return [
        "## Start and memory",
        "",
        _told(
            f"`mapsi serve` on SQLite answers its first photo {statistics.median(starts):.1f} s after it was started",
            f"({min(starts):.1f} to {max(starts):.1f} s). Resident after all of it: {memory}.",
        ),
        "",
        _told(
            "Where the time of an answer goes, as py-spy sampled it under the load of eight clients:",
            "[0.3 MP](../benchmarks/flames/0.3-jpeg.txt), [12 MP](../benchmarks/flames/12-jpeg.txt). What was measured",
            "for the network by itself, and why requests that wait do not share a batch:",
            "[decision 17](decisions/0017-one-batch-a-photo.md).",
        ),
    ]


def _told(*parts: str) -> str:
    return textwrap.fill(" ".join(filter(None, parts)), 120, break_long_words=False, break_on_hyphens=False)


def middle(rounds: Rounds, figure: str) -> float:
    return statistics.median(each[figure] for each in rounds)


def ratio(these: Rounds, those: Rounds, figure: str) -> float:
    pairs = [(one[figure], other[figure]) for one, other in zip(these, those, strict=True)]
    shares = [one / other for one, other in pairs if one and other]
    return statistics.median(shares) if shares else float("nan")
