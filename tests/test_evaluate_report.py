"""A report says the same in JSON, Markdown, on its page and on the terminal, and its page needs nothing but itself."""

from __future__ import annotations

import base64
import csv
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

import mapsi.evaluate.report.figure
from chromium import Browser
from evaluated import answers_of, candidate, random_answers, told
from mapsi.errors import ArtifactError
from mapsi.evaluate import Answers, Report, build_report, compare
from mapsi.evaluate.answers import Unreadable
from mapsi.evaluate.report.curves import Row, plot_comparison, plot_curves
from mapsi.evaluate.report.figure import drawable
from mapsi.evaluate.report.pages import write_report
from mapsi.evaluate.report.plots import plot_report
from mapsi.evaluate.report.terminal import as_text, bar_of, notes
from mapsi.taxonomy import load_taxonomy
from servers import require

STYLE = load_taxonomy().find("style")
SEVENTEEN = tuple(STYLE.by_slug)
KOREAN = {cls.slug: cls.name.ko for cls in STYLE.classes}
HOSTILE = '</td><script>alert("x")</script>|**toga**'


def _report(folder: Path, *, against: bool = True, count: int = 240) -> Report:
    """A report on made-up answers to drawn photos, with all that a report can have; one class is a stranger's text."""
    rng = np.random.default_rng(5)
    made = random_answers(count, rng, classes=SEVENTEEN)
    truth = [HOSTILE if i < 4 else slug for i, slug in enumerate(made.truth)]
    marks = [{"proxy": "yes" if i % 3 else "no", "source": HOSTILE if i % 2 else "a shop"} for i in range(count)]
    ours = answers_of(truth, made.shares, SEVENTEEN, marks=marks, folder=folder)
    noise = rng.normal(0, 0.3, made.shares.shape).astype(np.float32)
    theirs = Answers(ours.photos, SEVENTEEN, np.abs(made.shares + noise), ours.familiar)
    comparison = compare(ours, theirs.over(SEVENTEEN[:12]), HOSTILE, "f", rng) if against else None
    return build_report(
        ours,
        candidate(SEVENTEEN, name=HOSTILE),
        axis="style",
        data="drawn photos",
        rng=rng,
        unreadable=[Unreadable(f"{HOSTILE}.jpg", "This file is not a photo that can be read.")],
        against=comparison,
    )


def _draw_examples(report: Report, *, all_but: int = 0) -> None:
    for number, example in enumerate(example for pair in report.confused for example in pair.examples):
        if number >= all_but:
            example.photo.path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (90, 120), (40, 20 * number % 256, 160)).save(example.photo.path, "JPEG")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, Path]:
    """A report and the folder it was written to; the first of its example photos went away meanwhile."""
    folder = tmp_path_factory.mktemp("report")
    report = _report(folder / "photos")
    _draw_examples(report, all_but=1)
    write_report(report, folder / "out", KOREAN)
    return report, folder / "out"


def test_the_json_holds_every_figure(written: tuple[Report, Path]) -> None:
    report, folder = written
    document = json.loads((folder / "report.json").read_text("utf-8"))
    assert document["accuracy"] == report.scores.accuracy
    assert document["n"] == 240 == sum(map(sum, document["confusion"]["counts"]))
    assert set(document["classes"]) == set(document["intervals"]["classes"]) == set(document["confusion"]["rows"])
    assert (
        document["intervals"]["macro_f1"]["low"] < document["macro"]["f1"] < document["intervals"]["macro_f1"]["high"]
    )
    assert sum(step["n"] for step in document["reliability"]) == 240
    assert document["risk_coverage"]["coverage"][-1] == 1
    assert len(document["risk_coverage"]["coverage"]) == 200
    assert document["risk_coverage"]["risk"][-1] == pytest.approx(1 - document["accuracy"])
    assert document["unknown_classes"] == [HOSTILE]
    assert document["unreadable"] == [f"{HOSTILE}.jpg"]
    assert document["against"]["accuracy"]["more_than_chance"] in (True, False)
    assert document["against"]["sentences"] == list(report.against.sentences if report.against else ())
    assert {mark: len(groups) for mark, groups in document["groups"].items()} == {"proxy": 2, "source": 2}


def test_each_form_says_the_same(written: tuple[Report, Path]) -> None:
    report, folder = written
    assert report.against is not None
    page, markdown = (folder / "report.html").read_text("utf-8"), (folder / "report.md").read_text("utf-8")
    for text in (page, markdown, as_text(report)):
        for figure in (report.scores.accuracy, report.scores.macro["f1"], report.scores.weighted["recall"]):
            assert f"{figure:.3f}" in text
        for sentence in report.against.sentences:
            assert sentence in text
        assert "95%" in text
    for text in (page, markdown):
        assert KOREAN["techwear"] in text
        assert re.search("the 12 (classes )?that", text)


def test_what_strangers_named_is_text_and_never_markup(written: tuple[Report, Path]) -> None:
    _, folder = written
    page, markdown = (folder / "report.html").read_text("utf-8"), (folder / "report.md").read_text("utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<script" not in markdown
    for line in markdown.splitlines():
        if line.startswith("|") and "toga" in line:
            assert r"\|\*\*toga\*\*" in line


def test_every_row_of_a_markdown_table_has_its_columns(written: tuple[Report, Path]) -> None:
    table: list[int] = []
    for line in [*(written[1] / "report.md").read_text("utf-8").splitlines(), ""]:
        if line.startswith("|"):
            table.append(len(re.findall(r"(?<!\\)\|", line)))
        else:
            assert len(set(table)) <= 1
            table = []


def test_the_page_needs_nothing_but_itself(written: tuple[Report, Path]) -> None:
    page = (written[1] / "report.html").read_text("utf-8")
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', page)
    assert sources
    assert all(source.startswith("data:image/") for source in sources)
    assert "http://" not in page
    assert "https://" not in page
    assert 'class="gone"' in page
    for kind, data in re.findall(r'src="data:image/(\w+);base64,([^"]+)"', page):
        assert base64.b64decode(data).startswith(b"\x89PNG" if kind == "png" else b"\xff\xd8")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_a_phone_and_a_desk(window: Browser, written: tuple[Report, Path], width: int) -> None:
    window.resize(width, 900)
    window.open((written[1] / "report.html").as_uri())
    assert window.run("return document.documentElement.scrollWidth") <= width
    pictures = window.run("return [...document.images].map(p => [p.naturalWidth, p.clientWidth, p.alt])")
    assert len(pictures) > 10
    assert all(natural > 0 and shown > 0 and alt for natural, shown, alt in pictures)
    cut = window.run(
        """return [...document.querySelectorAll("p, li, h1, h2, h3, td, b, figcaption")].filter(
             e => !e.closest(".scroll, figure.wide") && e.getBoundingClientRect().right > innerWidth
           ).map(e => e.textContent)"""
    )
    assert cut == []
    assert window.complaints() == []


def test_notes_tell_what_was_left_out_and_what_counts_as_missed(tmp_path: Path) -> None:
    told_here = build_report(
        answers_of(["dress", "toga"], told(["dress", "hat"])),
        candidate(),
        axis="garment",
        data="x",
        rng=np.random.default_rng(0),
        unreadable=[Unreadable("dress/2.jpg", "The photo is empty.")],
    )
    assert notes(told_here) == [
        "Left out, dress/2.jpg: The photo is empty.",
        "The model does not know: toga. Their photos count as missed.",
        "No photos to measure on: hat, pants, shirt. The averages leave them out.",
    ]
    assert told_here.scores.accuracy == 0.5


@pytest.mark.parametrize(
    ("truth", "guesses"),
    [(["dress"], ["dress"]), (["dress"], ["hat"]), (["toga"], ["hat"]), (["dress", "hat"] * 3, ["dress", "hat"] * 3)],
    ids=["one right", "one wrong", "none known", "all right"],
)
def test_the_smallest_measurement_is_a_whole_report(tmp_path: Path, truth: list[str], guesses: list[str]) -> None:
    answers = answers_of(truth, told(guesses, confidence=0.4), folder=tmp_path / "photos")
    report = build_report(answers, candidate(), axis="garment", data="x", rng=np.random.default_rng(0))
    assert report.sure is not None
    assert report.sure.accuracy is None
    _draw_examples(report)
    assert write_report(report, tmp_path / "out", {}).exists()
    assert as_text(report)


def test_a_model_without_a_threshold_is_told_without_sure_answers(tmp_path: Path) -> None:
    answers = answers_of(["dress", "hat"] * 3, told(["dress", "hat"] * 3), folder=tmp_path / "photos")
    asked = replace(candidate(), threshold=None)
    report = build_report(answers, asked, axis="garment", data="x", rng=np.random.default_rng(0))
    page = write_report(report, tmp_path / "out", {})
    texts = [as_text(report), page.read_text("utf-8"), page.with_suffix(".md").read_text("utf-8")]
    assert [text for text in texts if "sure answer" in text] == []
    assert report.to_json()["sure"] is None


def test_a_bar_is_as_long_as_its_share() -> None:
    assert bar_of(0, 4) == "    "
    assert bar_of(1, 4) == "████"
    assert bar_of(0.53, 4) == "██▏ "
    assert {len(bar_of(k / 50)) for k in range(51)} == {20}


# Plots


@pytest.fixture
def drawn_text(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every figure that is saved has all its words inside, and none over another's; the words that were drawn."""
    words: list[str] = []
    drawn: dict[Text, Bbox] = {}
    save, draw = Figure.savefig, Text.draw

    def remember(text: Text, renderer: Any) -> None:
        if text.get_visible() and text.get_text().strip():
            drawn[text] = text.get_window_extent(renderer)
        draw(text, renderer)

    def check(figure: Figure, *arguments: Any, **options: Any) -> None:
        drawn.clear()
        save(figure, *arguments, **options)
        for text, box in drawn.items():
            words.append(text.get_text())
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
            assert inside, f"{text.get_text()!r} is cut off"
        for axes in figure.axes:
            for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
                boxes = [drawn[label] for label in labels if label in drawn and not label.get_rotation() % 90]
                assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])

    monkeypatch.setattr(Figure, "savefig", check)
    monkeypatch.setattr(Text, "draw", remember)
    return words


def _is_a_picture(file: Path) -> bool:
    with Image.open(file) as picture:
        colours = picture.convert("RGB").getcolors(1 << 20)
        return picture.format == "PNG" and colours is not None and len(colours) > 20


def test_seventeen_korean_names_fit_every_plot(tmp_path: Path, drawn_text: list[str]) -> None:
    require(
        mapsi.evaluate.report.figure.font_with(KOREAN.values()),
        "a font with Korean letters (Debian package fonts-nanum)",
    )
    files = plot_report(_report(tmp_path), tmp_path, KOREAN | {HOSTILE: "토가"})
    assert set(files) == {"confusion", "classes", "reliability", "coverage"}
    assert all(_is_a_picture(file) for file in files.values())
    assert set(KOREAN.values()) <= set(drawn_text)


def test_without_a_korean_font_plots_show_slugs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn_text: list[str]
) -> None:
    monkeypatch.setattr(mapsi.evaluate.report.figure, "HANGUL_FONTS", ())
    assert drawable(KOREAN) == {slug: slug for slug in SEVENTEEN}
    plot_report(_report(tmp_path), tmp_path, KOREAN)
    assert set(SEVENTEEN) <= set(drawn_text)
    assert not set(KOREAN.values()) & set(drawn_text)


def _rows(epochs: int, **more: str) -> list[dict[str, str]]:
    return [
        {"epoch": str(i), "size": "96" if i < 3 else "128", "loss": str(3 / (i + 1)), "seconds": "30"}
        | {"style_accuracy": str(0.7 - 0.5 / (i + 1)), "style_f1": str(0.6 - 0.5 / (i + 1))}
        | more
        for i in range(epochs)
    ]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (_rows(6), {"held out, style", "learned from", "128 px"}),
        (_rows(1), {"held out, style", "learned from"}),
        (_rows(150, val_loss="1.5", train_accuracy="0.9"), {"held out", "held out, style", "learned from"}),
        (_rows(4, garment_accuracy="0.8", val_loss=""), {"held out, garment", "held out, style"}),
        (_rows(3, val_loss="nan", style_accuracy="inf"), {"learned from"}),
    ],
    ids=["sizes", "one epoch", "paper", "two axes", "not finite"],
)
def test_learning_curves_draw_what_the_run_measured(
    tmp_path: Path, drawn_text: list[str], rows: list[Row], words: set[str]
) -> None:
    plot_curves(rows, tmp_path / "curves.png")
    assert _is_a_picture(tmp_path / "curves.png")
    assert words | {"Accuracy", "Loss", "epoch"} <= set(drawn_text)
    assert ("held out" in drawn_text) == ("held out" in words)


def test_learning_curves_read_a_metrics_file_as_it_stands(tmp_path: Path, drawn_text: list[str]) -> None:
    lines = ["epoch,size,loss,seconds,style_accuracy,style_f1", "0,96,3.1,20,0.2,0.1", "1,96,2.9,20,0.4,0.3"]
    # A run that went on after a kill may have written an epoch twice: the later line counts.
    file = tmp_path / "metrics.csv"
    file.write_text("\n".join([*lines, "1,96,2.8,21,0.5,0.4"]) + "\n")
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    plot_curves(rows, tmp_path / "curves.png")
    plot_comparison({"first": rows}, tmp_path / "runs.png", metric="style_f1")
    assert "first: 0.400 at the end" in drawn_text


def test_runs_are_drawn_over_epochs_and_minutes(tmp_path: Path, drawn_text: list[str]) -> None:
    runs: Mapping[str, list[Row]] = {
        "paper": _rows(9),
        "mapsi": _rows(4),
        "empty": [],
        "other axis": [{"epoch": 0, "loss": 1}],
    }
    plot_comparison(runs, tmp_path / "runs.png", metric="style_f1", label="macro F1", target=0.5)
    assert _is_a_picture(tmp_path / "runs.png")
    assert {"macro F1", "epoch", "minutes of learning", "target: 0.500"} <= set(drawn_text)
    assert {"paper: 0.544 at the end", "mapsi: 0.475 at the end"} <= set(drawn_text)
    assert not any("other axis" in word for word in drawn_text)


def test_twelve_runs_can_be_told_apart(tmp_path: Path, drawn_text: list[str]) -> None:
    plot_comparison({f"run {i:02}": _rows(i + 2) for i in range(12)}, tmp_path / "runs.png", metric="style_accuracy")
    assert sum(word.startswith("run ") for word in drawn_text) == 12
    assert "style accuracy" in drawn_text


def test_a_run_without_an_epoch_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no finished epoch"):
        plot_curves([], tmp_path / "curves.png")
    with pytest.raises(ArtifactError, match="toga_f1"):
        plot_comparison({"a": _rows(2)}, tmp_path / "runs.png", metric="toga_f1")
    assert not list(tmp_path.iterdir())
