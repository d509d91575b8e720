"""Where a form leads: back to where the person was, and never to another site."""

from __future__ import annotations

import re

from flask import request

_PATH = re.compile(r"/(?!/)[^\\\s\x00-\x1f\x7f]*")


def is_local(target: str) -> bool:
    """Whether a text is a path of this site and of no other: browsers take ``//host``, ``/\\host`` and ``///host`` for
    addresses elsewhere."""
    return _PATH.fullmatch(target) is not None


def next_page() -> str:
    """Where the person wants to go next (``next``, in the address or the form): a path of this site, or nothing."""
    asked = request.values.get("next", "")
    return asked if is_local(asked) else ""


def here() -> str:
    """The path of the page that is shown, to come back to; the front page where it cannot be asked for again."""
    path = request.script_root + request.full_path.removesuffix("?")
    return path if request.method in ("GET", "HEAD") and is_local(path) else request.script_root + "/"
