"""The harvest: what is kept, what is refused and why, who is asked in turn, and that nothing ends in silence."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import imagehash
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from collecting import Canned, Run, founds, query, style_axis
from mapsi.collect.faults import FolderBusyError, NothingCollectedError, SourceExhausted, SourceUnreachable
from mapsi.collect.harvest.filing import held, senders_of
from mapsi.collect.harvest.harvest import refuse_nothing
from mapsi.collect.harvest.lanes import queries_of
from mapsi.collect.harvest.ledger import LedgerLine, read_ledger
from mapsi.collect.harvest.screening import forbids_learning
from mapsi.collect.source import Found, Source
from mapsi.dataset.photos import read_labels
from mapsi.dataset.plan import PhotoFolder, gather
from mapsi.errors import UsageError
from mapsi.taxonomy import Class, load_taxonomy
from photo_sources import PhotoSources, Reply, draw, jpeg


@pytest.fixture
def server(hosts: list[PhotoSources]) -> PhotoSources:
    return hosts[0]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "photos")


def canned(server: PhotoSources, *names: str, source: str = "shelf", cls: str = "knit") -> Canned:
    return Canned(source, {cls: founds([f"{server.url}/p/{name}.jpg" for name in names])})


def lines(run: Run) -> list[LedgerLine]:
    return list(read_ledger(run.folder))


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_kept_photo_is_a_fresh_small_jpeg_without_metadata(server: PhotoSources, run: Run) -> None:
    exif = Image.Exif()
    exif[0x010E] = "somebody's holiday"
    exif[0x0112] = 6  # lies on its side
    large = draw("large", 2000, 1500)
    server.pictures["/p/a.jpg"] = Reply(jpeg(large, exif=exif, comment=b"secret"))
    run.max_bytes = 1 << 24
    run.given([canned(server, "a")], per_class=1)
    (photo,) = (run.folder / "knit").iterdir()
    with Image.open(photo) as opened:
        assert opened.size == (768, 1024)
        assert opened.format == "JPEG"
        assert not opened.getexif()
        assert not {"comment", "exif", "icc_profile"} & set(opened.info)
    assert b"holiday" not in photo.read_bytes()
    (line,) = lines(run)
    assert (line.width, line.height) == (1500, 2000)


def test_the_ledger_tells_all_that_is_known_of_a_photo(server: PhotoSources, run: Run) -> None:
    run.named(server, ["openverse"], ["knit"], per_class=1)
    (line,) = lines(run)
    body = jpeg(draw(line.address.rpartition("/")[2]))
    assert line.sha256 == hashlib.sha256(body).hexdigest()
    assert line.hash == str(imagehash.phash(Image.open(io.BytesIO(body))))
    assert line.file == f"{line.sha256[:20]}.jpg"
    assert (line.outcome, line.cls, line.source, line.query, line.language, line.rank) == (
        "kept",
        "knit",
        "openverse",
        "니트",
        "ko",
        1,
    )
    assert line.page.startswith("https://pages.example.com/")
    assert (line.creator, line.title, line.licence) == ("openverse creator 0", "니트 0", "CC BY-SA 4.0")
    assert line.licence_address
    assert line.time == "2026-09-21T14:13:20+00:00"


def test_no_more_is_kept_than_asked_and_no_more_fetched(server: PhotoSources, run: Run) -> None:
    (report,) = run.given([canned(server, *map(str, range(40)))], per_class=7)
    assert report.has == 7
    assert len(list((run.folder / "knit").iterdir())) == 7
    assert server.count("/p/") == 7


def test_sources_are_taken_in_turn(server: PhotoSources, run: Run) -> None:
    sources = [canned(server, *[f"{name}{n}" for n in range(30)], source=name) for name in ("a", "b", "c")]
    (report,) = run.given(sources, per_class=12)
    assert {name: tally.kept for name, tally in report.sources.items()} == {"a": 4, "b": 4, "c": 4}


def test_a_dry_source_leaves_its_turns_to_the_others(server: PhotoSources, run: Run) -> None:
    sources = [canned(server, "a0", source="a"), canned(server, *[f"b{n}" for n in range(30)], source="b")]
    (report,) = run.given(sources, per_class=12)
    assert {name: tally.kept for name, tally in report.sources.items()} == {"a": 1, "b": 11}


def test_a_class_is_searched_by_its_names_and_words_in_both_languages() -> None:
    queries = queries_of(style_axis().find("knit"))
    assert [(q.text, q.language) for q in queries] == [
        ("니트", "ko"),
        ("Knit", "en"),
        ("스웨터", "ko"),
        ("풀오버", "ko"),
        ("sweater", "en"),
        ("jumper", "en"),
        ("pullover", "en"),
    ]


@pytest.mark.parametrize("cls", load_taxonomy().axes["style"].classes, ids=lambda cls: cls.slug)
def test_every_class_has_words_in_both_languages(cls: Class) -> None:
    assert {q.language for q in queries_of(cls)} == {"ko", "en"}
    assert {q.language for q in queries_of(cls, ["en"])} == {"en"}


def test_the_folder_can_be_learned_from(server: PhotoSources, run: Run) -> None:
    run.named(server, ["openverse", "naver-hub"], ["knit", "suit"], per_class=4)
    samples = gather(PhotoFolder(run.folder, "style", "split", run.folder / "labels.csv"), load_taxonomy())
    assert sorted(s.labels["style"] for s in samples) == ["knit"] * 4 + ["suit"] * 4
    assert {s.source for s in samples} == {"openverse", "naver-hub"}
    assert "sender openverse: openverse creator 0" in {s.block for s in samples}


def test_photos_by_one_creator_or_from_one_page_share_a_sender() -> None:
    def line(creator: str, page: str, source: str = "openverse") -> LedgerLine:
        return LedgerLine(
            outcome="kept", cls="knit", source=source, address="", query="", language="", rank=1, time="",
            creator=creator, page=page,
        )  # fmt: skip

    senders = senders_of(
        [
            line("Kim", "https://a.example.com/1"),
            line("Lee", "https://a.example.com/2"),
            line("Kim", "https://a.example.com/3"),
            line("", "https://a.example.com/2"),
            line("Unknown author", ""),
            line("unknown", ""),
            line("", ""),
            line("Kim", "", source="commons"),
        ]
    )
    assert senders[0] == senders[2] == "openverse: Kim"
    assert senders[1] == senders[3] == "openverse: Lee"
    assert senders[4:7] == ["", "", ""]
    assert senders[7] == "commons: Kim"


# --- what is refused -------------------------------------------------------------------------------------------------

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><rect width="300" height="300"/></svg>'


def test_each_refusal_has_its_reason(server: PhotoSources, run: Run) -> None:
    photo = jpeg(draw("good"))
    server.pictures |= {
        "/p/svg.jpg": Reply(SVG, headers={"Content-Type": "image/svg+xml"}),
        "/p/page.jpg": Reply(b"<!doctype html><title>Not here</title>"),
        "/p/torn.jpg": Reply(photo[: len(photo) // 2]),
        "/p/tiny.jpg": Reply(jpeg(draw("tiny", 99, 300))),
        "/p/flat.jpg": Reply(jpeg(Image.new("RGB", (300, 300), "white"))),
        "/p/bomb.jpg": Reply(jpeg(Image.new("L", (3000, 3000)))),
        "/p/noai.jpg": Reply(jpeg(draw("noai")), headers={"X-Robots-Tag": "noindex, noimageai"}),
        "/p/gone.jpg": Reply(b"", 404),
        "/p/broken.jpg": Reply(b"", 500),
        "/p/short.jpg": Reply(photo, headers={"Content-Length": str(len(photo) + 500)}),
        "/p/heavy.jpg": Reply(photo + b"0" * (1 << 20)),
        "/p/away.jpg": Reply(b"", 302, {"Location": "http://10.0.0.1/a.jpg"}),
    }
    names = [path.removeprefix("/p/").removesuffix(".jpg") for path in server.pictures]
    source = canned(server, *names)
    source.photos["knit"] += founds(
        ["data:image/jpeg;base64,/9j/4AAQ" + "A" * 5000, "file:///etc/passwd", "/etc/passwd"]
    )
    source.photos["knit"] += [Found(address=f"{server.url}/p/said-small.jpg", rank=99, width=90, height=500)]
    (report,) = run.given([source], per_class=50)
    tally = report.sources["shelf"]
    assert tally.kept == 0
    assert tally.refused == {
        "not a photo": 2, "damaged": 1, "too small": 2, "one colour": 1, "too large": 1, "no AI": 1,
        "address not visited": 4,
    }  # fmt: skip
    assert tally.failed == {"status 404": 1, "status 500": 1, "did not arrive": 2}
    assert tally.found == len(names) + 4
    assert not server.count("said-small")
    assert all(line.reason and line.detail for line in lines(run))
    assert not list(run.folder.glob("*/*.jpg"))


def test_a_path_of_this_machine_is_only_read_for_a_source_that_says_so(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.jpg"
    file.write_bytes(jpeg(draw("own")))
    stranger = Canned("stranger", {"knit": founds([str(file)])})
    own = Canned("own", {"suit": founds([str(file)], local=True)})
    reports = run.given([stranger, own], ["knit", "suit"], per_class=5)
    assert [report.has for report in reports] == [0, 1]
    assert reports[0].sources["stranger"].refused == {"address not visited": 1}


@pytest.mark.parametrize(
    ("header", "forbidden"),
    [
        ("", False),
        ("noindex, nofollow", False),
        ("noai", True),
        ("noindex, NoImageAI", True),
        ("mapsi: noai", True),
        ("*: noai", True),
        ("otherbot: noai", False),
        ("otherbot: noindex, noai", False),
        ("otherbot: noindex, mapsi: noai", True),
        ("noaiplease", False),
        ("unavailable_after: 25 Jun 2027 15:00:00 PST, noai", True),
        ("unavailable_after: Friday, 25 Jun 2027 15:00:00 PST, noai", True),
        ("max-snippet:-1, max-image-preview: large, noimageai", True),
        ("otherbot: max-snippet:-1, noai", False),
        ("otherbot: noindex\nnoai", True),
    ],
)
def test_robots_rules_are_read_as_they_are_meant(header: str, forbidden: bool) -> None:
    assert forbids_learning(header) is forbidden


@given(st.text())
def test_any_robots_rule_is_read_without_an_error(header: str) -> None:
    assert forbids_learning(header) in (True, False)


def test_a_header_that_comes_twice_is_obeyed_in_both(server: PhotoSources, run: Run) -> None:
    twice = (("X-Robots-Tag", "noai"), ("X-Robots-Tag", "noarchive"))
    server.pictures["/p/a.jpg"] = Reply(jpeg(draw("a")), more=twice)
    (report,) = run.given([canned(server, "a")], per_class=1)
    assert report.sources["shelf"].refused == {"no AI": 1}


# --- what is there already -------------------------------------------------------------------------------------------


def test_twins_are_refused_across_classes(server: PhotoSources, run: Run) -> None:
    original = draw("one", 600, 800)
    server.pictures |= {
        "/p/one.jpg": Reply(jpeg(original)),
        "/p/smaller.jpg": Reply(jpeg(original.resize((300, 400)), quality=60)),
        "/p/cropped.jpg": Reply(jpeg(original.crop((8, 8, 594, 792)))),
        "/p/same.jpg": Reply(jpeg(original)),
    }
    first = canned(server, "one", "smaller")
    first.photos["suit"] = canned(server, "cropped", "same", "other", cls="suit").photos["suit"]
    knit, suit = run.given([first], ["knit", "suit"], per_class=10)
    assert (knit.has, suit.has) == (1, 1)
    assert knit.sources["shelf"].duplicate == {"twin": 1}
    assert suit.sources["shelf"].duplicate == {"twin": 1, "same file": 1}
    details = {line.detail for line in lines(run) if line.outcome == "duplicate"}
    (kept,) = (line for line in lines(run) if line.cls == "knit" and line.outcome == "kept")
    assert details == {f"It shows the same picture as knit/{kept.file}."}


def test_drawn_pictures_of_other_names_are_no_twins() -> None:
    hashes = [int(str(imagehash.phash(draw(str(n)))), 16) for n in range(100)]
    nearest = min((a ^ b).bit_count() for i, a in enumerate(hashes) for b in hashes[:i])
    assert nearest > 4  # the test's own pictures seldom look alike, and never the same


def test_an_address_is_visited_once_whoever_names_it(server: PhotoSources, run: Run) -> None:
    server.pictures["/p/tiny.jpg"] = Reply(jpeg(draw("tiny", 50, 50)))
    sources = [canned(server, "a", "tiny", "a", source=name) for name in ("x", "y")]
    for source in sources:
        source.photos["suit"] = source.photos["knit"]
    knit, suit = run.given(sources, ["knit", "suit"], per_class=10)
    assert server.asked == {"/p/a.jpg": 1, "/p/tiny.jpg": 1}
    kept = [tally.kept for report in (knit, suit) for tally in report.sources.values()]
    assert sorted(kept) == [0, 0, 0, 1]
    assert suit.sources["x"].duplicate == {"same address": 1}
    assert suit.sources["x"].refused == {"too small": 1}


# --- manners towards hosts -------------------------------------------------------------------------------------------


def test_one_host_is_asked_for_one_photo_at_a_time_and_several_hosts_at_once(
    hosts: list[PhotoSources], run: Run
) -> None:
    for host in hosts:
        host.pause = 0.05
    source = Canned("shelf", {"knit": founds([f"{hosts[n % 3].url}/p/{n}.jpg" for n in range(15)])})
    run.given([source], per_class=15)
    assert [host.most_at_once["picture"] for host in hosts] == [1, 1, 1]
    assert [host.count("/p/") for host in hosts] == [5, 5, 5]


def test_a_host_that_asks_to_wait_is_waited_for(server: PhotoSources, run: Run) -> None:
    server.trouble("picture", Reply(b"", 429, {"Retry-After": "25"}))
    (report,) = run.given([canned(server, "a", "b")], per_class=2)
    assert report.has == 2
    assert sum(run.clock.slept) == pytest.approx(25)


def test_a_host_that_wants_long_is_left_for_another_run(hosts: list[PhotoSources], run: Run) -> None:
    hosts[0].always["picture"] = Reply(b"", 429, {"Retry-After": "600"})
    addresses = [f"{hosts[n % 2].url}/p/{n}.jpg" for n in range(8)]
    source = Canned("shelf", {"knit": founds(addresses)})
    (report,) = run.given([source], per_class=8)
    assert report.has == 4
    assert hosts[0].count("/p/") == 1
    assert run.clock.slept == []
    (waiting,) = report.sources["shelf"].waiting.items()
    assert waiting[0].startswith(hosts[0].url.removeprefix("http://"))
    assert "until 20" in waiting[0]
    assert waiting[1] == 4
    assert "4 left for another run" in "\n".join(report.why())
    hosts[0].always.clear()
    (report,) = run.given([source], per_class=8)
    assert report.has == 8
    assert [path for path, count in hosts[1].asked.items() if count > 1] == []


# --- nothing ends in silence -----------------------------------------------------------------------------------------


def test_a_short_class_says_why_source_by_source(server: PhotoSources, run: Run) -> None:
    server.pictures["/p/tiny.jpg"] = Reply(jpeg(draw("tiny", 50, 50)))
    broken = Canned("broken", {}, SourceExhausted("broken", "broken gives no more.", "Go on tomorrow."))
    (report,) = run.given([canned(server, "a", "tiny"), broken], per_class=3)
    assert report.why() == [
        "knit has 1 of 3 photos.",
        "  shelf: found 2: 1 kept, 1 refused (1 too small). It has no more.",
        "  broken: found nothing. broken gives no more. Go on tomorrow.",
    ]
    written = json.loads((run.folder / "report.json").read_text("utf-8"))
    assert written["finished"] is True
    assert written["classes"]["knit"]["sources"]["broken"]["end"] == "broken gives no more. Go on tomorrow."
    assert written["classes"]["knit"]["sources"]["shelf"]["refused"] == {"too small": 1}


def test_a_class_without_any_photo_is_an_error(server: PhotoSources, run: Run) -> None:
    reports = run.given([canned(server, "a")], ["knit", "suit"], per_class=1)
    with pytest.raises(NothingCollectedError, match="suit"):
        refuse_nothing(reports)
    refuse_nothing(reports[:1])


def test_one_source_that_fails_does_not_stop_the_others(server: PhotoSources, run: Run) -> None:
    server.always["naver-hub"] = Reply(b"<html>maintenance</html>")
    server.always["openverse"] = Reply(b"", 401)
    (report,) = run.named(server, ["naver-hub", "openverse", "commons"], ["knit"], per_class=30)
    assert report.sources["commons"].kept == 30
    assert report.has == 30
    assert server.count("/v1/images/") == 1


def test_a_lasting_fault_ends_a_source_for_all_classes(server: PhotoSources, run: Run) -> None:
    spent = Canned("spent", {}, SourceExhausted("spent", "It is used up.", "Go on tomorrow."))
    _, suit = run.given([spent, canned(server, "a")], ["knit", "suit"], per_class=2)
    assert len(spent.asked) == 1
    assert suit.sources["spent"].end == "It is no longer asked: It is used up. Go on tomorrow."


def test_a_passing_fault_costs_one_query_and_the_third_in_a_row_the_source(run: Run) -> None:
    shaky = Canned("shaky", {}, SourceUnreachable("shaky", "It does not answer.", "Try again later."))
    run.given([shaky], ["knit", "suit"], per_class=2)
    assert shaky.asked == ["니트", "Knit", "스웨터"]


def test_what_a_source_gave_before_its_fault_stays(server: PhotoSources, run: Run) -> None:
    source = canned(server, "a", "b")
    source.fault = SourceUnreachable("shelf", "It does not answer.", "Try again later.")
    (report,) = run.given([source], per_class=5)
    assert report.has == 2
    assert report.sources["shelf"].end == "It does not answer. Try again later."


# --- going on --------------------------------------------------------------------------------------------------------


def test_the_same_call_again_fetches_nothing(server: PhotoSources, run: Run) -> None:
    server.stock = lambda api, text: server.items(api, text, 3)
    names = ["naver-hub", "openverse", "commons"]
    first = run.named(server, names, ["knit", "suit"], per_class=200)
    asked = dict(server.asked)
    second = run.named(server, names, ["knit", "suit"], per_class=200)
    assert dict(server.asked) == asked | {path: n for path, n in server.asked.items() if "auth_tokens" in path}
    assert [r.to_json() for r in second] == [r.to_json() for r in first]


def test_more_can_be_asked_of_a_folder_later(server: PhotoSources, run: Run) -> None:
    run.named(server, ["naver-hub"], ["knit"], per_class=3)
    (report,) = run.named(server, ["naver-hub"], ["knit"], per_class=6)
    assert report.has == 6
    assert server.twice() == []


def test_photos_that_failed_are_tried_again_only_when_asked(server: PhotoSources, run: Run) -> None:
    server.pictures["/p/a.jpg"] = Reply(b"", 500)
    source = canned(server, "a")
    run.given([source], per_class=1)
    del server.pictures["/p/a.jpg"]
    assert run.given([source], per_class=1)[0].has == 0
    (report,) = run.given([source], per_class=1, failed_again=True)
    assert report.has == 1
    assert not report.sources["shelf"].failed


def test_a_photo_that_a_person_took_away_does_not_come_back(server: PhotoSources, run: Run) -> None:
    source = canned(server, "a", "b", "c")
    run.given([source], per_class=2)
    taken = min((run.folder / "knit").iterdir())
    taken.unlink()
    (report,) = run.given([source], per_class=2)
    assert report.has == 2
    assert not taken.exists()
    assert server.twice() == []
    assert len(read_labels(run.folder / "labels.csv")) == 2


def test_a_photo_that_a_person_moved_counts_where_it_lies(server: PhotoSources, run: Run) -> None:
    source = canned(server, "a", "b", "c")
    run.given([source], ["knit", "suit"], per_class=2)
    moved = min((run.folder / "knit").iterdir())
    (run.folder / "suit").mkdir(exist_ok=True)
    shutil.move(moved, run.folder / "suit")
    knit, suit = run.given([source], ["knit", "suit"], per_class=2)
    assert (knit.has, suit.has) == (2, 1)
    assert read_labels(run.folder / "labels.csv")[f"suit/{moved.name}"]["label"] == "suit"


def test_a_photo_of_ones_own_among_them_is_left_alone(server: PhotoSources, run: Run) -> None:
    (run.folder / "knit").mkdir(parents=True)
    own = run.folder / "knit" / "mine.jpg"
    own.write_bytes(b"mine")
    (report,) = run.given([canned(server, "a")], per_class=1)
    assert report.has == 1
    assert own.read_bytes() == b"mine"


def test_a_photo_that_lost_its_content_with_the_power_is_fetched_again(server: PhotoSources, run: Run) -> None:
    source = canned(server, "a", "b")
    run.given([source], per_class=2)
    lost = min((run.folder / "knit").iterdir())
    lost.write_bytes(b"")
    (report,) = run.given([source], per_class=2)
    assert report.has == 2
    assert lost.stat().st_size


def test_two_collections_do_not_share_a_folder(run: Run) -> None:
    with held(run.folder), pytest.raises(FolderBusyError), held(run.folder):
        pass


def test_a_file_is_no_folder(run: Run) -> None:
    run.folder.write_text("")
    with pytest.raises(UsageError), held(run.folder):
        pass


def test_a_source_may_put_its_browser_away_when_a_class_is_done(server: PhotoSources, run: Run) -> None:
    class Holding:
        name = "holding"
        closed = 0

        def search(self, _: object) -> Iterator[Found]:
            try:
                for n in range(100):
                    yield Found(address=f"{server.url}/p/{n}.jpg", rank=n + 1)
            finally:
                self.closed += 1

    source = Holding()
    used: Source = source
    run.given([used], per_class=2)
    assert source.closed == 1
    assert query().cls.slug == "knit"
