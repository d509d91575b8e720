"""The command line: sentences, exit codes, and the same JSON as the API's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from mapsi.catalog.listings import index_keeper
from mapsi.cli import main
from mapsi.cli.opening import open_installation
from mapsi.errors import ArtifactError, PhotoError
from mapsi.infer import shipped_model
from mapsi.settings import read_settings
from mapsi.taxonomy import load_taxonomy
from servers import free_port
from small_house import write_colour_model

ROOT = Path(__file__).parents[1]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command in a home of its own with the small colour model."""
    model = write_colour_model(tmp_path / "model", load_taxonomy())
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MAPSI_MODEL", str(model))
    monkeypatch.setenv("MAPSI_LANGUAGE", "en")

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(main, [str(word) for word in words])

    return invoke


def _feed(folder: Path) -> Path:
    colours = {"a": "red", "b": "blue", "c": "green"}
    rows = ["id,title,link,image_link,price,availability"]
    for name, colour in colours.items():
        Image.new("RGB", (60, 60), colour).save(folder / f"{name}.png")
        rows.append(f"{name},린넨 셔츠 {colour},https://shop.example.com/{name},{name}.png,{len(rows)}000 KRW,in_stock")
    rows.append("d,No price,https://shop.example.com/d,a.png,,in_stock")
    feed = folder / "feed.csv"
    feed.write_text("\n".join(rows) + "\n", "utf-8")
    return feed


def test_a_terminal_waits_for_the_index_of_words_that_its_question_set_going(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("catalog", "import", _feed(tmp_path), "--format", "csv", "--shop", "My Shop", "--no-index")
    shutil.rmtree(tmp_path / "home" / "words", ignore_errors=True)
    monkeypatch.setattr(index_keeper, "SMALL", 0)
    found = run("search", "--words", "린넨")
    assert found.exit_code == 0, found.output
    assert "Building the index of words" in found.output
    assert "린넨 셔츠" in found.output


def test_from_a_feed_to_a_search_by_photo_and_by_words(run: Any, tmp_path: Path) -> None:
    imported = run("catalog", "import", _feed(tmp_path), "--format", "csv", "--shop", "My Shop")
    assert imported.exit_code == 0, imported.output
    assert "3 new" in imported.output
    assert "line 5" in imported.output
    assert "3 offers can be found by a photo" in imported.output

    by_photo = run("search", tmp_path / "b.png", "--json")
    document = json.loads(by_photo.output)
    assert document["products"][0]["name"] == "린넨 셔츠 blue"
    assert document["products"][0]["similarity"] > 0.99
    assert set(document["axes"]) == {"style", "garment"}
    assert set(document["products"][0]) == {
        "id", "name", "keyword", "lowest_price", "currency", "shop", "shops", "link", "image", "similarity",
    }  # fmt: skip

    by_words = json.loads(run("search", "--words", "셔츠", "--sort", "price-down", "--json").output)
    assert [p["lowest_price"] for p in by_words["products"]] == [3000, 2000, 1000]
    narrowed = json.loads(run("search", "--words", "셔츠", "--max-price", "1500", "--json").output)
    assert [p["lowest_price"] for p in narrowed["products"]] == [1000]
    said = json.loads(run("search", "--words", "1500원 이하 셔츠", "--json").output)
    assert (said["searched_for"], said["max_price"], said["products"]) == ("셔츠", 1500, narrowed["products"])
    assert "Only prices from 1,500 up to 2,500." in run("search", "--words", "셔츠 1500~2500원").output
    assert "린넨 셔츠 red" in run("search", "--words", "린넨").output
    mended = run("search", "--words", "tucm").output
    assert "Nothing was found for 'tucm'; these are the results for '셔츠'." in mended
    assert "3 products" in mended
    assert "Nothing was found" not in run("search", "--words", "셔츠").output
    blue = json.loads(run("search", "--words", "셔츠", "--color", "blue", "--json").output)
    assert [p["name"] for p in blue["products"]] == ["린넨 셔츠 blue"]
    assert "3 offers shown" in run("catalog", "status").output


def test_a_page_of_the_command_line_is_as_long_as_one_in_the_browser(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("catalog", "import", _feed(tmp_path), "--format", "csv", "--shop", "My Shop")
    monkeypatch.setenv("MAPSI_PAGE_SIZE", "2")
    page = json.loads(run("search", "--words", "셔츠", "--json").output)
    assert (page["size"], len(page["products"]), page["pages"]) == (2, 2, 2)
    assert json.loads(run("search", "--words", "셔츠", "--size", "3", "--json").output)["size"] == 3


def test_classify_tells_each_photo(run: Any, tmp_path: Path) -> None:
    for colour in ("red", "grey"):
        Image.new("RGB", (50, 50), colour).save(tmp_path / f"{colour}.png")
    text = run("classify", tmp_path / "red.png", tmp_path / "grey.png")
    assert text.exit_code == 0, text.output
    assert text.output.count("Style:") == 2
    documents = json.loads(run("classify", tmp_path / "red.png", "--json").output)
    top = documents[0]["axes"]["style"]["top"]
    assert len(top) == 3
    assert set(top[0]) == {"slug", "name_ko", "name_en", "confidence"}


def test_one_bad_photo_does_not_hide_the_others(run: Any, tmp_path: Path) -> None:
    Image.new("RGB", (50, 50), "red").save(tmp_path / "red.png")
    (tmp_path / "bad.png").write_text("no photo")
    done = run("classify", tmp_path / "bad.png", tmp_path / "red.png")
    assert done.exit_code == 4
    assert done.output.count("Style:") == 1
    assert "bad.png: This file is not a photo" in done.output


def test_evaluate_writes_its_figures(run: Any, tmp_path: Path) -> None:
    for name in ("suit", "knit"):
        (tmp_path / "data" / name).mkdir(parents=True)
        Image.new("RGB", (50, 50), "red").save(tmp_path / "data" / name / "0.png")
    done = run("evaluate", "--data", tmp_path / "data", "--axis", "style", "--json", tmp_path / "f.json")
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert figures["n"] == 2
    assert set(figures) >= {"n", "accuracy", "top3", "macro", "classes"}
    wrong = run("evaluate", "--data", tmp_path / "data", "--axis", "colour")
    assert wrong.exit_code == 2
    assert "style" in wrong.output


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["search"], 2, "or both"),
        (["search", "--words", "x", "--box", "0,0,1,1"], 2, "part of a photo"),
        (["classify", "nowhere.jpg"], 4, "nowhere.jpg: The file cannot be read"),
        (["search", "--words", "!!"], 2, "."),
        (["search", "--words", "x", "--class", "style:toga"], 3, "toga"),
        (["search", "--words", "x", "--color", "plaid"], 2, "There are: black,"),
        (["catalog", "refresh", "x", "--dry-run", "--accept"], 2, "one of the two"),
        (["catalog", "import", "none.xml", "--format", "merchant", "--shop", "x"], 5, "feed cannot be read"),
        (["evaluate", "--data", "none", "--axis", "style"], 7, "no folder"),
        (["train", "--into", "run"], 2, "--plan, --manifest or --photos"),
        (["train", "--photos", "style", "--into", "run", "--weights", "w"], 2, "AXIS=FOLDER"),
        (["train", "--photos", "style=x", "--into", "run"], 2, "--weights"),
        (["export", "nowhere", "--into", "x"], 7, "not a run folder"),
        (["export", "nowhere", "--into", "x", "--map-size", "100"], 2, "Take 96 or 128"),
        (["classify", "x.jpg", "--model", "nowhere"], 7, "no model folder"),
    ],
)
def test_what_goes_wrong_ends_in_one_sentence_and_a_code(run: Any, words: list[str], code: int, named: str) -> None:
    done = run(*words)
    assert done.exit_code == code, done.output
    assert named in done.output
    assert done.output.startswith("mapsi: ")
    assert "Traceback" not in done.output


def test_a_setting_that_cannot_be_used_is_named(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_PAGE_SIZE", "plenty")
    done = run("search", "--words", "x")
    assert done.exit_code == 2
    assert "MAPSI_PAGE_SIZE" in done.output


def test_a_model_that_the_taxonomy_cannot_name_is_refused(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MAPSI_TAXONOMY", "garment")
    Image.new("RGB", (50, 50), "red").save(tmp_path / "red.png")
    done = run("classify", tmp_path / "red.png")
    assert done.exit_code == 7
    assert "MAPSI_TAXONOMY" in done.output


def test_nothing_is_built_by_another_model_than_the_one_that_was_chosen(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MAPSI_MODEL", "")
    models = tmp_path / "home" / "models"
    models.mkdir(parents=True)
    (models / "chosen").write_text("0123456789abcdef")
    refused = run("index", "build")
    assert refused.exit_code == ArtifactError.exit_code
    assert "0123456789abcdef" in refused.output
    assert "`mapsi index build --model FOLDER`" in refused.output
    served = open_installation(read_settings(), visitors=True)
    assert served.model.folder == shipped_model()
    assert "0123456789abcdef was chosen" in caplog.text
    assert run("search", "--words", "셔츠").exit_code == 0, "what is there is found meanwhile"
    assert run("index", "build", "--model", "shipped").exit_code == 0
    assert (models / "chosen").read_text() == served.model.fingerprint


def test_an_unreachable_database_is_a_sentence_without_its_password(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_DATABASE_URL", f"mysql://user:rosebud@127.0.0.1:{free_port()}/mapsi")
    done = run("catalog", "status")
    assert done.exit_code == 8
    assert "rosebud" not in done.output


def test_a_port_in_use_is_a_sentence(tmp_path: Path) -> None:
    import socket

    model = write_colour_model(tmp_path / "model", load_taxonomy())
    environment = {**os.environ, "MAPSI_HOME": str(tmp_path / "home"), "MAPSI_MODEL": str(model)}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "mapsi", "serve", "--port", port],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode not in (0, 1)
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in sorted(group.commands.items()):
        if not isinstance(command, click.Group) or command.invoke_without_command:
            found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found += _commands(command, (*path, name))
    return found


def test_every_command_and_option_explains_itself() -> None:
    for path, command in _commands(main):
        assert command.help, path
        for option in command.params:
            if isinstance(option, click.Option) and option.name != "help":
                assert option.help or isinstance(option.type, click.Choice), (path, option.name)


def test_the_manual_is_what_the_commands_say() -> None:
    # In a process of its own: click remembers how a command was called by the tests before.
    script = "import runpy, sys; sys.stdout.write(runpy.run_path(sys.argv[1])['page']())"
    words = [sys.executable, "-c", script, str(ROOT / "docs" / "write_commands.py")]
    written = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", check=True).stdout
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert page == written, "docs/commands.md is stale: run `python docs/write_commands.py`"
    assert page.count("## `mapsi ") == len(_commands(main))


@pytest.mark.parametrize("encoding", ["cp949", "cp1252", "latin-1"])
def test_a_console_that_lacks_a_letter_shows_a_question_mark(tmp_path: Path, encoding: str) -> None:
    photo = tmp_path / "니트 \U0001f600.jpg"
    photo.write_bytes(b"no photo")
    ran = subprocess.run(
        [sys.executable, "-m", "mapsi", "classify", photo],
        env={**os.environ, "PYTHONIOENCODING": encoding, "MAPSI_HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == PhotoError.exit_code
    told = ran.stderr.decode(encoding)
    assert ("니트" in told) == (encoding == "cp949")
    assert "?.jpg: This file is not a photo" in told
