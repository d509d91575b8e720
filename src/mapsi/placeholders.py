"""Words that programs write into a cell that holds nothing: a database's NULL, a spreadsheet's error, a person's
dash."""

from __future__ import annotations

import unicodedata

_SPELLED = """
    . .. ... n/a #n/a n.a. na <na> null #null! (null) <null> \\n nil nan nat none (none) undefined [] {} '' ""
    #value! #ref! #name? #num! #div/0! 0000-00-00 0000-00-0000:00:00
    없음 없슴 해당없음 해당사항없음 미지정 미입력 미정 선택안함 정보없음
"""
_WORDS = frozenset(_SPELLED.split())
_FIRST = (
    {word[0] for word in _WORDS}
    | {word[0].upper() for word in _WORDS}
    | {unicodedata.normalize("NFD", word)[0] for word in _WORDS}
    | set("-‐‑‒–—―−ー \t\r\n\f\v\xa0\u3000－．（＜＃Ｎｎ")
)
_LONGEST = 24
_DASHES = str.maketrans("‐‑‒–—―−ー", "-" * 8)


def stands_for_nothing(text: str) -> bool:
    """Whether a cell says that it holds nothing: empty, ``NULL``, ``\\N``, ``N/A``, ``nan``, ``-``, ``없음`` and the
    like. ``0`` is not among them: whether it is a number or says "none" is for the column to know."""
    if text[:1] not in _FIRST:  # of ten cells nine, in a tenth of the time
        return not text
    if len(text) > _LONGEST:
        return text.isspace()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    word = "".join(text.casefold().split())
    return not word.strip("-") or word in _WORDS
