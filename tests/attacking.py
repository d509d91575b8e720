"""Attacks on a server of one's own: whatever is sent, it is refused in a sentence and nobody else waits.

Everything goes to 127.0.0.1, in loops that are bounded in number and time. ``benchmarks/attack.py`` prints them as a
table, ``test_attack.py`` plays the short form.
"""

from __future__ import annotations

import http.client
import io
import random
import re
import socket
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlencode

from PIL import Image

from attacked import HOST, PATIENCE, Outcome, Target, attackable
from hostile import HEIC, folded_heic, striped_tiff, tiled_tiff
from killing import kill_and_check, start_catalog
from small_house import photo_bytes, photo_form
from test_imaging_attacks import chunk, with_scans, written

ADDRESSES = """
    http://127.0.0.1:{port}/ http://localhost:{port}/ http://2130706433:{port}/ http://0x7f000001:{port}/
    http://0177.0.0.1:{port}/ http://127.1:{port}/ http://[::1]:{port}/ http://[::ffff:127.0.0.1]:{port}/
    http://0.0.0.0:{port}/ http://a@127.0.0.1:{port}/ http://169.254.169.254/ http://10.0.0.1/ http://192.168.0.1/
    http://100.64.0.1/ http://[64:ff9b::7f00:1]/ http://[2002:7f00:1::]/ http://[fe80::1]/ file:///etc/passwd
    gopher://127.0.0.1:{port}/ ftp://127.0.0.1/ javascript:alert(1) //127.0.0.1:{port}/
"""
FORMS = """
    /search/photo /search/address /search/example /photo/x/forget /share /saved/1 /account/login /account/logout
    /account/password /account/delete /operator/index /operator/sources/a/refresh
"""
QUESTIONS = (
    "/search?q={}",
    "/api/v1/search/words?q={}",
    "/api/v1/search/words?q=a&page={}",
    "/product/{}",
    "/pictures/{}.webp",
    "/{}",
)
NO_REQUESTS = (b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"\x16\x03\x01", b"")
CHUNKED = b"POST /search/photo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
WITHOUT_END = (  # what a request begins with, and what then comes again and again
    (CHUNKED + b"0\r\n", b"X-Trailer: a\r\n" * 5000),
    (CHUNKED + b"5;", b"a" * 65_536),
    (CHUNKED, b"1\r\na\r\n" * 12_000),
    (b"GET / HTTP/1.1\r\n", b"X-Head: a\r\n" * 6000),
    (b"", b"GET /search?q=a HTTP/1.1\r\nHost: a\r\n\r\n" * 2000),
    (b"POST /search/photo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", b"a" * 65_536),
)
LARGE = 6320  # pixels of a side: 40 million in all
URLENCODED = "application/x-www-form-urlencoded"


def everything(target: Target, chance: random.Random, times: int) -> Iterator[Outcome]:
    """Each kind of attack, ``times`` as much of it as in the short form; the last one ends the server."""
    yield send_pictures(target, times)
    side = 700 if times == 1 else LARGE
    yield send_large_ones_at_once(target, min(2 * times, 8), side)
    yield send_bombs(target, min(20 * times, 200), side)
    yield damage_pictures(target, 10 * times, chance)
    yield open_slowly(target, min(50 * times, 500), 1 if times == 1 else 15)
    yield send_noise(target, 20 * times, chance)
    yield send_without_end(target, len(WITHOUT_END) * times)
    yield forge_forms(target)
    yield name_private_addresses(target)
    yield ask_oddly(target, 20 * times, chance)
    yield stop_while_uploading(target, min(10 * times, 100))


def hostile_pictures() -> list[bytes]:
    """Pictures that cost more than they weigh, and files that only say that they are pictures."""
    jpeg = photo_bytes()
    wide = io.BytesIO()
    Image.new("RGB", (70_000, 1)).save(wide, "PNG")
    return [
        with_scans(800),
        with_scans(20_000),
        jpeg[:2] + b"\xff\xfe\x00\x02" * 3_000_000 + jpeg[2:],
        _png(20_000, 20_000),
        _png(60_000, 60_000),
        _png(2**31 - 1, 2**31 - 1),
        wide.getvalue(),
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        b"",
        b"\x00" * 100_000,
        jpeg[:200],
        b"SIMPLE  =                    T" + b" " * 2850,
    ]


def endless_pictures() -> list[bytes]:
    """Pictures that are decoded until somebody ends it; each takes as long as that takes."""
    return [folded_heic(HEIC, 20, 30), striped_tiff(3_500_000)]


def _png(width: int, height: int) -> bytes:
    """A picture of one bit a pixel that says it is large, and is, unpacked."""
    head = width.to_bytes(4) + height.to_bytes(4) + b"\x01\0\0\0\0"
    rows = zlib.compress(bytes(min(height, 20_000) * (1 + (width + 7) // 8)), 9) if width * height < 2e9 else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def search_by(target: Target, data: bytes) -> int | None:
    form = photo_form(data)
    return target.ask("POST", "/api/v1/search/image", form["data"], Content_Type=form["content_type"])[0]


def send_pictures(target: Target, rounds: int) -> Outcome:
    pictures = hostile_pictures()
    with target.watched("hostile pictures") as outcome:
        for data in [*pictures * rounds, *endless_pictures() * (rounds > 1)]:
            outcome.note(search_by(target, data), must_be_refused=True)
    return outcome


def send_large_ones_at_once(target: Target, count: int, side: int) -> Outcome:
    """Sound photos of ``side`` x ``side`` pixels, all at the same moment."""
    kinds = [("PNG", {}), ("JPEG", {"progressive": True}), ("WEBP", {"method": 0}), ("GIF", {})]
    photos = [written(Image.new("RGBA" if kind == "PNG" else "RGB", (side, side)), kind, **how) for kind, how in kinds]
    with target.watched("large photos at once") as outcome, ThreadPoolExecutor(count) as senders:
        outcome.most = 1_000_000_000
        for status in senders.map(partial(search_by, target), (photos * count)[:count]):
            outcome.note(status)
    return outcome


def send_bombs(target: Target, count: int, side: int) -> Outcome:
    """Hostile pictures and sound ones that unpack thousandfold, one by one; what counts is the memory that stays."""
    large = [
        written(Image.new(mode, (side, side)), kind) for mode, kind in (("RGBA", "PNG"), ("L", "GIF"), ("CMYK", "JPEG"))
    ]
    bombs = [*hostile_pictures(), *large, tiled_tiff(2 * side // 16 * 16)]
    with target.watched("bombs one by one") as outcome:
        outcome.most_after = 400_000_000
        for number in range(count):
            outcome.note(search_by(target, bombs[number % len(bombs)]))
    return outcome


def damage_pictures(target: Target, count: int, chance: random.Random) -> Outcome:
    """A good photo with a few bytes changed: read where it can be, else refused."""
    whole = photo_bytes()
    with target.watched("damaged pictures") as outcome:
        for _ in range(count):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 20)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            outcome.note(search_by(target, bytes(data)))
    return outcome


def open_slowly(target: Target, count: int, seconds: float) -> Outcome:
    """Connections that begin a request and never end it, held for some seconds; such as the server ended by then are
    counted as refused."""
    head = b"POST /api/v1/search/image HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
    with target.watched("slow connections") as outcome, ExitStack() as opened:
        held = []
        for number in range(count):
            with suppress(OSError):
                one = opened.enter_context(socket.create_connection((HOST, target.port), timeout=1))
                one.sendall(head[: 1 + number % len(head)])
                held.append(one)
        outcome.tried, outcome.refused = count, count - len(held)
        time.sleep(seconds)
        outcome.refused += sum(_is_ended(one) for one in held)
    return outcome


def _is_ended(connection: socket.socket) -> bool:
    """Whether the server has ended a connection, with an answer or without."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def send_noise(target: Target, count: int, chance: random.Random) -> Outcome:
    """Bytes that are no request; to be answered or cut off."""
    with target.watched("bytes that are no request") as outcome:
        for _ in range(count):
            sent = chance.choice(NO_REQUESTS) + chance.randbytes(chance.randint(1, 2000)) + b"\r\n\r\n"
            try:
                outcome.note(_status_after(target, sent))
            except ConnectionError:  # cut off while we still sent
                outcome.note(400)
    return outcome


def send_without_end(target: Target, count: int) -> Outcome:
    """Heads, trailers, chunks and requests that go on: each is to be cut off before 64 MB of it are sent."""
    with target.watched("requests without end") as outcome, ThreadPoolExecutor(8) as senders:
        floods = (WITHOUT_END[number % len(WITHOUT_END)] for number in range(count))
        for status in senders.map(lambda flood: _status_while_sending(target, *flood), floods):
            outcome.note(status, must_be_refused=True)
    return outcome


def _status_while_sending(target: Target, begun: bytes, more: bytes) -> int | None:
    """400 where the server hangs up, 200 where it takes everything, ``None`` where it does nothing."""
    with socket.create_connection((HOST, target.port), timeout=PATIENCE) as one:
        try:
            one.sendall(begun)
            for _ in range((64 << 20) // len(more)):
                one.sendall(more)
        except TimeoutError:
            return None
        except ConnectionError:
            return 400
    return 200


def _status_after(target: Target, sent: bytes) -> int | None:
    """The status that comes after some bytes; 400 where the server hangs up, ``None`` where it does nothing."""
    try:
        with socket.create_connection((HOST, target.port), timeout=PATIENCE) as one:
            one.sendall(sent)
            one.shutdown(socket.SHUT_WR)
            status = re.match(rb"HTTP/1.1 (\d{3})", one.recv(100))
            return int(status[1]) if status else 400
    except TimeoutError:
        return None


def forge_forms(target: Target) -> Outcome:
    """Forms without their token, and such as another site sends."""
    body = urlencode({"csrf_token": "forged", "address": "https://a.example/", "email": "a@b.c"}).encode()
    foreign = {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"}
    with target.watched("forged forms") as outcome:
        for path in FORMS.split():
            for headers in ({}, foreign):
                status, *_ = target.ask("POST", path, body, Content_Type=URLENCODED, **headers)
                outcome.note(status, must_be_refused=True)
                outcome.let_in += status in (404, 405)  # no such form: nothing was attacked
    return outcome


def name_private_addresses(target: Target) -> Outcome:
    """Addresses of this machine and its network; whoever visits the listener was let in."""
    token, cookie = target.visit()
    with target.watched("private addresses") as outcome, socket.create_server((HOST, 0)) as listener:
        listener.settimeout(0.01)
        for address in ADDRESSES.format(port=listener.getsockname()[1]).split():
            body = urlencode({"csrf_token": token, "address": address}).encode()
            status, *_ = target.ask("POST", "/search/address", body, Content_Type=URLENCODED, Cookie=cookie)
            outcome.note(status, must_be_refused=True)
            with suppress(TimeoutError):
                listener.accept()[0].close()
                outcome.let_in += 1
    return outcome


def ask_oddly(target: Target, count: int, chance: random.Random) -> Outcome:
    """Searches and paths of any letters."""
    with target.watched("odd questions") as outcome:
        for _ in range(count):
            letters = ((chance.randrange(128), chance.randrange(0xD800)) for _ in range(chance.randint(1, 60)))
            text = "".join(chr(chance.choice(either)) for either in letters)
            outcome.note(target.ask("GET", chance.choice(QUESTIONS).format(quote(text)))[0])
    return outcome


def stop_while_uploading(target: Target, count: int) -> Outcome:
    """SIGTERM while photos are on their way: each is answered, be it by 503."""
    form = photo_form(photo_bytes())
    head = f"POST /api/v1/search/image HTTP/1.1\r\nHost: a\r\nContent-Type: {form['content_type']}\r\n"
    sent = f"{head}Connection: close\r\nContent-Length: {len(form['data'])}\r\n\r\n".encode() + form["data"]
    outcome = Outcome("SIGTERM during uploads")
    with ExitStack() as opened:
        uploads = [
            opened.enter_context(socket.create_connection((HOST, target.port), timeout=PATIENCE)) for _ in range(count)
        ]
        for one in uploads:
            one.sendall(sent[:-10])
        time.sleep(0.5)
        target.process.terminate()
        time.sleep(0.5)
        for one in uploads:
            with suppress(OSError):
                one.sendall(sent[-10:])
        for one in uploads:
            outcome.note(_status_of(one))
    return outcome


def _status_of(connection: socket.socket) -> int | None:
    with suppress(OSError):
        if status := re.match(rb"HTTP/1.1 (\d{3})", connection.recv(100)):
            return int(status[1])
    return None


def kill_servers(home: Path, command: Sequence[str], count: int, chance: random.Random) -> Outcome:
    """SIGKILL of the server under load, and a start over the same folder; lost is what it had acknowledged and does not
    know any more, and what it cannot answer as before."""
    outcome, shared = Outcome("SIGKILL of the server"), list[str]()
    found = None
    for _ in range(count + 1):
        with attackable(home, *command, patience=600) as target, ThreadPoolExecutor(4) as others:
            now = re.findall(rb'"total":\d+', target.ask("GET", "/api/v1/search/words?q=knit")[1])
            answers = [found in (None, now), search_by(target, photo_bytes()) == 200]
            answers += [target.ask("GET", address)[0] == 200 for address in shared]
            outcome.tried += len(answers)
            outcome.lost += answers.count(False)
            found = now
            for _ in range(40):
                others.submit(search_by, target, photo_bytes())
            until = time.monotonic() + chance.uniform(0.2, 1.5)
            while time.monotonic() < until:
                shared += share(target)
            target.process.kill()
            others.shutdown(cancel_futures=True)
    return outcome


def share(target: Target) -> list[str]:
    """Share a product; the address at which the server says that it is, if it does."""
    token, cookie = target.visit()
    form = urlencode({"csrf_token": token, "products": "1"}).encode()
    connection = http.client.HTTPConnection(HOST, target.port, timeout=PATIENCE)
    with closing(connection):
        connection.request("POST", "/share", form, {"Content-Type": URLENCODED, "Cookie": cookie})
        address = connection.getresponse().headers.get("Location")
    return [address] if address else []


def kill_refreshes(count: int, chance: random.Random) -> Outcome:
    """SIGKILL during refreshes; lost is one after which the catalogue is not whole or does not go on."""
    outcome = Outcome("SIGKILL during a refresh")
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/catalog.sqlite3"
        start_catalog(url, Path(folder))
        for round_ in range(count):
            outcome.tried += 1
            try:
                kill_and_check(url, Path(folder), round_, chance)
            except AssertionError:
                outcome.lost += 1
    return outcome
