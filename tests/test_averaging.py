"""Runs of one network make an average that is a run itself, and never one that has seen what it is measured on."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file

from mapsi.cli import main
from mapsi.dataset.manifest import build_manifest
from mapsi.dataset.plan import PhotoFolder
from mapsi.errors import ArtifactError, UsageError
from mapsi.learn.fitting.averaging import average_runs
from mapsi.learn.fitting.training import train
from mapsi.learn.network import Start
from mapsi.learn.recipe import Phase, load_recipe
from mapsi.learn.run import CONFIG, WEIGHTS, TrainingSet, prepare_run, read_run
from mapsi.taxonomy import load_taxonomy
from test_dataset import make_folder

torch.set_num_threads(1)
CLASSES = {"style": ("suit", "knit")}
RECIPE = replace(load_recipe("mapsi"), backbone="resnet10t", phases=(Phase(32, 1),), batch=8)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two runs from one start on one split, and the first one's weights as a run on another split."""
    folder = tmp_path_factory.mktemp("runs")
    photos = make_folder(folder / "photos", {"suit": 14, "knit": 14})
    start = folder / "start.safetensors"
    torch.manual_seed(0)
    save_file(timm.create_model(RECIPE.backbone, num_classes=0).state_dict(), start)
    plan = [PhotoFolder(photos, "style", "split")]
    here, there = (
        TrainingSet(build_manifest(plan, load_taxonomy(), 0.25, np.random.default_rng(split)), CLASSES, photos)
        for split in (0, 5)
    )
    one, two, elsewhere = (folder / name for name in ("one", "two", "elsewhere"))
    for seed, run in enumerate((one, two)):
        train(here, replace(RECIPE, seed=seed), run, start=Start(start), say=lambda _: None)
    prepare_run(elsewhere, there, RECIPE, "mapsi", read_run(one).start)
    shutil.copy(one / WEIGHTS, elsewhere / WEIGHTS)
    return [one, two, elsewhere]


def test_every_weight_is_the_mean_by_the_shares_given(runs: list[Path], tmp_path: Path) -> None:
    average_runs(runs[:2], tmp_path / "average", [1, 3])
    one, two, average = (load_file(run / WEIGHTS) for run in (*runs[:2], tmp_path / "average"))
    assert any(not torch.equal(one[name], two[name]) for name in one)
    for name, value in average.items():
        slow = one[name] * 0.25 + two[name] * 0.75 if value.is_floating_point() else two[name]
        assert torch.allclose(value, slow, atol=1e-6), name
    assert {name: value.dtype for name, value in average.items()} == {name: value.dtype for name, value in two.items()}


def test_an_average_is_measured_listed_and_exported_as_any_run(runs: list[Path], tmp_path: Path) -> None:
    into = tmp_path / "average"
    done = CliRunner().invoke(main, ["average", str(runs[0]), str(runs[1]), "--into", str(into)])
    assert done.exit_code == 0, done.output
    assert f"{into}: 0.5 of one, 0.5 of two" in done.output
    assert (into / "report" / "style" / "report.html").exists()
    listed = CliRunner().invoke(main, ["runs", str(into)])
    figure = json.loads((into / "report.json").read_text("utf-8"))["style"]["accuracy"]
    assert f"0.5 of one, 0.5 of two  style_accuracy {figure:.3f}" in listed.output
    exported = CliRunner().invoke(main, ["export", str(into), "--into", str(tmp_path / "model"), "--float"])
    assert exported.exit_code == 0, exported.output
    assert "| start weights | 0.5 of one, 0.5 of two |" in (tmp_path / "model" / "card.md").read_text("utf-8")


def test_a_run_that_learned_from_what_the_last_is_measured_on_is_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"elsewhere learned from \d+ photos that .*one is measured on"):
        average_runs([runs[2], runs[0]], tmp_path / "average")
    assert not (tmp_path / "average").exists()


@pytest.mark.parametrize(
    "case", ["one run", "shares", "negative", "there", "unfinished", "classes", "backbone", "text"]
)
def test_what_cannot_be_averaged_is_a_sentence(runs: list[Path], tmp_path: Path, case: str) -> None:
    into, shares, other = tmp_path / "average", [1.0, 1.0], tmp_path / "other"
    other.mkdir()
    config = json.loads((runs[0] / CONFIG).read_text("utf-8"))
    for name in ("manifest.csv", WEIGHTS):
        (other / name).write_bytes((runs[0] / name).read_bytes())
    found, kind, text = [other, runs[1]], ArtifactError, ""
    match case:
        case "one run":
            found, kind, text = runs[:1], UsageError, "has no average"
        case "shares":
            shares, kind, text = [1.0], UsageError, "2 runs need 2 shares"
        case "negative":
            shares, kind, text = [2.0, -1.0], UsageError, "2 runs need 2 shares"
        case "there":
            into, kind, text = other, UsageError, "already exists"
        case "unfinished":
            (other / WEIGHTS).unlink()
            text = "is not finished"
        case "classes":
            config["classes"] = {"style": ["knit", "suit"]}
            text = "another class list"
        case "backbone":
            config["recipe"]["backbone"] = "resnet18"
            text = "another backbone"
        case "text":
            done = CliRunner().invoke(main, ["average", *map(str, runs[:2]), "--into", str(into), "--shares", "a,b"])
            assert (done.exit_code, "--shares a,b is not N,N,..." in done.output) == (UsageError.exit_code, True)
            return
    (other / CONFIG).write_text(json.dumps(config), "utf-8")
    with pytest.raises(kind, match=text):
        average_runs(found, into, shares)


def test_the_last_run_gives_split_and_recipe(runs: list[Path], tmp_path: Path) -> None:
    config = average_runs(runs[:2], tmp_path / "average")
    last = read_run(runs[1])
    assert (config.name, config.recipe, config.manifest) == ("average", last.recipe, last.manifest)
    assert read_run(tmp_path / "average") == config
