"""``mapsi evaluate`` as a person runs it: with a real model folder, real files, and what may be wrong with them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from mapsi.cli import main
from mapsi.learn.recipe import load_recipe
from mapsi.taxonomy import Taxonomy, load_taxonomy
from small_house import draw_garment, write_colour_model

Run = Callable[..., Result]
COLOURS = ("#c0392b", "#2a6fb0", "#1e8449", "#d4ac0d", "#7d3c98")
KINDS = ("suit", "knit", "blouse")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    write_colour_model(tmp_path / "model", load_taxonomy())
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAPSI_MODEL", str(tmp_path / "model"))
    monkeypatch.setenv("MAPSI_LANGUAGE", "en")

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(main, ["evaluate", *map(str, words)])

    return invoke


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three classes of ten photos, and a labels.csv beside the folder."""
    rows = [("path", "sender", "source", "proxy")]
    for k, kind in enumerate(KINDS):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for i in range(10):
            draw_garment(COLOURS[(i + k) % 5], i).save(tmp_path / "photos" / kind / f"{i}.png")
            rows.append(
                (f"photos/{kind}/{i}.png", str(i // 2), "shop" if i < k * 5 else "street", "yes" if k else "no")
            )
    with (tmp_path / "labels.csv").open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    return tmp_path / "photos"


def _other_model(folder: Path, axis: str = "style", *, first: int) -> Path:
    """A model that knows the ``first`` classes of one axis only."""
    known = load_taxonomy().find(axis)
    return write_colour_model(folder, Taxonomy({axis: replace(known, classes=known.classes[:first])}))


def test_a_report_folder_holds_page_text_figures_and_plots(run: Run, photos: Path, tmp_path: Path) -> None:
    into = tmp_path / "report"
    done = run("--data", photos, "--axis", "style", "--into", into, "--json", tmp_path / "f.json")
    assert done.exit_code == 0, done.output
    assert sorted(file.name for file in into.iterdir()) == [
        "classes.png", "confusion.png", "coverage.png", "reliability.png", "report.html", "report.json", "report.md",
    ]  # fmt: skip
    assert (into / "report.json").read_text("utf-8") == (tmp_path / "f.json").read_text("utf-8")
    figures = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert figures["n"] == 30
    assert set(figures["classes"]) == set(KINDS)
    assert "techwear" in figures["empty_classes"]
    assert f"accuracy           {figures['accuracy']:.3f}" in done.output
    assert "No photos to measure on: nanbang" in done.output
    assert str(into / "report.html") in done.output
    assert "data:image/jpeg" in (into / "report.html").read_text("utf-8")


def test_a_report_lies_beside_what_else_is_in_its_folder(run: Run, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    (tmp_path / "into" / "mine.txt").write_text("kept")
    for _ in range(2):
        assert run("--data", photos, "--axis", "style", "--into", tmp_path / "into").exit_code == 0
    assert (tmp_path / "into" / "mine.txt").read_text() == "kept"


def test_labels_tell_groups_and_what_is_drawn_together(run: Run, photos: Path, tmp_path: Path) -> None:
    words = ("--data", photos, "--axis", "style", "--json", tmp_path / "f.json")
    assert "resamples of the photos" in run(*words).output
    done = run(*words, "--labels", tmp_path / "labels.csv")
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert figures["intervals"]["blocks"] == 5
    assert "resamples of 5 blocks" in done.output
    assert {group["value"]: group["n"] for group in figures["groups"]["proxy"]} == {"no": 10, "yes": 20}
    assert {group["value"]: group["n"] for group in figures["groups"]["source"]} == {"street": 15, "shop": 15}
    assert figures["source_baseline"]["n"] == 30
    assert "By source" in done.output


def test_labels_inside_the_folder_are_found_by_themselves(run: Run, photos: Path, tmp_path: Path) -> None:
    text = (tmp_path / "labels.csv").read_text().replace("photos/", "")
    (photos / "labels.csv").write_text(text)
    assert "resamples of 5 blocks" in run("--data", photos, "--axis", "style").output


def test_a_held_out_part_of_a_manifest_is_measured(run: Run, photos: Path, tmp_path: Path) -> None:
    rows = [["path", "part", "source", "proxy", "nothing", "unsure", "axis:style", "axis:garment"]]
    for kind in KINDS:
        for i in range(10):
            part, source = ("train" if i < 5 else "validation" if i < 9 else "test"), ("shop", "street")[i % 2]
            rows.append([f"{kind}/{i}.png", part, source, "yes" if i % 2 else "no", "no", "", kind, ""])
    rows.append(["suit/gone.png", "validation", "shop", "no", "no", "", "suit", ""])
    manifest = tmp_path / "run" / "manifest.csv"
    manifest.parent.mkdir()
    with manifest.open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    words = ("--manifest", manifest, "--axis", "style", "--json", tmp_path / "f.json")
    done = run(*words, "--root", photos)
    assert done.exit_code == 0, done.output
    assert "Left out, suit/gone.png: The file cannot be read: No such file or directory." in done.output
    figures = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert (figures["n"], figures["unreadable"]) == (12, ["suit/gone.png"])
    assert figures["source_baseline"]["learned_from"] == 15
    run_of = {"recipe": load_recipe("mapsi").to_json(), "classes": {}, "size": 32, "root": str(photos)}
    begun = {"name": "mapsi", "manifest": "", "start": "noise", "attributes": []}
    (manifest.parent / "run.json").write_text(json.dumps(run_of | begun))
    assert run(*words, "--part", "test").exit_code == 0
    assert json.loads((tmp_path / "f.json").read_text("utf-8"))["n"] == 3
    other_axis = run("--manifest", manifest, "--axis", "garment")
    assert other_axis.exit_code == 2
    assert "no photo of the axis garment in its part validation" in other_axis.output


def test_against_compares_on_the_same_photos(run: Run, photos: Path, tmp_path: Path) -> None:
    into = tmp_path / "report"
    done = run("--data", photos, "--axis", "style", "--into", into, "--against", tmp_path / "model")
    assert done.exit_code == 0, done.output
    sentence = "Accuracy: 0.0 points (0.0 to 0.0): the difference could be chance."
    figures = json.loads((into / "report.json").read_text("utf-8"))
    assert figures["against"]["sentences"][0] == sentence
    assert figures["against"]["mcnemar"] == 1
    for text in (done.output, *((into / name).read_text("utf-8") for name in ("report.md", "report.html"))):
        assert sentence in text


def test_models_of_different_classes_are_compared_on_those_they_share(run: Run, photos: Path, tmp_path: Path) -> None:
    other = _other_model(tmp_path / "other", first=6)
    done = run("--data", photos, "--axis", "style", "--against", other, "--json", tmp_path / "f.json")
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "f.json").read_text("utf-8"))["against"]
    assert len(found["classes"]) == 6
    assert found["n"] + found["left_out"] == 30
    assert f"on the 6 classes that both know; {found['left_out']} photos of others left out" in done.output


def test_a_kind_counts_for_the_class_that_the_photos_are_labelled_with(run: Run, tmp_path: Path) -> None:
    for n, kind in enumerate(("shoes", "dress", "heels")):
        folder = tmp_path / ("fine" if kind == "heels" else "coarse") / kind
        folder.mkdir(parents=True)
        for i in range(4):
            draw_garment(COLOURS[n], i).save(folder / f"{i}.png")
    run("--data", tmp_path / "coarse", "--axis", "garment", "--json", tmp_path / "coarse.json")
    run("--data", tmp_path / "fine", "--axis", "garment", "--json", tmp_path / "fine.json")
    coarse, fine = (json.loads((tmp_path / f"{name}.json").read_text("utf-8")) for name in ("coarse", "fine"))
    garment = load_taxonomy().find("garment")
    assert set(fine["model"]["classes"]) == set(garment.by_slug)
    assert set(coarse["model"]["classes"]) == set(garment.by_slug) - set(garment.kinds("shoes")[1:])


def test_what_cannot_be_read_or_is_not_known_is_reported(run: Run, photos: Path) -> None:
    (photos / "knit" / "broken.jpg").write_bytes(b"no photo")
    (photos / "toga").mkdir()
    Image.new("RGB", (40, 40), "white").save(photos / "toga" / "0.png")
    done = run("--data", photos, "--axis", "style")
    assert done.exit_code == 0, done.output
    assert "Left out, knit/broken.jpg: This file is not a photo that can be read." in done.output
    assert "The model does not know: toga. Their photos count as missed." in done.output
    assert "31 photos of" in done.output


def test_what_goes_wrong_is_told_before_any_photo_is_answered(run: Run, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "nothing.csv").write_text("path,sender\nelsewhere/1.jpg,4\n")
    (tmp_path / "bad.csv").write_text("name\nx\n")
    other = _other_model(tmp_path / "garments", "garment", first=10)
    on = ("--data", photos, "--axis", "style")
    wrong: list[tuple[tuple[object, ...], int, str]] = [
        (("--axis", "style"), 2, "Give --data or --manifest"),
        ((*on, "--manifest", "m.csv"), 2, "Give --data or --manifest"),
        (("--manifest", "m.csv", "--axis", "style", "--labels", "x"), 2, "--labels goes with --data"),
        (("--manifest", tmp_path / "none.csv", "--axis", "style"), 7, "none.csv cannot be read"),
        (("--data", photos, "--axis", "colour"), 2, "It has: style, garment."),
        (("--data", tmp_path / "empty", "--axis", "style"), 7, "no class folders"),
        ((*on, "--against", tmp_path / "empty"), 7, "The model folder cannot be read"),
        ((*on, "--against", other), 2, "has no axis 'style'"),
        ((*on, "--into", tmp_path / "file"), 7, "cannot be written to"),
        ((*on, "--json", tmp_path / "empty"), 2, "is a folder"),
        ((*on, "--json", tmp_path / "file" / "f.json"), 7, "cannot be written to"),
        ((*on, "--labels", tmp_path / "nothing.csv"), 2, "tell no sender, source or proxy"),
        ((*on, "--labels", tmp_path / "bad.csv"), 7, "no column 'path'"),
    ]
    for words, code, sentence in wrong:
        done = run(*words)
        assert (done.exit_code, sentence in done.output) == (code, True), (words, done.output)
        assert "accuracy" not in done.output


def test_models_without_a_shared_class_that_has_photos_are_not_compared(run: Run, photos: Path, tmp_path: Path) -> None:
    done = run("--data", photos, "--axis", "style", "--against", _other_model(tmp_path / "other", first=2))
    assert done.exit_code == 2
    assert "too few to compare" in done.output
    assert "accuracy" not in done.output
