"""The single fields of an offer, from a shop's raw text to what the catalogue takes; nothing here knows a file format.

What is wrong with a field raises :class:`BadFieldError`, a sentence for the shop's owner.
"""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

from mapsi.catalog.offer import Audience, Availability

MAX_FIELD = 50_000
"""Characters of one raw field that are looked at; ten times the longest description, markup included."""

_SHOWN = 60
_ROUNDS = 5
_HIDDEN = re.compile(  # not the white space among them, which parts words
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_INLINE = re.compile(r"</?(?:a|b|big|em|font|i|mark|s|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]*)?/?>", re.IGNORECASE)
_MARKUP = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<[/!?]?[a-z][^<>]*>", re.DOTALL | re.IGNORECASE
)
_ADDRESS = re.compile(
    r"https?://(?:[^\s/?#@\\<>\"'%:\[\]]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][^\x00-\x1f\x7f-\x9f\\<>\"]*)?",
    re.IGNORECASE,
)
_MAX_ADDRESS = 2048

_AVAILABILITIES: dict[str, Availability] = {
    "instock": "in_stock",
    "available": "in_stock",
    "판매중": "in_stock",
    "재고있음": "in_stock",
    "limitedavailability": "in_stock",
    "outofstock": "out_of_stock",
    "soldout": "out_of_stock",
    "discontinued": "out_of_stock",
    "품절": "out_of_stock",
    "preorder": "preorder",
    "예약판매": "preorder",
    "backorder": "backorder",
}
_AUDIENCES: dict[str, Audience] = {
    "female": "women",
    "women": "women",
    "여성": "women",
    "여자": "women",
    "male": "men",
    "men": "men",
    "남성": "men",
    "남자": "men",
    "unisex": "unisex",
    "공용": "unisex",
    "남녀공용": "unisex",
}
_CATEGORY_AUDIENCES: tuple[tuple[tuple[str, ...], Audience], ...] = (
    (("출산", "유아", "아동", "키즈", "주니어"), "kids"),
    (("여성",), "women"),
    (("남성",), "men"),
)
_KIDS = frozenset({"kids", "kid", "toddler", "infant", "newborn", "children", "아동", "키즈", "유아", "영아"})


class BadFieldError(ValueError):
    """A field that makes its row useless; the text is a sentence that names the field."""


def shown(text: str) -> str:
    """A shop's text as it may stand inside a sentence: short, on one line, in quotes."""
    short = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return repr(short)


def plain(text: str, longest: int) -> str:
    """Plain text of at most ``longest`` characters: escaping undone however often it was done, tags, control and
    invisible characters gone, white space made single."""
    text = text[:MAX_FIELD]
    if "<" in text or "&" in text:
        text = _without_markup(text)
    if not text.isprintable():
        text = _HIDDEN.sub("", text)
    return " ".join(text.split())[:longest].rstrip()


def _without_markup(text: str) -> str:
    for _ in range(_ROUNDS):
        bare = _MARKUP.sub(" ", _INLINE.sub("", html.unescape(text)))
        if bare == text:
            break
        text = bare
    return text


def parse_link(text: str, field: str, base: str = "") -> str:
    """An absolute http(s) address, spaces inside it written as ``%20``; a relative one is taken from ``base``."""
    address = text.strip().replace("&amp;", "&").replace(" ", "%20")
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
    in."""
    path = text.strip()
    if base or "://" in path or path.startswith("//"):
        return parse_link(text, "image_link", base)
    odd = ":" in path or "\\" in path or len(path) > _MAX_ADDRESS or not path.isprintable()
    if odd or any(part in ("", ".", "..", "~") for part in path.split("/")):
        raise BadFieldError(
            f"The image_link {shown(text)} is neither an http or https address nor a path beside the feed."
        )
    return path


def parse_availability(text: str) -> Availability:
    """``in_stock``, ``in stock``, ``InStock``, schema.org's address of it, ...; a shop that says nothing has it in stock."""
    name = re.sub(r"[\s_-]", "", text.rpartition("/")[2]).lower()
    if not name:
        return "in_stock"
    if name not in _AVAILABILITIES:
        raise BadFieldError(f"The availability {shown(text)} is not known.")
    return _AVAILABILITIES[name]


def parse_audience(gender: str, age_group: str) -> Audience | None:
    """For whom an offer is; the age group weighs more than the gender. Words that are not known say nothing."""
    if age_group.strip().lower() in _KIDS or gender.strip().lower() in _KIDS:
        return "kids"
    return _AUDIENCES.get(gender.strip().lower())


def audience_of_category(category: str) -> Audience | None:
    """For whom a category of Naver's tree is: ``패션의류 > 여성의류 > 원피스`` is for women."""
    parts = category.split(" > ")
    for marks, audience in _CATEGORY_AUDIENCES:
        if any(part.startswith(marks) for part in parts):
            return audience
    return None
