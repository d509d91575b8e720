"""What counts as an address on the web. Whether it may be visited, and how it is spelt, is for
``remote/address.py``."""

from __future__ import annotations

_LONGEST_SCHEME = len("https://")


def is_http(text: str) -> bool:
    """Whether ``text`` begins as an http(s) address does, in letters of either case: ``HTTPS://shop.example.com``."""
    return text[:_LONGEST_SCHEME].lower().startswith(("http://", "https://"))
