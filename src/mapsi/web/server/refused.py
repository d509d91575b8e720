"""Requests that the application is not asked about: told as programs and people read it."""

from __future__ import annotations

import json

from mapsi.documents import error_document
from mapsi.web.server.wsgi import Response, Scope

HEALTH = "/healthz"
RETRY_AFTER = 2


class RefusedError(Exception):
    """A request that the application is not asked about."""

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint


def told(refused: RefusedError, scope: Scope) -> Response:
    """As JSON for programs and our own script, as a line for a person. The connection is closed: the rest of a body may
    still be on its way."""
    headers = dict(scope["headers"])
    accepts = headers.get(b"accept", b"")
    if scope["path"].startswith(("/api/", HEALTH)) or accepts.startswith(b"application/json"):
        document = error_document(refused.code, refused.message, refused.hint)
        if scope["path"] == HEALTH and refused.status == 503:
            document["status"] = "unavailable"
        kind, text = "application/json", json.dumps(document)
    else:
        kind, text = "text/plain; charset=utf-8", f"{_KOREAN[refused.code]}\n{refused.message} {refused.hint}\n"
    said = {"content-type": kind, "content-length": str(len(text.encode())), "cache-control": "no-store"}
    if refused.status == 503:
        said["retry-after"] = str(RETRY_AFTER)
    if refused.code != "busy" or scope["method"] != "GET":
        said["connection"] = "close"
    return Response(refused.status, [(name.encode(), value.encode()) for name, value in said.items()], text.encode())


_KOREAN = {
    "catalog_unavailable": "문을 열 준비를 하고 있어요. 잠시 뒤에 다시 와 주세요.",
    "busy": "지금 찾는 분이 많아요. 잠시 뒤에 다시 해 주세요.",
    "too_slow": "보내는 데 너무 오래 걸렸어요. 더 작은 사진으로 해 주세요.",
    "photo_too_large": "보낸 것이 너무 커요. 더 작은 사진으로 해 주세요.",
}
