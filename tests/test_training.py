"""A run is a folder one can read; it goes on after any interruption, to the same result."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from lightning.pytorch.callbacks import EMAWeightAveraging
from PIL import Image
from safetensors.torch import load_file, save_file
from torch.utils.data import DataLoader
from typing_extensions import Buffer

from mapsi.cli import main
from mapsi.dataset.manifest import Entry, Manifest, ManifestPart, build_manifest
from mapsi.dataset.photos import Sample
from mapsi.dataset.plan import PhotoFolder
from mapsi.errors import ArtifactError, PhotoError, UsageError
from mapsi.imaging import decode_photo, to_views
from mapsi.learn.fitting.enough import FEW, shortages
from mapsi.learn.fitting.reporting import report_run
from mapsi.learn.fitting.training import train
from mapsi.learn.fitting.warm_heads import frozen_features, warm_heads
from mapsi.learn.machine import Machine, build_trainer, loader_processes, precision_of
from mapsi.learn.module import TrainingModule
from mapsi.learn.network import Start, build_network, name_start
from mapsi.learn.objective import axis_loss, target_table
from mapsi.learn.photos import FIT, TrainingPhotos, open_store, read_square
from mapsi.learn.recipe import Phase, Recipe, load_recipe
from mapsi.learn.run import CURVES, TrainingSet, list_runs, prepare_run, read_metrics, read_run, write_epoch
from mapsi.taxonomy import load_taxonomy
from test_dataset import make_folder

torch.set_num_threads(1)
BACKBONE = "resnet10t"
TAXONOMY = load_taxonomy()
CLASSES = {"style": ("suit", "knit")}
RECIPE = replace(
    load_recipe("mapsi"), backbone=BACKBONE, phases=(Phase(32, 2), Phase(48, 1)), batch=8, learning_rate=3e-3
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(tmp_path_factory.mktemp("photos"), {"suit": 14, "knit": 14})


@pytest.fixture(scope="module")
def manifest(photos: Path) -> Manifest:
    return build_manifest([PhotoFolder(photos, "style", "split")], TAXONOMY, 0.25, np.random.default_rng(0))


def _train(manifest: Manifest, run: Path, photos: Path, weights: Path, recipe: Recipe = RECIPE) -> list[str]:
    said: list[str] = []
    train(TrainingSet(manifest, CLASSES, photos), recipe, run, start=Start(weights), name="mapsi", say=said.append)
    return said


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest, photos: Path, weights: Path) -> Path:
    run = tmp_path_factory.mktemp("runs") / "unbroken"
    before = torch.get_rng_state()
    _train(manifest, run, photos, weights)
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator is left alone"
    return run


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
import test_training as t
torch.set_num_threads(1)
photos, weights, run = (Path(a) for a in sys.argv[1:])
def say(text):
    if text.startswith("epoch 2/"):
        os.kill(os.getpid(), signal.SIGKILL)
manifest = t.build_manifest([t.PhotoFolder(photos, "style", "split")], t.TAXONOMY, 0.25, t.np.random.default_rng(0))
t.train(t.TrainingSet(manifest, t.CLASSES, photos), t.RECIPE, run, start=t.Start(weights), name="mapsi", say=say)
"""


def test_a_killed_run_goes_on_to_the_same_result(
    tmp_path: Path, unbroken: Path, manifest: Manifest, photos: Path, weights: Path
) -> None:
    run = tmp_path / "killed"
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(photos), str(weights), str(run)], cwd=Path(__file__).parent, check=False
    )
    assert child.returncode == -signal.SIGKILL
    assert [row["epoch"] for row in read_metrics(run)] == [0, 1], "killed after the line and before the checkpoint"
    said = _train(manifest, run, photos, weights)
    assert [text.split()[1] for text in said if text.startswith("epoch")] == ["2/3", "3/3"]
    timeless = [
        [{key: value for key, value in row.items() if "seconds" not in key} for row in read_metrics(one)]
        for one in (run, unbroken)
    ]
    assert timeless[0] == timeless[1]
    ours, theirs = load_file(run / "weights.safetensors"), load_file(unbroken / "weights.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_line_of_metrics_stands_once_an_epoch_and_may_gain_columns(tmp_path: Path) -> None:
    write_epoch(tmp_path, {"epoch": 0, "loss": 2.0})
    write_epoch(tmp_path, {"epoch": 1, "loss": 1.0})
    write_epoch(tmp_path, {"epoch": 1, "loss": 1.5, "val_loss": 3.0})
    assert read_metrics(tmp_path) == [{"epoch": 0, "loss": 2.0}, {"epoch": 1, "loss": 1.5, "val_loss": 3.0}]


def test_a_run_folder_tells_what_it_did(unbroken: Path) -> None:
    rows = read_metrics(unbroken)
    assert [row["size"] for row in rows] == [32, 32, 48]
    assert all(row["seconds"] > 0 and 0 <= row["train_accuracy"] <= 1 and row["val_loss"] > 0 for row in rows)
    assert (unbroken / CURVES).read_bytes().startswith(b"\x89PNG")
    said: list[str] = []
    report = report_run(unbroken, {}, said.append)["style"]
    assert report.scores.accuracy == pytest.approx(rows[-1]["style_accuracy"], abs=1e-5)
    assert report.scores.macro["f1"] == pytest.approx(rows[-1]["style_f1"], abs=1e-5)
    assert (unbroken / "report" / "style" / "report.html").exists()
    assert json.loads((unbroken / "report.json").read_text("utf-8"))["style"]["n"] == report.scores.n


def test_an_epoch_is_measured_on_photos_as_serving_reads_them(tmp_path: Path, weights: Path) -> None:
    photo = tmp_path / "large.jpg"
    noise = np.random.default_rng(0).integers(0, 256, (400, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photo)
    views = to_views(decode_photo(photo.read_bytes()), 32, FIT, RECIPE.close_up)
    served = np.stack([np.asarray(view) for view in views])
    assert not np.array_equal(read_square(photo, 32, at_least=64), served[0]), "the faster way has another antialiasing"
    network = build_network(BACKBONE, {"style": 2}, Start(weights))
    held = [Sample(photo, {"style": "suit"})]
    module = TrainingModule(network, CLASSES, held, held, np.zeros((1, 32, 32, 3), np.uint8), RECIPE, print)
    (pixels, _), *others = module.val_dataloader()
    assert not others
    assert np.array_equal(pixels[0].permute(0, 2, 3, 1).numpy(), served)


def test_runs_are_listed_and_compared(unbroken: Path, tmp_path: Path) -> None:
    shown = CliRunner().invoke(main, ["runs", str(unbroken.parent), "--plot", str(tmp_path / "runs.png")])
    assert shown.exit_code == 0, shown.output
    assert "unbroken" in shown.output
    assert "3/3 epochs" in shown.output
    assert (tmp_path / "runs.png").exists()
    told = json.loads(CliRunner().invoke(main, ["runs", str(unbroken), "--json"]).output)
    assert told[0]["recipe"] == "mapsi"
    assert told[0]["finished"]
    assert set(told[0]["figures"]) == {"style_accuracy", "style_f1", "train_accuracy"}
    assert list_runs(unbroken)[0].planned == 3
    nothing = CliRunner().invoke(main, ["runs", str(tmp_path)])
    assert nothing.exit_code != 0
    assert "no run" in nothing.output


def test_another_split_never_goes_into_the_same_run(unbroken: Path, photos: Path, weights: Path) -> None:
    other = build_manifest([PhotoFolder(photos, "style", "split")], TAXONOMY, 0.25, np.random.default_rng(5))
    with pytest.raises(ArtifactError, match="another split"):
        _train(other, unbroken, photos, weights)


def test_a_run_says_what_it_started_from_and_goes_on_from_nothing_else(
    unbroken: Path, manifest: Manifest, photos: Path, weights: Path, tmp_path: Path
) -> None:
    assert read_run(unbroken).start == f"{weights.name} {hashlib.sha256(weights.read_bytes()).hexdigest()[:32]}"
    assert name_start(Start(imagenet=True)) == "ImageNet"
    other = tmp_path / weights.name
    save_file({name: value + 1 for name, value in load_file(weights).items()}, other)
    with pytest.raises(ArtifactError, match="another start"):
        _train(manifest, unbroken, photos, other)
    with pytest.raises(ArtifactError, match=r"absent\.safetensors cannot be read"):
        _train(manifest, tmp_path / "run", photos, tmp_path / "absent.safetensors")


def test_a_run_whose_recipe_lacks_a_number_names_it(tmp_path: Path, manifest: Manifest, photos: Path) -> None:
    prepare_run(tmp_path, TrainingSet(manifest, CLASSES, photos), RECIPE, "own", "noise")
    config = json.loads((tmp_path / "run.json").read_text("utf-8"))
    del config["recipe"]["dropout"]
    (tmp_path / "run.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(ArtifactError, match="does not name dropout"):
        read_run(tmp_path)


def test_photos_that_are_gone_are_counted_and_named(
    tmp_path: Path, manifest: Manifest, photos: Path, weights: Path
) -> None:
    gone = tmp_path / "gone.jpg"
    first, *others = manifest.entries
    broken = Manifest((replace(first, sample=replace(first.sample, path=gone)), *others))
    with pytest.raises(ArtifactError, match=f"1 of the manifest's {len(manifest.entries)} photos are gone, {gone}"):
        _train(broken, tmp_path / "run", photos, weights)
    assert not (tmp_path / "run").exists()


def _labelled(part: str, **labels: str) -> Entry:
    return Entry(Sample(Path("x.jpg"), labels), cast(ManifestPart, part))


def test_a_class_with_too_few_photos_is_told_and_one_that_is_not_learned(
    tmp_path: Path, manifest: Manifest, photos: Path, weights: Path
) -> None:
    many = [_labelled(part, style=slug) for part in ("train", "validation") for slug in ("suit", "knit")] * FEW
    few = [_labelled("train", style="shirt"), _labelled("validation", style="dandy"), _labelled("train", garment="hat")]
    classes = {"style": ("suit", "knit", "shirt")}
    assert shortages(Manifest((*many, *few)), classes) == [
        "garment: hat is not learned: no second class has photos, or the taxonomy does not know it.",
        "style: dandy is not learned: it has no photo to learn from.",
        "style: shirt has only 1 photo to learn from; do not expect it to be recognised well.",
        "style: shirt has no photo held out, so it is not measured.",
    ]
    lonely = Manifest(tuple(e for e in manifest.entries if e.part == "train" or e.sample.labels["style"] == "suit"))
    data = TrainingSet(lonely, {"style": ("knit", "shirt")}, photos)
    with pytest.raises(UsageError, match="held out"):
        train(data, RECIPE, tmp_path / "run", start=Start(weights))


def test_a_photo_that_cannot_be_read_is_named(tmp_path: Path, manifest: Manifest, photos: Path, weights: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff nothing more")
    first, *others = manifest.entries
    spoilt = Manifest((replace(first, part="train", sample=replace(first.sample, path=broken)), *others))
    with pytest.raises(PhotoError, match=str(broken)):
        _train(spoilt, tmp_path / "run", photos, weights)


def test_a_full_disk_is_a_sentence_before_the_photos_are_decoded(
    tmp_path: Path, manifest: Manifest, photos: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsi.learn.photos.shutil.disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 10**6, 0))
    with pytest.raises(ArtifactError, match=r"MB there, and 0 MB are free.* Make room on the disk"):
        _train(manifest, tmp_path / "run", photos, weights)
    assert not list((tmp_path / "run" / "cache").iterdir()), "nothing half-written stays"


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before_and_is_a_sentence(
    tmp_path: Path, manifest: Manifest, photos: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, write, written = tmp_path / "run", Path.write_bytes, list[int]()

    def fill_up(file: Path, data: Buffer) -> int:
        if ".last.ckpt" in file.name:
            written.append(len(memoryview(data)))
            if len(written) == 2:
                write(file, memoryview(data)[:1000])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    monkeypatch.setattr(Path, "write_bytes", fill_up)
    with pytest.raises(ArtifactError, match="No space left on device"):
        _train(manifest, run, photos, weights, replace(RECIPE, warm_heads=False))
    assert [file.name for file in (run / "checkpoints").iterdir()] == ["last.ckpt"]
    assert torch.load(run / "checkpoints" / "last.ckpt", weights_only=False)["epoch"] == 0


def test_several_processes_may_prepare_one_run_at_once(tmp_path: Path, manifest: Manifest, photos: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        data = TrainingSet(manifest, CLASSES, photos)
        list(pool.map(lambda _: prepare_run(tmp_path, data, RECIPE, "own", "noise"), range(24)))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["manifest.csv", "run.json"]


@pytest.mark.parametrize("machine", [Machine("abacus"), Machine("cpu", 0), Machine("cpu", "many"), Machine("tpu")])
def test_a_machine_that_is_not_there_is_a_sentence(tmp_path: Path, machine: Machine) -> None:
    with pytest.raises(UsageError, match="Training cannot run on that machine: "):
        build_trainer(RECIPE, 100, tmp_path / "last.ckpt", machine)


def test_the_average_spans_the_steps_that_each_device_takes(tmp_path: Path) -> None:
    for devices in (1, 2):
        trainer = build_trainer(RECIPE, 160, tmp_path / "last.ckpt", Machine("cpu", devices))
        (average,) = (each for each in trainer.callbacks if isinstance(each, EMAWeightAveraging))  # type: ignore[attr-defined]
        ours = average._kwargs["avg_fn"](torch.tensor(0.0), torch.tensor(1.0), 1)
        assert float(ours) == pytest.approx(1 - RECIPE.average_decay(160 // devices))
    with pytest.raises(UsageError, match="Each of 2 devices would learn from 7 photos, less than one batch of 8"):
        build_trainer(RECIPE, 15, tmp_path / "last.ckpt", Machine("cpu", 2))


@pytest.mark.parametrize(("words", "seed"), [([], 7), (["--seed", "0"], 0), (["--seed", "3"], 3)])
def test_a_recipes_own_seed_counts_unless_another_is_given(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], seed: int
) -> None:
    taken: list[Recipe] = []
    monkeypatch.setattr("mapsi.learn.fitting.training.train", lambda _data, recipe, *_, **__: taken.append(recipe))
    shipped = resources.files("mapsi.learn").joinpath("recipes", "mapsi.toml").read_text("utf-8")
    (tmp_path / "own.toml").write_text(f"seed = 7\n{shipped}", "utf-8")
    asked = ["train", "--photos", f"style={photos}", "--into", str(tmp_path / "run"), "--weights", str(weights)]
    done = CliRunner().invoke(main, [*asked, "--recipe", str(tmp_path / "own.toml"), *words])
    assert done.exit_code == 0, done.output
    assert [recipe.seed for recipe in taken] == [seed]


def test_ctrl_c_is_a_sentence(photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mapsi.learn.fitting.training.train", stopped)
    words = ["train", "--photos", f"style={photos}", "--into", str(tmp_path / "run"), "--weights", str(weights)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 130
    assert "Stopped. Run the same command again to continue from the last finished epoch." in done.output


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(
    tmp_path: Path, manifest: Manifest, photos: Path, weights: Path
) -> None:
    state = load_file(weights)
    state["conv1.0.weight"][:] = float("nan")
    save_file(state, tmp_path / "nan.safetensors")
    recipe = replace(RECIPE, warm_heads=False)
    with pytest.raises(ArtifactError, match="became NaN"):
        _train(manifest, tmp_path / "run", photos, tmp_path / "nan.safetensors", recipe)


def test_the_papers_recipe_keeps_its_last_weights(
    tmp_path: Path, manifest: Manifest, photos: Path, weights: Path
) -> None:
    recipe = replace(load_recipe("paper"), backbone=BACKBONE, phases=(Phase(32, 2),), batch=8)
    _train(manifest, tmp_path / "run", photos, weights, recipe)
    state = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=False)["state_dict"]
    kept = load_file(tmp_path / "run" / "weights.safetensors")
    assert all(torch.equal(kept[name], state[f"network.{name}"]) for name in kept)


def test_warmed_heads_tell_the_photos_better_than_fresh_ones_and_the_features_are_read_once(
    tmp_path: Path, manifest: Manifest, weights: Path
) -> None:
    samples = manifest.part("train")
    store = open_store(samples, tmp_path, 48)
    torch.manual_seed(0)
    network = build_network(BACKBONE, {"style": 2}, Start(weights))
    targets = target_table(samples, CLASSES, smoothing=0.1, balance=0.0, nothing=0.0)
    features = frozen_features(network, store, 32, tmp_path)
    backbone = {name: value.clone() for name, value in network.backbone.state_dict().items()}

    def loss() -> float:
        with torch.no_grad():
            return float(axis_loss({"style": network.heads["style"](features)}, targets))

    fresh = loss()
    warm_heads(network, features, targets)
    assert loss() < fresh - 0.1
    assert all(torch.equal(value, backbone[name]) for name, value in network.backbone.state_dict().items())
    kept = list(tmp_path.glob("features-*.npy"))
    times = [file.stat().st_mtime_ns for file in kept]
    assert torch.equal(frozen_features(network, store, 32, tmp_path), features)
    assert [file.stat().st_mtime_ns for file in kept] == times, "the photos are not read again"
    network.backbone.conv1[0].weight.data *= 2  # type: ignore[index]
    assert not torch.equal(frozen_features(network, store, 32, tmp_path), features), "other weights, other features"


def test_bf16_is_taken_where_it_is_asked_for_or_fast() -> None:
    assert precision_of(Machine(precision="bf16")) == "bf16-mixed"
    assert precision_of(Machine(precision="32")) == "32-true"
    fast = torch.cuda.is_available() or torch.cpu._is_amx_tile_supported()
    assert (precision_of(Machine()) == "bf16-mixed") == fast


@pytest.mark.parametrize(
    ("device", "devices", "there", "processes"),
    [("cpu", 1, 2, 0), ("cpu", 2, 16, 0), ("cuda", 1, 16, 15), ("cuda", 4, 16, 3), ("cuda", 8, 8, 1), ("mps", 1, 1, 1)],
)
def test_a_gpu_has_its_share_of_the_cores_to_feed_it_and_a_processor_feeds_itself(
    device: str, devices: int, there: int, processes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsi.learn.machine.cores", lambda: there)
    assert loader_processes(torch.device(device), devices) == processes


def test_photos_made_ready_by_other_processes_are_the_same(photos: Path, manifest: Manifest, tmp_path: Path) -> None:
    samples = manifest.part("train")
    store = open_store(samples, tmp_path, 48)
    made = TrainingPhotos(store, range(len(samples)), 32, seed=0, epoch=1)
    here, beside = (list(DataLoader(made, 8, num_workers=workers)) for workers in (0, 1))
    assert len(here) == len(beside)
    for (ours, _, numbers), (theirs, _, others) in zip(here, beside, strict=True):
        assert torch.equal(ours, theirs)
        assert torch.equal(numbers, others)


def test_memory_that_a_step_frees_is_kept_for_the_next() -> None:
    program = """
import torch
from mapsi.learn.machine import keep_freed_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
def grown():
    before = resident()
    batch = [torch.ones(4 << 20) for _ in range(16)]
    del batch
    return resident() - before
first = grown()
assert keep_freed_memory()
print(first, grown())
"""
    told = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    given_back, kept = (int(size) for size in told.split())
    assert given_back < 100 << 20 < 200 << 20 < kept  # of 256 MiB


def test_two_processes_measure_every_photo_once(tmp_path: Path, photos: Path, weights: Path) -> None:
    """The flag is all that several devices need; the figures are over all photos held out, from the first process."""
    run = tmp_path / "two"
    words = ["train", "--photos", f"style={photos}", "--into", str(run), "--weights", str(weights)]
    words += ["--backbone", BACKBONE, "--phase", "32:1", "--batch", "4", "--accelerator", "cpu", "--devices", "2"]
    env = {**os.environ, "MAPSI_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mapsi", *words], env=env, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert len(read_metrics(run)) == 1
    report = json.loads((run / "report.json").read_text("utf-8"))["style"]
    assert report["accuracy"] == pytest.approx(read_metrics(run)[0]["style_accuracy"], abs=1e-5)
