"""Recipes as data: every number is named, and moves the weights as it says."""

from __future__ import annotations

import contextlib
import tomllib
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import timm
from hypothesis import given
from hypothesis import strategies as st

from mapsi.errors import ArtifactError, UsageError
from mapsi.learn.network import AxisNetwork
from mapsi.learn.optimiser import build_optimiser, rate_at
from mapsi.learn.recipe import SHIPPED, Recipe, load_recipe, recipe_from

MAPSI = load_recipe("mapsi")


def _table(name: str = "mapsi") -> dict[str, Any]:
    return tomllib.loads(resources.files("mapsi.learn").joinpath("recipes", f"{name}.toml").read_text("utf-8"))


def test_the_paper_recipe_has_the_papers_numbers() -> None:
    paper = load_recipe("paper")
    assert (paper.backbone, paper.optimiser, paper.learning_rate, paper.momentum) == ("resnet34", "sgd", 0.001, 0.9)
    assert paper.epochs == 150
    assert [phase.size for phase in paper.phases] == [224]
    extras = (paper.mix, paper.warm_heads, paper.average_span, paper.label_smoothing, paper.balance, paper.dropout)
    assert not any(extras)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_recipe_of_ones_own_is_a_copy_with_changes(name: str, tmp_path: Path) -> None:
    shipped = resources.files("mapsi.learn").joinpath("recipes", f"{name}.toml").read_text("utf-8")
    own = tmp_path / "own.toml"
    own.write_text(shipped.replace("batch = ", "seed = 7\nbatch = 1"), "utf-8")
    recipe = load_recipe(str(own))
    assert recipe.seed == 7
    assert replace(recipe, seed=0, batch=load_recipe(name).batch) == load_recipe(name)


@pytest.mark.parametrize("key", sorted(set(_table())))
def test_a_recipe_that_leaves_a_number_out_is_told_which(key: str) -> None:
    table = _table()
    del table[key]
    with pytest.raises(ArtifactError, match=f"does not name {key}"):
        recipe_from(table, "The recipe")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("speed", 3),
        ("optimiser", "adam"),
        ("augmentation", "wild"),
        ("batch", -1),
        ("batch", 3.5),
        ("batch", 1),
        ("learning_rate", 0),
        ("learning_rate", float("inf")),
        ("warm_up", 1.0),
        ("momentum", 1.0),
        ("mix", 1.5),
        ("label_smoothing", 2),
        ("dropout", float("nan")),
        ("seed", -1),
        ("phases", [{"size": "64", "epochs": 1}]),
        ("phases", [{"size": 64, "epochs": 1.5}]),
        ("learning_rate", "fast"),
        ("mix", True),
        ("warm_heads", 1),
        ("phases", []),
        ("phases", [{"size": 8, "epochs": 1}]),
        ("phases", [{"size": 64}]),
        ("phases", "64:3"),
    ],
)
def test_a_wrong_entry_is_told_by_its_key(key: str, value: object) -> None:
    with pytest.raises(ArtifactError, match=key):
        recipe_from(_table() | {key: value}, "The recipe")


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(sorted(_table())), ANYTHING, max_size=3))
def test_a_strangers_recipe_is_one_or_is_refused(changes: dict[str, Any]) -> None:
    with contextlib.suppress(ArtifactError):
        recipe = recipe_from(_table() | changes, "The recipe")
        assert isinstance(recipe, Recipe)
        rates = [rate_at(step / 10, recipe) for step in range(11)]
        assert all(0 < rate <= 1.001 for rate in rates), "whatever was taken can be learned by"


def test_an_unknown_recipe_and_a_missing_file_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="mapsy"):
        load_recipe("mapsy")
    with pytest.raises(ArtifactError, match="cannot be read"):
        load_recipe(str(tmp_path / "none.toml"))
    paper = resources.files("mapsi.learn").joinpath("recipes", "paper.toml").read_text("utf-8")
    (tmp_path / "marked.toml").write_bytes(f"# 논문의 것\r\n{paper}".encode("utf-8-sig"))
    assert load_recipe(str(tmp_path / "marked.toml")) == load_recipe("paper")
    (tmp_path / "bad.toml").write_text("batch = = 3")
    with pytest.raises(ArtifactError, match="not TOML"):
        load_recipe(str(tmp_path / "bad.toml"))


def test_the_rate_warms_up_and_falls_as_half_a_cosine_or_stays() -> None:
    recipe = replace(MAPSI, warm_up=0.1, schedule="cosine")
    assert rate_at(0.05, recipe) == pytest.approx(0.5)
    assert rate_at(0.1, recipe) == pytest.approx(1.0, abs=1e-3)
    assert rate_at(0.55, recipe) == pytest.approx(0.5, abs=1e-3)
    assert 0 < rate_at(1.0, recipe) < 1e-3
    rates = [rate_at(step / 100, recipe) for step in range(10, 101)]
    assert rates == sorted(rates, reverse=True)
    assert {rate_at(step / 10, load_recipe("paper")) for step in range(11)} == {1.0}


def test_every_weight_learns_once_and_earlier_layers_learn_slower() -> None:
    network = AxisNetwork(timm.create_model("resnet10t", num_classes=0, global_pool=""), 512, {"style": 3})
    recipe = replace(MAPSI, layer_decay=0.5, weight_decay=0.1, learning_rate=1.0)
    groups = build_optimiser(network, recipe).param_groups
    rates = {id(p): (g["lr"], g["weight_decay"]) for g in groups for p in g["params"]}
    assert sum(len(g["params"]) for g in groups) == len(rates) == len(list(network.parameters()))
    named = dict(network.named_parameters())
    stem, late, head = (
        named["backbone.conv1.0.weight"],
        named["backbone.layer4.0.conv2.weight"],
        named["heads.style.weight"],
    )
    assert rates[id(stem)][0] < rates[id(late)][0] <= rates[id(head)][0] == 1.0
    assert rates[id(named["heads.style.bias"])][1] == 0.0
    assert rates[id(named["backbone.layer4.0.bn1.weight"])][1] == 0.0
    assert rates[id(head)][1] == 0.1
    flat = build_optimiser(network, load_recipe("paper")).param_groups
    assert {group["lr"] for group in flat} == {0.001}
