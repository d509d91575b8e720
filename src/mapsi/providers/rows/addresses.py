"""Links and pictures as shops write them -> addresses."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from mapsi.providers.rows.bad_field import BadFieldError, shown
from mapsi.providers.rows.texts import INVISIBLE, unescaped

_ADDRESS = re.compile(
    r"https?://(?:[^\s/?#@\\<>\"'%:\[\]]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][^\x00-\x1f\x7f-\x9f\\<>\"\ufffd]*)?",
    re.IGNORECASE,
)
_MAX_ADDRESS = 2048
_AFTER_THE_FIRST = re.compile(r"(?:[\s,;|\"']|\\n)+(?=https?://).*", re.DOTALL | re.IGNORECASE)
_AFTER_A_BLANK = re.compile(r"\s+https?://.*", re.DOTALL | re.IGNORECASE)
_REMARKS = re.compile(r"\s+!\s+(?:alt|title|desc)\s*:.*", re.DOTALL | re.IGNORECASE)
"""What WooCommerce writes behind a picture: `` ! alt : a shirt ! title : ...``."""

_PATHS = re.compile(r"\s*[,;|\n]\s*")
_IMG = re.compile(r"<img\b[^>]*?\bsrc\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))[^>]*>", re.IGNORECASE)
_PICTURE = re.compile(r"\.(?:jpe?g|jfif|png|webp|gif|bmp|tiff?|avif|hei[cf])(?:\?[^,;|]*)?", re.IGNORECASE)


def parse_link(text: str, field: str, base: str = "") -> str:
    """An absolute http(s) address, escaping undone, spaces inside it written as ``%20``, of several the first; a
    relative one is taken from ``base``. One without its scheme (``//shop.example/1``) is one of https."""
    address = _AFTER_A_BLANK.sub("", INVISIBLE.sub("", unescaped(text)).strip()).replace(" ", "%20")
    address = f"https:{address}" if address.startswith("//") and not base else address
    if base:
        try:
            address = urljoin(base, address)
        except ValueError:
            raise BadFieldError(f"The {field} {shown(text)} cannot be read as an address.") from None
    if len(address) > _MAX_ADDRESS:
        raise BadFieldError(f"The {field} is longer than {_MAX_ADDRESS} characters.")
    if not _ADDRESS.fullmatch(address):
        raise BadFieldError(f"The {field} {shown(text)} is not an absolute http or https address.")
    scheme, separator, rest = address.partition("://")
    return f"{scheme.lower()}{separator}{rest}"


def parse_image(text: str, base: str = "") -> str:
    """An absolute http(s) address, or, without a ``base``, a plain path that cannot leave the folder that the feed lies
    in, with slashes of either kind; of several in one cell the first, of an ``<img>`` its ``src``."""
    path = _first(_REMARKS.sub("", _out_of_markup(unescaped(text).strip())))
    if base or "://" in path or path.startswith("//"):
        return parse_link(path, "image_link", base)
    path = path.replace("\\", "/").removeprefix("./")
    odd = any(mark in path for mark in ":<>") or len(path) > _MAX_ADDRESS or not path.isprintable()
    if odd or any(part in ("", ".", "..", "~") for part in path.split("/")):
        raise BadFieldError(
            f"The image_link {shown(text)} is neither an http or https address nor a path beside the feed."
        )
    return path


def _out_of_markup(text: str) -> str:
    found = _IMG.search(text)
    return next((source for source in found.groups() if source), "") if found else text


def _first(text: str) -> str:
    """The first of several pictures: addresses parted by commas, bars, semicolons or blanks, or paths where each ends
    as pictures do; also as a JSON list. A comma inside one address parts nothing."""
    listed = text[1:-1].strip() if text[:1] == "[" and text[-1:] == "]" else text
    if "://" in listed:
        return _AFTER_THE_FIRST.sub("", listed.strip("\"' \t")).strip("\"' ,;|\t")
    paths = [path.strip("\"' ") for path in _PATHS.split(listed) if path.strip("\"' ")]
    if paths and all(_PICTURE.search(path) for path in paths):
        return paths[0]
    return listed if listed == text else listed.strip("\"' ")
