"""Axes and classes come from TOML alone."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from mapsi.errors import ArtifactError, NotFoundError
from mapsi.taxonomy import load_taxonomy
from mapsi.taxonomy.synonyms import load_colors, load_synonyms

OWN = """
[axis.season]
ko = "계절"
en = "Season"
[axis.season.groups]
all = { ko = "모두", en = "All" }
[[axis.season.classes]]
slug = "summer"
ko = "여름"
en = "Summer"
group = "all"
words = ["하계"]
[[axis.season.classes]]
slug = "winter"
ko = "겨울"
en = "Winter"
group = "all"
"""


def test_the_papers_seventeen_classes_are_there_in_their_groups() -> None:
    style = load_taxonomy().find("style")
    groups = {group: [c.slug for c in style.classes if c.group == group] for group in style.groups}
    assert {group: len(slugs) for group, slugs in groups.items()} == {"men": 4, "women": 4, "looks": 5, "unisex": 4}
    assert style.find("nanbang").name.ko == "난방"


TEN = {"dress", "hat", "longsleeve", "outwear", "pants", "shirt", "shoes", "shorts", "skirt", "t-shirt"}
"""The kinds of "clothing-dataset-small"."""


def test_the_ten_kinds_of_garment_are_among_those_that_shops_sell_none_a_kind_of_another() -> None:
    garment = load_taxonomy().find("garment")
    assert set(garment.by_slug) >= TEN
    assert not any(garment.find(slug).parent for slug in TEN)


def test_a_class_counts_for_what_it_is_a_kind_of() -> None:
    garment = load_taxonomy().find("garment")
    assert garment.lineage("heels") == ("heels", "shoes")
    assert garment.lineage("watch") == ("watch",)
    assert {"shoes", "heels", "sneakers"} <= set(garment.kinds("shoes"))
    assert garment.kinds("heels") == ("heels",)


def test_the_kinship_of_classes_is_that_of_their_lineages() -> None:
    axis = load_taxonomy().find("garment")
    exact, family, place = axis.kinship
    for i, one in enumerate(axis.classes):
        for k, other in enumerate(axis.classes):
            lines = axis.lineage(one.slug), axis.lineage(other.slug)
            assert exact[i, k] == (one.slug in lines[1] or other.slug in lines[0])
            assert family[i, k] == (lines[0][-1] == lines[1][-1])
            assert place[i, k] == (one.group == other.group)


def test_offers_have_no_classes_of_what_the_catalogue_keeps_in_columns_of_its_own() -> None:
    taxonomy = load_taxonomy()
    assert set(taxonomy.axes) - set(taxonomy.listed) == {"audience", "colour"}


def test_the_classes_of_the_axis_colour_are_the_families_of_colours() -> None:
    colour = load_taxonomy().find("colour")
    assert [(cls.slug, cls.name) for cls in colour.classes] == [(one.slug, one.name) for one in load_colors()]


def test_what_names_a_class_means_its_kind_or_a_finer_one() -> None:
    """One class has no name that means a kind: 긴팔, long sleeves, which a garment has and is not."""
    meant = {form.casefold(): meaning for meaning in load_synonyms() for form in meaning.forms}
    for cls in load_taxonomy().find("garment").classes:
        names = [name.casefold() for name in (cls.name.ko, cls.name.en) if "·" not in name]
        told = [meant[word.casefold()] for word in cls.all_words if word.casefold() in meant]
        assert cls.slug == "longsleeve" or all(meant[name].kind for name in names), cls.slug
        assert told, cls.slug


def test_what_a_class_says_is_not_said_again_among_the_synonyms() -> None:
    garment = load_taxonomy().find("garment")
    entries = tomllib.loads((files("mapsi.taxonomy") / "synonyms.toml").read_text("utf-8"))["synonyms"]
    of_classes = [entry for entry in entries if "class" in entry]
    assert len({entry["class"] for entry in of_classes}) == len(of_classes) == len(garment.classes) - 1
    for entry in of_classes:
        own = {form.casefold() for key in ("ko", "en") for form in entry.get(key, ())}
        assert own.isdisjoint(word.casefold() for word in garment.find(entry["class"]).all_words), entry["class"]


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ('meaning = "hat"\nclass = "toque"', "toque"),
        ('meaning = "hat"\nclass = "hat"\nko = "모자"', "ko must be a list"),
        ('meaning = "hat"', "ko must be a list"),
        ('meaning = "hat"\nclass = "hat"\nunder = ["wear"]', "no kind 'wear'"),
        ('meaning = "hat"\nclass = "hat"\ncolour = true', "no key 'colour'"),
    ],
)
def test_a_fault_among_the_synonyms_is_named(tmp_path: Path, entry: str, named: str) -> None:
    file = tmp_path / "synonyms.toml"
    file.write_text(f"[[synonyms]]\n{entry}\n", "utf-8")
    with pytest.raises(ArtifactError, match=named):
        load_synonyms(file)


def test_a_taxonomy_of_ones_own_needs_no_python(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, "utf-8")
    taxonomy = load_taxonomy(["garment", file])
    assert list(taxonomy.axes) == ["garment", "season"]
    assert taxonomy.find("season").find("summer").all_words == ("여름", "Summer", "하계")
    assert taxonomy.find("season").find("winter").name.in_language("en") == "Winter"


def test_asking_for_what_is_not_there_names_what_is() -> None:
    with pytest.raises(NotFoundError, match="garment"):
        load_taxonomy().find("smell")
    with pytest.raises(NotFoundError, match="techwear"):
        load_taxonomy().find("style").find("toga")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("[axis.season]", "[axis.season"), "not TOML"),
        (('slug = "winter"', 'slug = "summer"'), "twice"),
        (('slug = "winter"', 'slug = "Winter Time"'), "Winter Time"),
        (('en = "Winter"\ngroup = "all"', 'en = "Winter"\ngroup = "none"'), "none"),
        (('ko = "겨울"', 'ko = ""'), "winter"),
        (('words = ["하계"]', "words = [1]"), "words"),
        (('words = ["하계"]', 'parent = "spring"'), "spring"),
        (('words = ["하계"]', "parent = 1"), "parent"),
        (('words = ["하계"]', 'parent = "summer"'), "its own parent"),
        (('en = "Season"', 'en = "Season"\nlisted = 1'), "listed"),
    ],
)
def test_a_fault_is_named_with_its_place(tmp_path: Path, change: tuple[str, str], named: str) -> None:
    assert change[0] in OWN
    file = tmp_path / "own.toml"
    file.write_text(OWN.replace(*change), "utf-8")
    with pytest.raises(ArtifactError, match=named):
        load_taxonomy([file])


def test_one_axis_in_two_files_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(OWN, "utf-8")
    with pytest.raises(ArtifactError, match="season"):
        load_taxonomy([file, file])


def test_a_missing_file_is_a_sentence() -> None:
    with pytest.raises(ArtifactError, match=r"nowhere\.toml"):
        load_taxonomy(["nowhere.toml"])


def test_a_shipped_taxonomy_is_found_by_its_former_name() -> None:
    assert load_taxonomy(["paper17", "garment10"]).axes == load_taxonomy(["paper17", "garment"]).axes
