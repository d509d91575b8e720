"""A shop's texts, escaped once or more, marked up or not -> plain text."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import partial

MAX_FIELD = 50_000
"""Characters of one raw field that are looked at; ten times the longest description, markup included."""

_INLINE = "a abbr b big em font i mark nobr s small span strike strong sub sup tt u wbr"
INLINE = frozenset(_INLINE.split())
"""Elements that stand within a word; every other one parts words."""

_ROUNDS = 5
_HIDDEN = re.compile(  # not the white space among them, which parts words
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffd"
    r"\ud800-\udfff]"
)
INVISIBLE = re.compile(r"[\u00ad\u200b\u200e\u200f\u2060\ufeff]")
"""Letters that come along when a text is copied from a page, and that stand for nothing."""

_FILLERS = re.compile(r"[\u115f\u1160\u2800\u3164\uffa0]")  # letters without a shape
_SHAPELESS = "\u200c\u200d\ufe0e\ufe0f"  # join what stands around them, and are nothing by themselves
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_NO_TEXT = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<\?.*?(?:\?>|\Z)|<!doctype[^>]*>", re.DOTALL | re.IGNORECASE
)
_MAY_HIDE = re.compile(r"<[!?sS]")  # what the two above can begin with
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*(?::[a-z][a-z0-9]*)?)(\s[^<>]*)?/?>", re.IGNORECASE)
_COMMON_NAMES = """
    blockquote body br center dd div dl dt h1 h2 h3 h4 h5 h6 head hr html iframe img li meta ol p pre script style table
    tbody td tfoot th thead tr ul
"""
_COMMON = INLINE | frozenset(_COMMON_NAMES.split())
_BARE = {
    tag: "" if name in INLINE else " "
    for name in _COMMON
    for tag in (f"<{name}>", f"</{name}>", f"<{name}/>", f"<{name} />")
}
"""What stays of the tags that most texts are marked up with."""
_RARE_NAMES = """
    address area article aside audio base bdi bdo button canvas caption cite code col colgroup data del details dfn embed
    fieldset figcaption figure footer form frame header input ins kbd label legend link main map marquee menu nav noscript
    object option output param picture q samp section select source summary svg textarea time title track var video
"""  # noqa: E501
_RARE = frozenset(_RARE_NAMES.split())
_FLAG_NAMES = "nowrap noshade disabled checked selected hidden controls allowfullscreen async defer"
_FLAGS = frozenset(_FLAG_NAMES.split())


def unescaped(text: str) -> str:
    """Entities that end in a semicolon (``&#038;``, ``&amp;``) and CDATA marks undone, however often they were put on.

    For what is no prose: without the semicolon, ``?a=1&copy=2`` is an address and no sign.
    """
    for _ in range(_ROUNDS):
        if "&" not in text and "<![" not in text:
            break
        bare = _CDATA.sub(r"\1", _ENTITY.sub(lambda entity: html.unescape(entity[0]), text))
        if bare == text:
            break
        text = bare
    return text


def tidy(text: str) -> str:
    """Letters composed (NFC), white space and letters without a shape made single blanks."""
    if not text.isascii():
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        if _FILLERS.search(text):
            text = _FILLERS.sub(" ", text)
    # White space other than the blank is not printable: nine texts of ten need not be taken apart.
    return text.strip(" ") if text.isprintable() and "  " not in text else " ".join(text.split())


def plain(text: str, longest: int) -> str:
    """Plain text of at most ``longest`` characters: escaping undone however often it was done, tags, control and
    invisible characters gone, white space made single, letters composed (NFC). What is in angle brackets and is no
    tag of HTML is a word: ``<MLB> 볼캡``."""
    if not text:
        return ""
    text = text[:MAX_FIELD]
    if "<" in text or "&" in text:
        text = _without_markup(text)
    if not text.isprintable() or "\ufffd" in text:
        text = _HIDDEN.sub("", text)
    text = tidy(text)[:longest].rstrip()
    return text if text.strip(_SHAPELESS) else ""


def _without_markup(text: str) -> str:
    for _ in range(_ROUNDS):
        bare = html.unescape(text) if "&" in text else text
        if "<" in bare:
            bare = _without_tags(bare)
        if bare == text:
            break
        text = bare
        if "<" not in text and "&" not in text:
            break
    return text


def _without_tags(text: str) -> str:
    if _MAY_HIDE.search(text):
        text = _NO_TEXT.sub(" ", _CDATA.sub(r" \1 ", text))
    return _TAG.sub(partial(_in_place_of, text), text)


def _in_place_of(text: str, tag: re.Match[str]) -> str:
    """What stays of a tag in ``text``: itself where it is none. ``<Label>`` may be a brand, unless ``</label>``
    follows."""
    known = _BARE.get(tag[0])
    if known is not None:
        return known
    name, attributes = tag[2].lower(), (tag[3] or "").strip(" \t\r\n/")
    like_attributes = "=" in attributes or _FLAGS.issuperset(attributes.lower().split())
    rarely = name in _RARE and (tag[1] or attributes or _closes(name, text))
    if not like_attributes or not (name in _COMMON or rarely or ":" in name):
        return tag[0]
    return "" if name in INLINE else " "


def _closes(name: str, text: str) -> bool:
    return re.search(f"</{name}(?![a-z0-9])", text, re.IGNORECASE) is not None
