"""From the names of the paper's seventeen classes to a measured model, with no hand work, against servers of our
own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import timm
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from mapsi.cli import main
from mapsi.dataset.manifest import read_manifest
from mapsi.taxonomy import load_taxonomy
from photo_sources import run_photo_sources

STYLES = load_taxonomy(("paper17",)).axes["style"].classes
A_CLASS = 6
torch.set_num_threads(1)
BACKBONE = "resnet10t"


@pytest.mark.timeout(600)
def test_seventeen_classes_are_collected_checked_split_learned_and_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos, checked, split = tmp_path / "photos", tmp_path / "checked", tmp_path / "split.csv"
    run, model, report = tmp_path / "run", tmp_path / "model", tmp_path / "report"
    weights = tmp_path / "backbone.safetensors"
    torch.manual_seed(0)
    save_file(timm.create_model(BACKBONE, num_classes=0).state_dict(), weights)

    def mapsi(*words: object) -> str:
        done = CliRunner().invoke(main, [str(word) for word in words])
        assert done.exit_code == 0, f"{words[0]}: {done.output}"
        return done.stdout

    with run_photo_sources(2) as hosts:
        hosts[0].stock = lambda api, text: hosts[0].items(api, text, A_CLASS)
        for name, value in {**hosts[0].environment(), "MAPSI_HOME": str(tmp_path / "home")}.items():
            monkeypatch.setenv(name, value)
        mapsi("collect", "--taxonomy", "paper17", "--source", "openverse", "--source", "naver-hub",
              "--per-class", A_CLASS, "--into", photos)  # fmt: skip
    found = {folder.name: len(list(folder.glob("*.jpg"))) for folder in photos.iterdir() if folder.name[0] != "."}
    found.pop("labels.csv", None)
    assert {cls.slug: found.get(cls.slug) for cls in STYLES} == {cls.slug: A_CLASS for cls in STYLES}

    mapsi("dataset", "check", photos, "--axis", "style", "--into", checked)
    assert (checked / "report.html").exists()
    assert "test" in mapsi("dataset", "split", checked / "manifest.csv", "--shares", "0.6,0.2,0.2", "--into", split)
    manifest = read_manifest(split, split.parent)
    assert {s.labels["style"] for s in manifest.part("test")} == {cls.slug for cls in STYLES}

    mapsi("train", "--manifest", split, "--into", run, "--weights", weights, "--backbone", BACKBONE,
          "--phase", "32:1", "--batch", 16)  # fmt: skip
    mapsi("export", run, "--into", model, "--name", "collected")
    mapsi("evaluate", "--model", model, "--manifest", split, "--part", "test", "--axis", "style", "--into", report)
    measured = json.loads((report / "report.json").read_text("utf-8"))
    assert measured["n"] == len(manifest.part("test"))
    assert set(measured["classes"]) == {cls.slug for cls in STYLES}
