"""The source google: pages of our own with Google's structure, read by a real headless Chromium on loopback."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver import Chrome

from chromium import chromium_is_installed
from google_site import OLD, TBN, Look, Result, Site, consent_page, open_site, results_page
from mapsi.collect.browser import Programs, open_browser
from mapsi.collect.faults import SourceChanged, SourceRefused, SourceUnreachable
from mapsi.collect.google.page import is_gone
from mapsi.collect.google.source import GoogleImages
from mapsi.collect.google.walk import WalkLimits
from mapsi.collect.source import Found, Query
from mapsi.taxonomy import load_taxonomy
from servers import free_port, require

KNIT = load_taxonomy().find("style").find("knit")
QUICK = WalkLimits(page=1.5, picture=0.7, between=0, scroll=0.12, scrolls=3, misses=4)
PICTURES = "https://pictures.example.com"


@pytest.fixture(scope="module")
def driver() -> Iterator[Chrome]:
    require(chromium_is_installed(), "chromium and chromium-driver")
    with open_browser(Programs.find(), hosts=["127.0.0.1"]) as opened:
        yield opened


@pytest.fixture(scope="module")
def _site() -> Iterator[Site]:
    with open_site() as site:
        yield site


@pytest.fixture
def site(_site: Site, driver: Chrome) -> Site:
    driver.delete_all_cookies()
    _site.asked.clear()
    return _site


@pytest.fixture
def google(site: Site, driver: Chrome, tmp_path: Path) -> GoogleImages:
    return make_google(site, driver, tmp_path)


def make_google(site: Site, driver: Chrome, evidence: Path, **changes: Any) -> GoogleImages:
    values: dict[str, Any] = {"limits": QUICK, "base": site.address, **changes}
    return GoogleImages(terms_accepted=True, evidence=evidence, open_driver=lambda: nullcontext(driver), **values)


def asked(words: str) -> Query:
    return Query(text=words, language="en", cls=KNIT)


def search(google: GoogleImages, words: str) -> list[Found]:
    return list(google.search(asked(words)))


def addresses(found: list[Found]) -> list[str]:
    return [one.address for one in found]


def test_each_result_gives_its_picture_its_page_its_caption_and_its_rank(site: Site, google: GoogleImages) -> None:
    site.looks["knits"] = Look(
        (
            Result(f"{PICTURES}/1.jpg", "https://one.example.com/a", "첫째 니트"),
            Result(f"{PICTURES}/2.jpg?w=900&h=2", "https://two.example.com/b", "Second"),
        )
    )
    assert search(google, "knits") == [
        Found(address=f"{PICTURES}/1.jpg", rank=1, page="https://one.example.com/a", title="첫째 니트"),
        Found(address=f"{PICTURES}/2.jpg?w=900&h=2", rank=2, page="https://two.example.com/b", title="Second"),
    ]
    assert google.skipped == []


def test_the_pages_language_is_pinned_whatever_language_the_words_are_in(site: Site, google: GoogleImages) -> None:
    site.looks["린넨 셔츠"] = Look((Result(f"{PICTURES}/1.jpg"),))
    search(google, "린넨 셔츠")
    assert site.asked == [{"q": "린넨 셔츠", "udm": "2", "hl": "en", "safe": "active"}]


def test_a_picture_that_comes_late_is_waited_for(site: Site, google: GoogleImages) -> None:
    site.looks["late"] = Look(tuple(Result(f"{PICTURES}/{n}.jpg", late=400) for n in range(3)))
    assert addresses(search(google, "late")) == [f"{PICTURES}/{n}.jpg" for n in range(3)]


@pytest.mark.parametrize("thumbnail", ["data:image/gif;base64,R0lGODlhAQABAAAAACw=", f"{TBN}abc"])
def test_a_thumbnail_is_never_taken_for_the_picture(site: Site, google: GoogleImages, thumbnail: str) -> None:
    site.looks["thumbs"] = Look(
        (
            Result(f"{PICTURES}/1.jpg", thumbnail=thumbnail, late=150),
            Result("", thumbnail=thumbnail),
            Result(f"{TBN}larger", thumbnail=thumbnail),
            Result(f"{PICTURES}/4.jpg", thumbnail=thumbnail),
        )
    )
    assert [(one.rank, one.address) for one in search(google, "thumbs")] == [
        (1, f"{PICTURES}/1.jpg"),
        (4, f"{PICTURES}/4.jpg"),
    ]
    assert [(skipped.rank, skipped.reason) for skipped in google.skipped] == [
        (2, "the panel showed nothing but the thumbnail"),
        (3, "the panel showed nothing but the thumbnail"),
    ]


def test_a_favicon_is_taken_neither_for_the_thumbnail_nor_for_the_picture(site: Site, google: GoogleImages) -> None:
    site.looks["icons"] = Look((Result(f"{PICTURES}/1.jpg", favicon=True), Result("https://x.example.com/favicon.ico")))
    assert addresses(search(google, "icons")) == [f"{PICTURES}/1.jpg"]


def test_a_result_without_a_page_address_is_kept_without_one(site: Site, google: GoogleImages) -> None:
    site.looks["pageless"] = Look(
        (Result(f"{PICTURES}/1.jpg", page=""), Result(f"{PICTURES}/2.jpg", page="javascript:x"))
    )
    assert [(one.address, one.page) for one in search(google, "pageless")] == [
        (f"{PICTURES}/1.jpg", ""),
        (f"{PICTURES}/2.jpg", ""),
    ]


def test_the_same_picture_twice_is_given_once(site: Site, google: GoogleImages) -> None:
    twice = Result(f"{PICTURES}/1.jpg")
    site.looks["twice"] = Look((twice, twice, Result(f"{PICTURES}/2.jpg"), twice))
    assert [(one.rank, one.address) for one in search(google, "twice")] == [
        (1, f"{PICTURES}/1.jpg"),
        (3, f"{PICTURES}/2.jpg"),
    ]
    assert {skipped.reason for skipped in google.skipped} == {"the picture was already among the results"}


def test_a_picture_that_the_page_takes_back_is_still_known(site: Site, google: GoogleImages) -> None:
    site.looks["back"] = Look(tuple(Result(f"{PICTURES}/{n}.jpg", late=50) for n in range(3)), takes_back=True)
    assert addresses(search(google, "back")) == [f"{PICTURES}/{n}.jpg" for n in range(3)]


def test_a_neighbours_picture_that_is_loaded_ahead_is_not_taken_for_the_one_clicked(
    site: Site, google: GoogleImages
) -> None:
    results = tuple(Result(f"{PICTURES}/{n}.jpg", page=f"https://shop{n}.example.com/") for n in range(4))
    site.looks["ahead"] = Look(results, preloads_next=True)
    assert [(one.address, one.page) for one in search(google, "ahead")] == [(r.picture, r.page) for r in results]


def test_related_pictures_in_the_panel_are_no_results(site: Site, google: GoogleImages) -> None:
    site.looks["related"] = Look(tuple(Result(f"{PICTURES}/{n}.jpg") for n in range(3)), related=5)
    found = search(google, "related")
    assert [one.rank for one in found] == [1, 2, 3]


@pytest.mark.parametrize("more_button", [False, True])
def test_a_page_without_an_end_is_scrolled_as_far_as_it_goes(
    site: Site, google: GoogleImages, more_button: bool
) -> None:
    results = tuple(Result(f"{PICTURES}/{n}.jpg") for n in range(9))
    site.looks["endless"] = Look(results, at_once=4, more_button=more_button)
    assert addresses(search(google, "endless")) == [result.picture for result in results]
    assert ("more" in google.matched) is more_button


def test_no_more_results_are_read_than_the_limit_allows(site: Site, driver: Chrome, tmp_path: Path) -> None:
    site.looks["many"] = Look(tuple(Result(f"{PICTURES}/{n}.jpg") for n in range(30)), at_once=5)
    assert len(search(make_google(site, driver, tmp_path, limit=7), "many")) == 7


def test_no_more_is_clicked_than_is_wanted(site: Site, google: GoogleImages, driver: Chrome) -> None:
    site.looks["lazy"] = Look(tuple(Result(f"{PICTURES}/{n}.jpg") for n in range(30)), at_once=5)
    wanted = google.search(asked("lazy"))
    assert [next(wanted).rank for _ in range(2)] == [1, 2]
    assert driver.execute_script("return document.querySelectorAll('#grid > div').length") == 5
    wanted.close()  # type: ignore[attr-defined]


def test_the_same_search_gives_the_same_results_in_the_same_order(site: Site, google: GoogleImages) -> None:
    site.looks["again"] = Look(tuple(Result(f"{PICTURES}/{n}.jpg") for n in range(5)))
    assert search(google, "again") == search(google, "again")


# --- consent ----------------------------------------------------------------------------------------------------------

BUTTONS = {
    "English": ("<button name=a>Settings</button>", "<button>Reject all</button>", "<button>Accept all</button>"),
    "Korean": ("<button name=a>옵션 더보기</button>", "<button>모두 수락</button>"),
    "a value in German": ("<input type=submit name=a value=Mehr>", "<input type=submit value='Alle akzeptieren'>"),
    "an unknown language, by its id": ("<button name=a>Ukweli</button>", "<button id=L2AGLb>Kubali yote</button>"),
}


@pytest.mark.parametrize("language", BUTTONS)
def test_the_consent_page_is_answered_in(site: Site, google: GoogleImages, language: str) -> None:
    site.consents["consent"] = consent_page("consent", *BUTTONS[language])
    site.looks["consent"] = Look((Result(f"{PICTURES}/1.jpg"),))
    assert addresses(search(google, "consent")) == [f"{PICTURES}/1.jpg"]
    assert len(site.asked) == 2


def test_a_consent_page_whose_buttons_are_unknown_is_named_as_that(
    site: Site, google: GoogleImages, tmp_path: Path
) -> None:
    site.consents["foreign"] = consent_page("foreign", "<button>Ukweli</button>", "<button>Kubali yote</button>")
    with pytest.raises(SourceChanged, match=r"\(consent\)"):
        search(google, "foreign")
    assert "Kubali yote" in next(tmp_path.glob("*-consent.html")).read_text("utf-8")


# --- changed pages ----------------------------------------------------------------------------------------------------


def test_an_older_page_is_read_by_the_older_selectors_which_are_reported(site: Site, google: GoogleImages) -> None:
    old = Look(
        (Result(f"{PICTURES}/1.jpg"), Result(f"{PICTURES}/2.jpg", late=100)),
        OLD.cell,
        OLD.thumbnail,
        OLD.panel,
        OLD.picture,
    )
    site.looks["old"] = old
    assert addresses(search(google, "old")) == [f"{PICTURES}/1.jpg", f"{PICTURES}/2.jpg"]
    assert {piece: way.css for piece, way in google.matched.items()} == {
        "cell": "div.isv-r",
        "thumbnail": "img.rg_i.Q4LuWd",
        "picture": "img.n3VNCb",
    }


def test_class_names_may_change_while_the_structure_stays(site: Site, google: GoogleImages) -> None:
    site.looks["renamed"] = Look(
        (Result(f"{PICTURES}/1.jpg"),), cell='class="XyZ12" jsname="dTDiAc"', picture='class="abc"'
    )
    assert addresses(search(google, "renamed")) == [f"{PICTURES}/1.jpg"]


@pytest.mark.parametrize(
    ("piece", "look"),
    [
        ("cells", Look((Result(f"{PICTURES}/1.jpg"),), cell='class="brand-new"')),
        ("thumbnail", Look((Result(f"{PICTURES}/1.jpg"),) * 6, thumbnail='class="brand-new"')),
        ("panel", Look((Result(f"{PICTURES}/1.jpg"),) * 6, panel='class="new"', picture='class="new"')),
        ("full picture", Look((Result(""),) * 6)),
        ("full picture", Look((Result(""),))),
    ],
    ids=["cells", "thumbnail", "panel", "full picture", "a single result without a picture"],
)
def test_a_page_that_no_selector_fits_any_more_is_named_by_its_piece_and_kept_for_a_look(
    site: Site, google: GoogleImages, tmp_path: Path, piece: str, look: Look
) -> None:
    site.looks["changed"] = look
    with pytest.raises(SourceChanged) as raised:
        search(google, "changed")
    assert f"({piece})" in raised.value.message
    assert raised.value.source == "google"
    html, png = next(tmp_path.glob("*.html")), next(tmp_path.glob("*.png"))
    assert str(html.with_suffix("")) in raised.value.hint
    assert 'id="grid"' in html.read_text("utf-8")
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_page_that_breaks_midway_keeps_what_was_found_before(site: Site, google: GoogleImages) -> None:
    good = tuple(Result(f"{PICTURES}/{n}.jpg") for n in range(3))
    site.looks["breaks"] = Look(good + (Result(""),) * 10)
    wanted = google.search(asked("breaks"))
    assert [next(wanted).address for _ in good] == [result.picture for result in good]
    with pytest.raises(SourceChanged, match=r"\(full picture\): 4 results in a row"):
        next(wanted)


def test_a_few_results_without_a_picture_do_not_end_the_search(site: Site, google: GoogleImages) -> None:
    site.looks["gaps"] = Look((Result(""), Result(""), Result(""), Result(f"{PICTURES}/4.jpg")))
    assert [one.rank for one in search(google, "gaps")] == [4]


@pytest.mark.parametrize(
    "text",
    [
        "<p>Your search - <em>qwxz</em> - did not match any image results.</p><p>Suggestions:</p>",
        "<p>qwxz와(과) 일치하는 이미지 검색결과가 없습니다.</p>",
    ],
)
def test_an_empty_page_is_an_honest_zero(site: Site, google: GoogleImages, text: str, tmp_path: Path) -> None:
    site.pages["nothing"] = f"<!doctype html><meta charset=utf-8><div class='card-section'>{text}</div>"
    assert search(google, "nothing") == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["sorry", "captcha", "told"])
def test_the_page_that_asks_whether_a_person_is_there_is_named_as_that(
    site: Site, google: GoogleImages, tmp_path: Path, words: str
) -> None:
    site.pages["captcha"] = "<form id=captcha-form><input name=g-recaptcha-response></form>"
    site.pages["told"] = "<p>Our systems have detected unusual traffic from your computer network.</p>"
    with pytest.raises(SourceRefused, match="unusual traffic"):
        search(google, words)
    assert len(list(tmp_path.glob("*-unusual-traffic.*"))) == 2


def test_a_caption_that_speaks_of_unusual_traffic_is_only_a_caption(site: Site, google: GoogleImages) -> None:
    page = results_page(Look((Result(f"{PICTURES}/1.jpg"),)))
    site.pages["caption"] = page.replace(
        '<div id="end">', '<p>unusual traffic from your computer network</p><div id="end">'
    )
    assert addresses(search(google, "caption")) == [f"{PICTURES}/1.jpg"]


def test_a_server_that_is_not_there_is_unreachable(site: Site, driver: Chrome, tmp_path: Path) -> None:
    google = make_google(site, driver, tmp_path, base=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(SourceUnreachable, match="ERR_CONNECTION_REFUSED"):
        search(google, "knits")


# --- what the browser may reach ---------------------------------------------------------------------------------------


@pytest.fixture
def stranger() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback under a name that the browser was not told, and what it was asked for."""
    hits: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}", hits
        finally:
            server.shutdown()
            thread.join()


def test_the_browser_leaves_the_pictures_own_servers_in_peace(
    site: Site, google: GoogleImages, stranger: tuple[str, list[str]]
) -> None:
    server, hits = stranger
    site.looks["peace"] = Look(tuple(Result(f"{server}/{n}.jpg") for n in range(3)), takes_back=True)
    assert addresses(search(google, "peace")) == [f"{server}/{n}.jpg" for n in range(3)]
    assert hits == []


@pytest.mark.parametrize(
    ("fault", "gone"),
    [
        (StaleElementReferenceException("stale element not found"), True),
        (WebDriverException("unhandled inspector error: Node with given id does not belong to the document"), True),
        (WebDriverException("chrome not reachable"), None),
    ],
)
def test_a_page_that_goes_while_it_is_looked_at_is_gone_and_a_lost_browser_is_not(
    fault: WebDriverException, gone: bool | None
) -> None:
    class Element:
        def is_displayed(self) -> bool:
            raise fault

    if gone is None:
        with pytest.raises(WebDriverException, match="not reachable"):
            is_gone(Element())  # type: ignore[arg-type]
    else:
        assert is_gone(Element()) is gone  # type: ignore[arg-type]
