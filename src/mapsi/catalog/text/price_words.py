"""Prices in words (``3만원 이하``, ``2만원대``, ``under $50``): the range they ask for, and the words around them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from mapsi.catalog.filters import Filters
from mapsi.catalog.text.photo_words import SAYS_NOTHING
from mapsi.catalog.text.tokens import MAX_CHARACTERS, MAX_TERMS, words

_LEAST_BARE = 1_000
"""A number without a currency is a price from here on, beside a word that compares: 250 is a size."""
_YEARS = range(1900, 2100)
_TAKEN = "\0"
_LARGEST = Decimal(10**12 - 1)
"""The largest bound that an address takes."""
_ABOUT = Decimal("0.1")
"""How far from a price that is named alone a product's may be."""

_WHOLE, _CENT = Decimal(1), Decimal("0.01")
_SCALES = {"십": 10, "백": 100, "천": 10**3, "만": 10**4, "십만": 10**5, "백만": 10**6, "천만": 10**7, "억": 10**8}
_DIGITS = {digit: n for n, digit in enumerate("일이삼사오육칠팔구", 1)}

_GAP = r"\s{0,3}"
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,12})(?:\.[0-9]{1,4})?"
_SCALED = rf"(?:{_NUMBER}\s?(?:[십백천]?만|억|천|백)\s?){{1,3}}(?:(?<=[만천백억\s]){_NUMBER})?"
_SPELLED = (
    r"(?<![가-힣])[일이삼사오육칠팔구]?[십백천만억][일이삼사오육칠팔구십백천만억]{0,8}(?=원|(?<=만)\s원|(?<=만천)\s원)"
)
# Words that compare, behind an amount. The first may run into the next word (3만원이하원피스), the loose ones may not.
_MOST = ("이하", "이내", "까지")
_LEAST = ("이상", "부터")
_BELOW, _ABOVE = ("미만",), ("초과",)
_LOOSE_MOST = ("아래", "밑", "안쪽", "안으로", "안에서", "안넘는", "안 넘는", "넘지 않는")
_LOOSE_LEAST = ("위",)
_LOOSE_BELOW = ("보다 싼", "보다 저렴한", "보다 낮은")
_LOOSE_ABOVE = ("넘는", "보다 비싼", "보다 높은")
_LOOSE_ABOUT = ("짜리", "정도", "쯤", "가량", "내외", "안팎", "전후", "선", "언저리")
_PARTICLE = r"(?:(?:의|으로|로|인|에|에서|만|짜리|은|는|이|가|을|를|도|면)(?![가-힣]))"
_SUFFIXES = "|".join((*_MOST, *_LEAST, *_BELOW, *_ABOVE, "대", "에서", "짜리", "정도", "쯤", "보다", "넘는", "내외"))
_ENDS = rf"(?=$|[^가-힣]|{_PARTICLE}|{_SUFFIXES}|(?:아래|밑|위|선)(?![가-힣]))"
_WON = rf"원{_ENDS}|(?:won|krw)(?![a-z0-9])|₩"
_NAMES = "dollars?|bucks|usd|yen|jpy|euros?|eur|gbp|rupees?|inr"
_OTHER = rf"(?:달러|불|유로|엔|루피){_ENDS}|(?:{_NAMES})(?![a-z0-9])|[$€£¥₹]"
_SIGN = r"(?:us)?[₩$€£¥₹]|krw|usd|jpy|eur|gbp|inr|rs\.?"
_START = r"(?<![0-9a-z])(?<![0-9][.,])"


def _amount(name: str) -> str:
    """The pattern of an amount, with its groups named after ``name``."""
    plain = rf"(?P<{name}plain>{_NUMBER}(?P<{name}k>k(?![a-z0-9]))?)"
    number = rf"(?P<{name}spelled>{_SPELLED})|(?P<{name}scaled>{_SCALED})|{plain}"
    currency = rf"(?P<{name}won>{_WON})|(?P<{name}other>{_OTHER})"
    end = r"(?![0-9a-z%]|\.[0-9]|,[0-9](?!만\s?원?대))"
    return rf"(?:(?P<{name}sign>{_SIGN})\s?)?(?:{number})\s?(?:{currency}|{end})"


def _any(*phrases: str) -> str:
    """A pattern of any of these phrases, the longest first."""
    ordered = sorted(phrases, key=len, reverse=True)
    return "|".join(re.escape(phrase).replace(r"\ ", r"\s{1,3}") for phrase in ordered)


_TO = ("~", "〜")
_BEFORE = {
    "most": ("up to", "at most", "no more than", "not more than", "not over", "not above", "within", "<=", "≤", *_TO),
    "below": ("under", "below", "less than", "lower than", "cheaper than", "<"),
    "least": ("at least", "from", "starting at", "starting from", "no less than", "not under", ">=", "≥"),
    "above": ("over", "above", "more than", "higher than", ">"),
}
_BEFORE_SURE = {
    "most": ("max", "maximum", "max.", "최대", "최고"),
    "least": ("min", "minimum", "min.", "최소", "최저"),
    "about": ("around", "about", "approximately", "approx", "roughly", "약", "대략"),
}
"""Those that want a currency behind the number: ``air max 1000``."""
_AFTER = {
    "most": ("or less", "or under", "or below", "or lower", "or cheaper", "and under", "and below"),
    "least": ("or more", "or over", "or above", "or higher", "and up", "and over", "and above"),
}
_AFTER_SURE = {"most": ("max", "maximum", "tops"), "least": ("min", "minimum", "+", *_TO)}
_FIRM = {"most": _MOST, "least": _LEAST, "below": _BELOW, "above": _ABOVE}
_LOOSE = {
    "most": _LOOSE_MOST,
    "least": _LOOSE_LEAST,
    "below": _LOOSE_BELOW,
    "above": _LOOSE_ABOVE,
    "about": _LOOSE_ABOUT,
}


def _forms(table: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {" ".join(form.split()): meaning for meaning, forms in table.items() for form in forms}


_BEFORE_MEANS = _forms(_BEFORE) | _forms(_BEFORE_SURE)
_AFTER_MEANS = _forms(_AFTER) | _forms(_AFTER_SURE) | _forms(_FIRM) | _forms(_LOOSE)
_NEED_CURRENCY = _forms(_BEFORE_SURE).keys() | _forms(_AFTER_SURE).keys() | set(_LOOSE_ABOUT)
_LEAD = (
    r"(?:(?:(?<![a-z])(?:for|at|with|a|an|and|but|price|prices|priced|costing|costs?|that|which|is|are|budget)(?![a-z])"
    r"|(?<![가-힣])(?:가격|가격대|금액|예산)(?:은|는|이|가)?(?![가-힣]))[\s:,]{1,3}){0,4}"
)
_BAND = r"대(?!나무)(?:\s?(?:초반|중반|후반))?"
_AFTER_ONE = (
    rf"(?P<band>(?<=\S){_BAND}|\s대(?![가-힣]))?{_GAP}"
    rf"(?:(?P<after>{_any(*_forms(_FIRM))}|(?:{_any(*_forms(_LOOSE))})(?={_PARTICLE}|[^가-힣]|$)"
    rf"|(?:{_any(*_forms(_AFTER), *_forms(_AFTER_SURE))})(?![a-z]|\s{{0,3}}[0-9₩$€£¥₹])))?{_PARTICLE}?"
    r"(?:\s가격(?:대)?(?:의|로|인)?(?![가-힣]))?"
)
_ONE = rf"{_LEAD}(?:(?<![a-z가-힣])(?P<before>{_any(*_BEFORE_MEANS)}){_GAP}|{_START}){_amount('a')}{_AFTER_ONE}"
_TWO = (
    rf"{_LEAD}(?:(?<![a-z])(?P<lead>between|from){_GAP}|{_START}){_amount('a')}{_GAP}"
    rf"(?P<middle>[~〜∼–—-]|,(?=[0-9]만\s?원?대)|에서|부터|(?<=\s)(?:to|and)(?=[\s$€£¥₹])){_GAP}{_amount('b')}"
    rf"(?P<band>{_BAND})?{_GAP}(?P<after>사이|까지|이하|미만|정도)?{_PARTICLE}?"
)
_NUMERAL = re.compile("[0-9십백천만억]")
"""What is in every amount."""


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Of two amounts, and of one. They take 60 ms to compile, which a server's start is spared."""
    return re.compile(_TWO, re.IGNORECASE), re.compile(_ONE, re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceWords:
    """A text's ``rest``, the words around its prices, the ``phrases`` these were read from, and the range they ask for,
    both bounds inclusive: neither is there where no price was read, and then ``rest`` is the text as it was."""

    rest: str
    phrases: str = ""
    low: Decimal | None = None
    high: Decimal | None = None

    def narrow(self, filters: Filters) -> Filters:
        """``filters`` and the range; where they have a price of their own, that counts alone."""
        if filters.min_price is not None or filters.max_price is not None:
            return filters
        return replace(filters, min_price=self.low, max_price=self.high)


_Range = tuple[Decimal | None, Decimal | None]
_Reads = Callable[[re.Match[str]], _Range | None]


@dataclass(frozen=True, slots=True)
class _Amount:
    """A number as it was said: its ``value``, the ``scale`` of a Korean one (3만: 10,000), the smallest step of its
    currency, ``None`` where none was named, and whether it is ``sure`` to be no year."""

    value: Decimal
    scale: int
    step: Decimal | None
    sure: bool

    @property
    def is_price(self) -> bool:
        """Whether it may be a price beside a word that compares."""
        return self.step is not None or self.scale > 1 or (self.value >= _LEAST_BARE and self.sure)

    @property
    def band(self) -> Decimal:
        """The last of those that begin as it does: 29,999 for 20,000, 35,999 for 35,000."""
        power = Decimal(10)
        while self.value % (power * 10) == 0 and self.value >= power * 10:
            power *= 10
        return self.value + power - (self.step or _WHOLE)


def read_price(text: str) -> PriceWords:
    """The prices in a text. A number is one beside a currency, or, from 1,000 on and unless it is a year, beside a word
    that compares; of several lower or upper bounds the last counts."""
    if len(text) > MAX_CHARACTERS:
        return PriceWords(rest=text)
    composed = unicodedata.normalize("NFC", text)
    composed = composed if len(composed) <= len(text) else text
    plain = _half_width(composed)
    if not _NUMERAL.search(plain):
        return PriceWords(rest=text)
    low: Decimal | None = None
    high: Decimal | None = None
    spans: list[tuple[int, int]] = []
    for pattern, read in zip(_patterns(), (_between, _bound), strict=True):
        for (start, end), found in _each(pattern, plain, read):
            low, high = (low if found[0] is None else found[0]), (high if found[1] is None else found[1])
            spans.append((start, end))
            plain = f"{plain[:start]}{_TAKEN * (end - start)}{plain[end:]}"
    if not spans:
        return PriceWords(rest=text)
    if low is not None and high is not None and low > high:
        low, high = high, low
    rest, phrases = _parted(composed, sorted(spans))
    return PriceWords(rest="" if set(words(rest)) <= SAYS_NOTHING else rest, phrases=phrases, low=low, high=high)


def _each(pattern: re.Pattern[str], text: str, read: _Reads) -> Iterator[tuple[tuple[int, int], _Range]]:
    """Where the pattern is found in a text and read as a price, and the range that is asked for there."""
    start = 0
    for _ in range(MAX_TERMS):  # a query has no more words
        match = pattern.search(text, start)
        if match is None:
            return
        found = read(match)
        if found is not None:
            yield match.span(), found
        start = match.start() + 1 if found is None else match.end()


def _half_width(text: str) -> str:
    """A text with its full-width and other compatible letters as plain ones, as long as before."""
    if text.isascii():
        return text
    plain = (unicodedata.normalize("NFKC", letter) for letter in text)
    return "".join(new if len(new) == 1 else old for old, new in zip(text, plain, strict=True))


def _parted(text: str, spans: list[tuple[int, int]]) -> tuple[str, str]:
    """What lies around the spans of a text, and what lies in them."""
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    around = (text[start:end].strip(" ,;:·/()[]") for start, end in zip(edges[::2], edges[1::2], strict=True))
    within = (text[start:end].strip(" ,;:") for start, end in spans)
    return " ".join(filter(None, around)), " ".join(within)


def _bound(match: re.Match[str]) -> _Range | None:
    """The range that one amount asks for, ``None`` where it is no price."""
    amount = _amount_of(match, "a")
    before, after = (" ".join((match[name] or "").lower().split()) for name in ("before", "after"))
    meaning = _AFTER_MEANS.get(after) or _BEFORE_MEANS.get(before, "")
    if amount is None or not amount.is_price:
        return None
    if amount.step is None and (not (meaning or match["band"]) or (after or before) in _NEED_CURRENCY):
        return None
    if not meaning and not match["band"] and not _is_money_alone(match):
        return None
    return _range_of(amount, meaning, is_band=match["band"] is not None)


def _is_money_alone(match: re.Match[str]) -> bool:
    """Whether an amount is a price without a word that compares: EUR 42 is a size of shoes."""
    named = f"{match['asign'] or ''}{match['aother'] or ''}".lower()
    return not any(name in named for name in ("eur", "gbp"))


def _range_of(amount: _Amount, meaning: str, *, is_band: bool) -> _Range:
    value, step = amount.value, amount.step or _WHOLE
    top = amount.band if is_band else value
    match meaning:
        case "most":
            return None, _fit(top)
        case "below":
            return None, _fit(value - step)
        case "least":
            return _fit(value), None
        case "above":
            return _fit(top + step), None
    if is_band:
        return _fit(value), _fit(top)
    about = (value * _ABOUT).quantize(step, ROUND_HALF_UP)
    return _fit(value - about), _fit(value + about)


def _between(match: re.Match[str]) -> _Range | None:
    """The range that two amounts ask for, ``None`` where they are no prices."""
    first, last = _amount_of(match, "a"), _amount_of(match, "b")
    if first is None or last is None or (match["middle"].lower() == "and" and match["lead"] is None):
        return None
    step = first.step if last.step is None else last.step
    if first.step is None and first.scale == 1 and first.value * last.scale < last.value:
        first = replace(first, value=first.value * last.scale, scale=last.scale)
    said = step is not None or max(first.scale, last.scale) > 1
    compares = match["lead"] is not None or match["middle"] in "~〜∼" or match["after"] is not None
    first, last = replace(first, step=step), replace(last, step=step)
    if not _are_prices(first, last, said=said, compares=compares):
        return None
    top = last.band if match["band"] else last.value
    low, high = sorted((first.value, top))
    return _fit(low), _fit(high - (step or _WHOLE) if match["after"] == "미만" else high)


def _are_prices(first: _Amount, last: _Amount, *, said: bool, compares: bool) -> bool:
    bare = [replace(each, step=None) for each in (first, last)]
    if first.step == _WHOLE or first.step is None:
        plausible = all(each.is_price or (said and each.value >= _LEAST_BARE) for each in bare)
        return plausible and (said or compares)
    return said


def _amount_of(match: re.Match[str], name: str) -> _Amount | None:
    spelled, scaled, plain = (match[f"{name}{kind}"] for kind in ("spelled", "scaled", "plain"))
    sign, won, other = (match[f"{name}{kind}"] for kind in ("sign", "won", "other"))
    scale = 1
    if spelled is not None:
        value = _spelled_value(spelled)
    elif scaled is not None:
        value, scale = _scaled_value(scaled)
    else:
        value = Decimal(plain.rstrip("kK").replace(",", ""))
        scale = 1_000 if match[f"{name}k"] else 1
        value *= scale
    if value > _LARGEST:
        return None
    sure = "," in (plain or "") or value not in _YEARS
    return _Amount(value, scale, _step(sign, won, other), sure)


def _step(sign: str | None, won: str | None, other: str | None) -> Decimal | None:
    named = f"{sign or ''}{won or ''}{other or ''}".lower()
    if not named:
        return None
    return _WHOLE if won or any(name in named for name in ("₩", "krw", "¥", "yen", "jpy", "엔")) else _CENT


def _scaled_value(text: str) -> tuple[Decimal, int]:
    """``3만 5천``: 35,000, and the scale of its last part that has one."""
    value, scale = Decimal(0), 1
    for number, name in re.findall(rf"({_NUMBER})\s?([십백천]?만|억|천|백)?", text):
        scale = _SCALES[name] if name else scale
        value += Decimal(number.replace(",", "")) * (_SCALES[name] if name else 1)
    return value, scale


def _spelled_value(text: str) -> Decimal:
    """``삼만오천``: 35,000."""
    total = part = digit = 0
    for letter in text:
        if letter in _DIGITS:
            digit = _DIGITS[letter]
        elif letter in "만억":
            total += (part + digit or 1) * _SCALES[letter]
            part = digit = 0
        else:
            part += (digit or 1) * _SCALES[letter]
            digit = 0
    return Decimal(total + part + digit)


def _fit(bound: Decimal) -> Decimal:
    """A bound as an address takes it: not below nothing, not above the largest, without trailing zeros."""
    fitting = min(max(bound, Decimal(0)), _LARGEST).quantize(Decimal("0.0001")).normalize()
    return fitting.quantize(_WHOLE) if fitting == fitting.to_integral_value() else fitting
