"""Behind a proxy: a real nginx with the configuration we give out, and with those that people have."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chromium import on_a_port
from mapsi.web.request.clients import client_of
from mapsi.web.server.refused import _KOREAN
from nginx import HOST, Change, Visitor, run_nginx
from operated import EMAIL, PASSWORD, Desk
from served import Probe, eventually, serving
from servers import free_port

BUSY = "There are more requests than can be answered at once. Try again in a moment."
PROXIED = {"trusted_proxies": 1, "behind_tls": True}


def as_given(text: str) -> str:
    return text


def with_nginx_own_host(text: str) -> str:
    """What most people write: two headers, and the Host that nginx sends by itself."""
    kept = ("X-Forwarded-For", "X-Forwarded-Proto")
    lines = [line for line in text.splitlines() if "proxy_set_header" not in line or any(name in line for name in kept)]
    return "\n".join(lines)


def under_a_path(text: str) -> str:
    moved = text.replace("location / {", "location /mapsi/ {").replace(":8000;", ":8000/;")
    return moved.replace('X-Forwarded-Prefix ""', "X-Forwarded-Prefix /mapsi")


def under_a_path_without_a_slash(text: str) -> str:
    """``location /mapsi`` with a slash behind the server: we are asked for ``//search``."""
    return under_a_path(text).replace("location /mapsi/ {", "location /mapsi {")


def under_a_path_that_is_passed_on(text: str) -> str:
    """No slash behind the server: we are asked for ``/mapsi/search``."""
    return under_a_path(text).replace(":8000/;", ":8000;")


def with_many_habits(text: str) -> str:
    """Kept connections to us, nothing buffered, answers packed by nginx, slashes and lists as they come."""
    server = "upstream shop { server 127.0.0.1:8000; keepalive 4; }\nmerge_slashes off; gzip on; gzip_proxied any;\n"
    passed = text.replace("http://127.0.0.1:8000;", "http://shop;").replace(
        "server_tokens off;", "proxy_buffering off;"
    )
    return server + passed.replace("X-Forwarded-For $remote_addr;", "X-Forwarded-For $proxy_add_x_forwarded_for;")


def with_ports(text: str) -> str:
    return text.replace("X-Forwarded-For $remote_addr;", "X-Forwarded-For $remote_addr:$remote_port;")


@pytest.fixture
def probe() -> Iterator[Probe]:
    made = Probe()
    yield made
    made.release.set()


def photo(side: int = 64) -> bytes:
    stream = io.BytesIO()
    noise = np.random.default_rng(3).integers(0, 255, (side, side, 3), np.uint8)
    Image.fromarray(noise).save(stream, "JPEG", quality=95)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (as_given, ""),
        (with_nginx_own_host, ""),
        (under_a_path, "/mapsi"),
        (under_a_path_without_a_slash, "/mapsi"),
        (under_a_path_that_is_passed_on, "/mapsi"),
        (with_many_habits, ""),
        (with_ports, ""),
    ],
)
def test_every_form_works_through_nginx(desk: Desk, tmp_path: Path, change: Change, path: str) -> None:
    served = on_a_port(desk.app(**PROXIED))
    with served as upstream, run_nginx(tmp_path, int(upstream.rpartition(":")[2]), change) as port:
        visitor = Visitor(port)
        status, there, said = visitor.send(f"{path}/", f"{path}/search/photo", photo(), "image/jpeg")
        assert (status, there.startswith(f"{path}/photo/")) == (303, True), said
        status, _, page = visitor.ask("GET", there)
        assert status == 200
        links = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
        assert links
        assert all(link.startswith(f"{path}/") for link in links)
        assert visitor.ask("GET", next(link for link in links if "photo.jpg" in link))[0] == 200
        assert visitor.send(there, f"{there}/forget")[:2] == (303, f"{path}/")
        form = f"{path}/account/login"
        assert visitor.send(form, form, email=EMAIL, password=PASSWORD)[:2] == (303, f"{path}/operator")
        assert visitor.send(f"{path}/operator", f"{path}/account/logout")[:2] == (303, form)


def test_a_photo_passes_through_nginx_without_a_file(desk: Desk, tmp_path: Path) -> None:
    """nginx here has no folder to write a body to: one that it wanted to keep would be a 500."""
    large = photo(1400)
    assert len(large) > 2_000_000
    with on_a_port(desk.app(**PROXIED)) as upstream, run_nginx(tmp_path, int(upstream.rpartition(":")[2])) as port:
        assert Visitor(port).send("/", "/search/photo", large, "image/jpeg")[0] == 303


@pytest.mark.parametrize(
    ("path", "cookie", "says"), [("/" + "a" * 20_000, "", "주소"), ("/", "a" * 20_000, "cookies are too long")]
)
def test_what_is_too_long_for_nginx_is_said_in_both_languages(
    probe: Probe, tmp_path: Path, path: str, cookie: str, says: str
) -> None:
    with serving(probe.app()) as served, run_nginx(tmp_path, served.port) as port:
        status, _, told = Visitor(port).ask("GET", path, Cookie=f"a={cookie}")
        assert (status, says in told, "<html" in told) == (414, True, False)


def test_who_has_the_share_of_one_client_is_told_so_in_both_languages(probe: Probe, tmp_path: Path) -> None:
    def one_each(text: str) -> str:
        return text.replace("limit_conn mapsi_clients 100", "limit_conn mapsi_clients 1")

    with serving(probe.app(), threads=2) as served, run_nginx(tmp_path, served.port, one_each) as port:
        waiting = threading.Thread(target=Visitor(port).ask, args=("GET", "/wait"))
        waiting.start()
        assert eventually(lambda: probe.begun == ["/wait"])
        status, _, told = Visitor(port).ask("GET", "/")
        probe.release.set()
        waiting.join()
        assert (status, told) == (503, f"{_KOREAN['busy']}\n{BUSY}\n")


def test_what_nginx_answers_by_itself_is_said_in_both_languages(desk: Desk, tmp_path: Path) -> None:
    with on_a_port(desk.app(**PROXIED)) as upstream, run_nginx(tmp_path, int(upstream.rpartition(":")[2])) as port:
        status, _, told = Visitor(port).ask("POST", "/search/photo", Content_Length=str(18 << 20))
        assert (status, told) == (413, _told_by_the_server("photo_too_large"))
        assert "There is nothing here" in Visitor(port).ask("GET", "/nothing", Accept_Language="en")[2]
    folder = tmp_path / "away"
    folder.mkdir()
    with run_nginx(folder, free_port()) as port:
        status, _, told = Visitor(port).ask("GET", "/")
        assert (status, "잠시 뒤에" in told, "Try again soon" in told) == (503, True, True)


def _told_by_the_server(code: str) -> str:
    """The same as without nginx in front."""
    return f"{_KOREAN[code]}\nThe request is larger than the service accepts. Send a smaller photo.\n"


@pytest.fixture
def proxied(desk: Desk, tmp_path: Path) -> Iterator[Visitor]:
    served = on_a_port(desk.app(**PROXIED))
    with served as upstream, run_nginx(tmp_path, int(upstream.rpartition(":")[2]), with_many_habits) as port:
        yield Visitor(port)


def test_unusual_requests_through_nginx_are_answered_as_usual_ones(proxied: Visitor) -> None:
    usual = proxied.ask("GET", "/search?q=knit")
    assert usual[0] == 200
    for headers in (
        {"Upgrade": "websocket", "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Version": "13"},
        {"Upgrade": "h2c", "HTTP2_Settings": "AAMAAABkAARAAAAAAAIAAAAA"},
        {"Expect": "100-continue"},
        {"Range": "bytes=0-10"},
        {"Cookie": "; ".join(f"c{n}={n}" for n in range(200))},
        {"X_Forwarded_Host": "evil.example", "X_Forwarded_Prefix": "/evil", "Forwarded": "host=evil.example"},
        {"X_HTTP_Method_Override": "DELETE", "X_Original_URL": "/operator", "X_Rewrite_URL": "/operator"},
    ):
        status, _, page = proxied.ask("GET", "/search?q=knit", **headers)
        assert (status, "evil" in page) == (200, False)
    assert proxied.ask("HEAD", "/search?q=knit") == (200, "", "")
    assert proxied.ask("OPTIONS", "/search?q=knit")[0] == 200


@pytest.mark.parametrize("path", ["//", "//search?q=knit"])
def test_slashes_too_many_lead_to_the_page(proxied: Visitor, path: str) -> None:
    assert proxied.ask("GET", path)[0] in (200, 308)


@pytest.mark.parametrize(
    "path",
    ["/static/..%2f..%2fapp.py", "/%2e%2e/etc/passwd", "/static/../../etc/passwd", "/%00", "/product/1%2f2", "/\\evil.example",
     "/search?q=" + "x" * 5000, "/" + "x" * 9000, "/product/99999999999999999999", "/a%0d%0aSet-Cookie:x=1"],
)  # fmt: skip
def test_paths_that_lead_nowhere_are_refused(proxied: Visitor, path: str) -> None:
    assert proxied.ask("GET", path)[0] in (400, 404, 414)


def test_a_photo_in_pieces_through_nginx_is_a_photo(proxied: Visitor) -> None:
    head = (
        b'--cut\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    )
    whole = head + photo() + b"\r\n--cut--\r\n"
    pieces = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (whole[:100], whole[100:])) + b"0\r\n\r\n"
    kind = {"Content_Type": "multipart/form-data; boundary=cut"}
    for body, how in ((whole, {}), (whole, {"Expect": "100-continue"}), (pieces, {"Transfer_Encoding": "chunked"})):
        status, _, said = proxied.ask("POST", "/api/v1/search/image", body, **kind, **how)
        assert status == 200, said


def test_the_address_that_visitors_see_is_the_one_in_answers(desk: Desk, tmp_path: Path) -> None:
    with on_a_port(desk.app(**PROXIED)) as upstream, run_nginx(tmp_path, int(upstream.rpartition(":")[2])) as port:
        answer = Visitor(port).ask("GET", "/api/v1/search/words?q=coat")[2]
    assert f"https://{HOST}/" in answer
    assert "127.0.0.1" not in answer


def test_a_client_is_counted_once_whatever_port_its_proxy_tells(desk: Desk) -> None:
    client = desk.app(**PROXIED, words_rate="3 per minute").test_client()
    asked = [{"X-Forwarded-For": f"203.0.113.9:4000{i}"} for i in range(6)]
    statuses = [client.get("/api/v1/search/words?q=knit", headers=headers).status_code for headers in asked]
    assert statuses == [200, 200, 200, 429, 429, 429]


def test_one_ipv6_network_is_one_client(desk: Desk) -> None:
    client = desk.app(**PROXIED, words_rate="1 per minute").test_client()

    def ask(address: str) -> int:
        return client.get("/api/v1/search/words?q=knit", headers={"X-Forwarded-For": address}).status_code

    assert [ask(one) for one in ("2001:db8::1", "[2001:db8::2]:443", "2001:db8:0:1::1")] == [200, 429, 200]


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]:80", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        ("_hidden", "unknown"),
    ],
)
def test_a_client_is_an_address_without_its_port_or_an_ipv6_network(said: str, client: str) -> None:
    assert client_of(said) == client


@given(st.text(max_size=60))
def test_any_address_is_some_client(said: str) -> None:
    assert client_of(said)


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "<x>", "user@evil.example", "shop.example.com, <x>"])
def test_a_malformed_host_is_not_believed(desk: Desk, host: str) -> None:
    answer = desk.app(**PROXIED).test_client().get("/api/v1/search/words?q=coat", headers={"X-Forwarded-Host": host})
    assert answer.status_code == 200
    assert "localhost" in answer.text


@pytest.mark.parametrize("prefix", ["//evil.example", "/a/../b", "mapsi", "/%2f", '/"x', "/a//b"])
def test_a_malformed_path_is_not_believed(desk: Desk, prefix: str) -> None:
    page = desk.app(**PROXIED).test_client().get("/", headers={"X-Forwarded-Prefix": prefix})
    assert 'action="/search/photo"' in page.text


@pytest.fixture
def browser(desk: Desk) -> FlaskClient:
    return desk.app().test_client()


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 400), ("same-site", 400), ("same-origin", 303), ("none", 303)]
)
def test_a_form_that_another_site_sends_is_refused(browser: FlaskClient, site: str, status: int) -> None:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/").text)
    assert found is not None
    fields = {"csrf_token": found[1], "photo": (io.BytesIO(photo()), "a.jpg")}
    answer = browser.post("/search/photo", data=fields, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == status


@pytest.mark.parametrize("host", ["x" * 300, ".", "a..b"])
@pytest.mark.parametrize("path", ["/", "/search?q=x", "/api/v1/search/words?q=x"])
def test_a_host_that_is_none_is_a_bad_request_and_no_fault_of_ours(browser: FlaskClient, host: str, path: str) -> None:
    assert browser.get(path, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    ("asked", "status", "length"),
    [
        ("bytes=0-9", 206, 10),
        ("bytes=-5", 206, 5),
        ("bytes=0-1,5-6", 200, None),
        ("bytes=a-b", 200, None),
        ("bytes=5-1", 200, None),
        ("lines=1-2", 200, None),
        ("bytes=" + "9" * 400 + "-", 200, None),
    ],
)
def test_a_part_of_a_file_is_sent_where_one_is_asked_for(
    browser: FlaskClient, asked: str, status: int, length: int | None
) -> None:
    with browser.get("/static/mapsi.css") as whole, browser.get("/static/mapsi.css", headers={"Range": asked}) as part:
        assert (part.status_code, len(part.data)) == (status, length or len(whole.data))
