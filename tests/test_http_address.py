"""What counts as an address on the web."""

from __future__ import annotations

import pytest

from mapsi.http_address import is_http


@pytest.mark.parametrize("text", ["http://a.example.com", "HTTPS://a.example.com/x", "Http://", "https://"])
def test_either_scheme_in_letters_of_either_case_is_one(text: str) -> None:
    assert is_http(text)


@pytest.mark.parametrize(
    "text", ["", "http:/a", "ftp://a", " https://a", "/srv/https://a", "javascript:alert(1)//http://"]
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_http(text)
