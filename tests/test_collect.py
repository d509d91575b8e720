"""The command ``mapsi collect``: from search words to a folder to learn from, killed and continued, and its
words."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mapsi.cli import main
from mapsi.collect.harvest.ledger import LedgerLine, read_ledger
from mapsi.dataset.plan import PhotoFolder, gather
from mapsi.taxonomy import load_taxonomy
from photo_sources import PhotoSources, Reply, draw, jpeg

ROOT = Path(__file__).parents[1]
Collect = Callable[..., Result]


@pytest.fixture
def server(hosts: list[PhotoSources]) -> PhotoSources:
    return hosts[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "photos"


@pytest.fixture
def collect(server: PhotoSources, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Collect:
    """Run ``mapsi collect ... --into`` the folder, with all settings leading to the server."""
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)

    def run(*words: object) -> Result:
        return CliRunner().invoke(main, ["collect", *map(str, words), "--into", str(folder)])

    return run


def kept(folder: Path) -> list[LedgerLine]:
    return [line for line in read_ledger(folder) if line.outcome == "kept"]


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_seventeen_classes_from_three_sources(collect: Collect, hosts: list[PhotoSources], folder: Path) -> None:
    done = collect("--source", "naver-hub", "--source", "openverse", "--source", "naver", "--per-class", 12)
    assert done.exit_code == 0, done.output
    taxonomy = load_taxonomy(["paper17"])
    slugs = [cls.slug for cls in taxonomy.axes["style"].classes]
    table = [line.split() for line in done.stdout.splitlines()[:19]]
    assert table[0] == ["class", "asked", "kept", "found", "refused", "duplicate", "failed", "waiting"]
    assert [(row[0], row[1], row[2]) for row in table[1:18]] == [(slug, "12", "12") for slug in slugs]
    assert table[18][:3] == ["all", "204", "204"]
    samples = gather(PhotoFolder(folder, "style", "split", folder / "labels.csv"), taxonomy)
    assert len(samples) == 204
    assert {s.labels["style"] for s in samples} == set(slugs)
    assert {s.source for s in samples} == {"naver-hub", "openverse", "naver"}
    assert [path for host in hosts for path in host.twice()] == []
    assert max(host.most_at_once[kind] for host in hosts for kind in host.most_at_once) == 1


def test_the_same_command_again_asks_nobody(collect: Collect, server: PhotoSources) -> None:
    words = ("--source", "naver-hub", "--per-class", 3, "--class", "knit", "--class", "suit")
    first = collect(*words)
    asked = dict(server.asked)
    second = collect(*words)
    assert dict(server.asked) == asked
    assert second.stdout == first.stdout


def test_a_killed_collection_goes_on_and_fetches_nothing_twice(
    hosts: list[PhotoSources], folder: Path, tmp_path: Path
) -> None:
    """SIGKILL again and again: what was in flight may be asked for again, and nothing else, nor is any photo lost."""
    server = hosts[0]
    for host in hosts:
        host.pause = 0.02
    words = ["collect", "--source", "naver-hub", "--source", "naver", "--per-class", "16", "--into", str(folder)]
    words += ["--class", "knit", "--class", "suit", "--downloads", "3"]
    command = [sys.executable, "-m", "mapsi", *words]
    environment = {**os.environ, **server.environment()}
    kills = 0
    while True:
        before = pictures(hosts)
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as child:
            deadline = time.monotonic() + 120
            while child.poll() is None and pictures(hosts) - before < 9 and time.monotonic() < deadline:
                time.sleep(0.002)
            ended = child.poll() is not None
            child.send_signal(signal.SIGKILL)
        if ended:
            break
        kills += 1
        assert child.returncode == -signal.SIGKILL
    assert child.returncode == 0
    assert kills >= 2
    assert len(kept(folder)) == 32
    assert len(list(folder.glob("*/*.jpg"))) == 32
    assert len({line.sha256 for line in kept(folder)}) == 32
    again = {path: count for host in hosts for path, count in host.asked.items() if count > 1}
    assert sum(count - 1 for count in again.values()) <= 3 * kills
    searches = [path for path in again if "/p/" not in path]
    assert sum(again[path] - 1 for path in searches) <= kills, "one search is in flight at a time"
    with (folder / "labels.csv").open(encoding="utf-8") as labels:
        assert {row["path"] for row in csv.DictReader(labels)} == {f"{line.cls}/{line.file}" for line in kept(folder)}
    assert not list((folder / ".collect" / "incoming").iterdir())


def pictures(hosts: list[PhotoSources]) -> int:
    return sum(host.count("/p/") for host in hosts)


# Where the tests themselves run in the background, Ctrl-C is ignored by what they start.
INTERRUPTIBLE = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from mapsi.cli import main
main(prog_name="mapsi")
"""


def test_ctrl_c_is_a_sentence_and_the_command_goes_on(hosts: list[PhotoSources], folder: Path) -> None:
    for host in hosts:
        host.pause = 0.05
    words = ["collect", "--source", "naver-hub", "--per-class", "30", "--class", "knit", "--into", str(folder)]
    environment = {**os.environ, **hosts[0].environment()}
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, *words], env=environment, stderr=subprocess.PIPE, text=True
    ) as child:
        while pictures(hosts) < 5:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Stopped. Run the same command again to continue." in said
    assert "Traceback" not in said
    assert (folder / "labels.csv").exists()


# --- words -----------------------------------------------------------------------------------------------------------


def test_a_short_class_says_why_and_the_others_are_done(collect: Collect, server: PhotoSources) -> None:
    server.stock = lambda api, text: server.items(api, text, 2) if text == "니트" else []
    server.always["openverse"] = Reply(b"", 401)
    done = collect("--source", "naver-hub", "--source", "openverse", "--per-class", 3, "--class", "knit")
    assert done.exit_code == 0
    assert "knit has 2 of 3 photos." in done.stderr
    assert "naver-hub: found 2: 2 kept. It has no more." in done.stderr
    assert "openverse: found nothing. openverse does not accept the client (status 401)." in done.stderr


def test_no_photo_at_all_is_an_error_with_a_code(collect: Collect, server: PhotoSources, folder: Path) -> None:
    server.stock = lambda api, text: []
    done = collect("--source", "naver-hub", "--per-class", 3, "--class", "knit")
    assert done.exit_code == 13
    assert "No photo at all was kept for knit." in done.stderr
    assert "naver-hub: found nothing. It has no more." in done.stderr
    assert json.loads((folder / "report.json").read_text("utf-8"))["classes"]["knit"]["has"] == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--source", "bing"], 2, "There is no source 'bing'"),
        ([], 2, "--source"),
        (["--source", "naver-hub", "--class", "toga"], 3, "toga"),
        (["--source", "naver-hub", "--axis", "colour"], 3, "colour"),
        (["--source", "naver-hub", "--taxonomy", "nowhere.toml"], 7, "nowhere.toml"),
        (["--source", "folder:nowhere"], 2, "is not a folder"),
        (["--source", "addresses:nowhere"], 7, "cannot be read"),
    ],
)
def test_what_was_asked_wrongly_is_said(collect: Collect, words: list[str], code: int, said: str) -> None:
    done = collect(*words)
    assert done.exit_code == code, done.output
    assert said in done.stderr
    assert done.stderr.startswith("mapsi: ")


@pytest.mark.parametrize("source", ["openverse", "commons"])
def test_no_contact_is_a_sentence_before_anything_is_asked(
    collect: Collect, server: PhotoSources, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.delenv("MAPSI_COLLECT_CONTACT")
    done = collect("--source", source)
    assert done.exit_code == 2
    assert "Set MAPSI_COLLECT_CONTACT" in done.stderr
    assert not server.asked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAPSI_COLLECT_CONTACT", "nobody"),
        ("MAPSI_COLLECT_CONTACT", "a@example.com\r\nX: y"),
        ("MAPSI_COLLECT_BASES", "commons"),
        ("MAPSI_COLLECT_BASES", "commons=ftp://example.com"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    collect: Collect, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    done = collect("--source", "commons")
    assert done.exit_code == 2
    assert name in done.stderr


def test_no_key_is_ever_printed(collect: Collect, server: PhotoSources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_NAVER_HUB_KEY", "rosebud")
    done = collect("--source", "naver-hub", "--class", "knit")
    assert done.exit_code == 13
    assert "does not accept the key" in done.stderr
    assert "rosebud" not in done.output


def test_two_languages_can_be_narrowed_to_one(collect: Collect, server: PhotoSources) -> None:
    collect("--source", "naver-hub", "--class", "knit", "--language", "en", "--per-class", 9)
    assert server.count("query=Knit") == 1
    assert not server.count("니트")


def test_small_photos_can_be_let_in(collect: Collect, server: PhotoSources) -> None:
    server.draw = lambda name: draw(name, 150, 150)
    server.stock = lambda api, text: server.items(api, text, 3, width=150, height=150)
    words = ("--source", "naver-hub", "--class", "knit", "--per-class", 2)
    assert collect(*words, "--min-side", 151).exit_code == 13
    assert not server.count("/p/")


def test_sources_are_listed_with_what_they_need() -> None:
    done = CliRunner().invoke(main, ["collect", "sources"])
    assert done.exit_code == 0
    for word in ("naver-hub", "MAPSI_COLLECT_CONTACT", "commons", "addresses:FILE", "google"):
        assert word in done.output


def test_review_is_a_command_of_collect() -> None:
    done = CliRunner().invoke(main, ["collect", "review", "--help"])
    assert done.exit_code == 0
    assert "FOLDER" in done.output


# --- attribution -----------------------------------------------------------------------------------------------------


@pytest.fixture
def credits_of(collect: Collect, server: PhotoSources, folder: Path) -> Callable[[str], str]:
    evil = '<script>alert("x")</script>=1+1'
    server.stock = lambda api, text: server.items(api, text, 2, title="=SUM(1)", creator=evil)
    assert collect("--source", "openverse", "--per-class", 2, "--class", "knit").exit_code == 0

    def run(form: str) -> str:
        done = CliRunner().invoke(main, ["collect", "credits", str(folder), "--format", form])
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def test_credits_as_text_name_title_creator_licence_and_page(credits_of: Callable[[str], str]) -> None:
    lines = credits_of("text").splitlines()
    assert len(lines) == 2
    assert "CC BY-SA 4.0 <https://creativecommons.org/licenses/by-sa/4.0/>" in lines[0]
    assert "https://pages.example.com/" in lines[0]
    assert lines == sorted(lines)


def test_credits_as_a_table_hold_no_formula(credits_of: Callable[[str], str]) -> None:
    rows = list(csv.DictReader(credits_of("csv").splitlines()))
    assert len(rows) == 2
    assert rows[0]["title"] == "'=SUM(1)"
    assert rows[0]["licence"] == "CC BY-SA 4.0"


def test_credits_as_a_page_hold_no_markup_of_strangers(credits_of: Callable[[str], str]) -> None:
    page = credits_of("html")
    assert "<script" not in page
    assert page.count("<li>") == 2
    assert re.findall(r'href="(https?://[^"]+)"', page)


def test_credits_need_a_ledger(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["collect", "credits", str(tmp_path)])
    assert done.exit_code == 3
    assert "There is no ledger" in done.output


# --- a source of one's own -------------------------------------------------------------------------------------------


def example() -> str:
    """The example of the manual."""
    page = (ROOT / "docs" / "collect.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    return str(code)


def test_the_manuals_example_of_a_source_works(collect: Collect, server: PhotoSources, tmp_path: Path) -> None:
    assert len(example().splitlines()) <= 36
    file = tmp_path / "lookbook.py"
    file.write_text(example(), "utf-8")
    looks = [{"photo": item.address, "by": "Kim", "page": item.page} for item in server.items("lookbook", "니트", 3)]
    server.pictures["/looks/knit.json"] = Reply(json.dumps({"looks": looks}).encode())
    done = collect("--source", f"{file}:{server.url}/looks", "--class", "knit", "--per-class", 3)
    assert done.exit_code == 0, done.output
    assert {line.source for line in kept(tmp_path / "photos")} == {"lookbook"}
    assert {line.creator for line in kept(tmp_path / "photos")} == {"Kim"}


def test_a_file_that_builds_no_source_is_reported(collect: Collect, tmp_path: Path) -> None:
    file = tmp_path / "empty.py"
    file.write_text("x = 1\n")
    done = collect("--source", file)
    assert done.exit_code == 2
    assert "build(argument, parts)" in done.output


def test_a_folder_of_ones_own_is_a_source(collect: Collect, tmp_path: Path, folder: Path) -> None:
    own = tmp_path / "own" / "knit"
    own.mkdir(parents=True)
    for n in range(3):
        (own / f"{n}.jpg").write_bytes(jpeg(draw(f"own {n}")))
    done = collect("--source", f"folder:{own.parent}", "--class", "knit", "--per-class", 3)
    assert done.exit_code == 0, done.output
    assert len(kept(folder)) == 3
