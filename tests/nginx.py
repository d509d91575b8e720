"""A real nginx in front of an application, with the configuration that the project gives out."""

from __future__ import annotations

import http.client
import http.cookies
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from servers import free_port, require, wait_for_port

CONFIGURATION = Path(__file__).parents[1] / "deploy" / "nginx.conf"
HOST = "shop.example.com"

Change = Callable[[str], str]
"""What somebody else's configuration has otherwise."""


@contextmanager
def run_nginx(folder: Path, upstream: int, change: Change = str) -> Iterator[int]:
    """Start nginx on loopback in front of ``upstream`` and give its port for TLS. It has no folder to write bodies
    to."""
    require(shutil.which("nginx"), "nginx")
    plain, secure = free_port(), free_port()
    _make_certificate(folder)
    ours = change(CONFIGURATION.read_text("utf-8"))
    ours = ours.replace("listen 80;", f"listen 127.0.0.1:{plain};").replace(
        "listen 443 ", f"listen 127.0.0.1:{secure} "
    )
    ours = ours.replace("/etc/nginx/mapsi/", f"{folder}/").replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\n"
        "events { worker_connections 512; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers;\n{ours}\n}}\n"
    )
    with subprocess.Popen(["nginx", "-p", str(folder), "-c", str(main)], stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_port(secure, server)
            shutil.rmtree(folder / "bodies")
            shutil.rmtree(folder / "answers")
            yield secure
        finally:
            server.terminate()


def _make_certificate(folder: Path) -> None:
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
    ]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([*words, *files, "-subj", f"/CN={HOST}"], check=True, capture_output=True)


class Visitor:
    """A browser as far as forms need one: it keeps cookies and says where a form comes from."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, str]:
        """Status, ``Location`` and text of an answer."""
        trusting = ssl._create_unverified_context()
        connection = http.client.HTTPSConnection("127.0.0.1", self._port, context=trusting, timeout=30)
        sent = {
            "Host": HOST,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            **headers,
        }
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in sent.items()})
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: kept.value for name, kept in http.cookies.SimpleCookie(line).items()}
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, answer.headers.get("Location", ""), text

    def send(self, page: str, form: str, body: bytes = b"", kind: str = "", **fields: str) -> tuple[int, str, str]:
        """Send the form with address ``form`` that stands on ``page``; ``body`` is a photo of the media type
        ``kind``."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.ask("GET", page)[2])
        assert found is not None, f"no form on {page}"
        parts = [_part(name, value.encode()) for name, value in {"csrf_token": found[1], **fields}.items()]
        if body:
            parts.append(_part('photo"; filename="a.jpg', body, kind))
        whole = b"".join(parts) + b"--cut--\r\n"
        said = {"Origin": f"https://{HOST}", "Referer": f"https://{HOST}{page}", "Sec_Fetch_Site": "same-origin"}
        return self.ask("POST", form, whole, Content_Type="multipart/form-data; boundary=cut", **said)


def _part(name: str, value: bytes, kind: str = "text/plain") -> bytes:
    head = f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + value + b"\r\n"
