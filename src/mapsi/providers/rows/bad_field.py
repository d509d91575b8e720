"""A field that makes its row useless, told in a sentence for the shop's owner."""

from __future__ import annotations

_SHOWN = 60


class BadFieldError(ValueError):
    """A field that makes its row useless; the text is a sentence that names the field."""


class NotOfferedError(BadFieldError):
    """A row that itself says that its offer is not to be shown: used goods, expired, for adults only."""


class SparedFieldError(BadFieldError):
    """A field that cannot be used and that its row can go without; ``fields`` names what to leave out for it."""

    def __init__(self, text: str, *fields: str) -> None:
        super().__init__(text)
        self.fields = fields


def shown(text: str) -> str:
    """A shop's text as it may stand inside a sentence: short, on one line, in quotes."""
    short = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
    return repr(short)
