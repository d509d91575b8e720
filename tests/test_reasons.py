"""Reasons that runs give in English are read in Korean by an operator who reads Korean."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from mapsi.providers.quota import quota_spent
from mapsi.web.operator.reasons import Reason, in_words
from mapsi.web.request.languages import setup_languages

SOURCE = Path(__file__).parents[1] / "src" / "mapsi"
TOLD = {
    "BadFieldError",
    "NotOfferedError",
    "BrokenRow",
    "FeedError",
    "RemoteError",
    "RefusedAddressError",
    "quota_spent",
}


def told_in(text: str, language: str) -> Reason:
    app = Flask("test")
    setup_languages(app, "ko")
    with app.test_request_context(f"/?lang={language}"):
        app.preprocess_request()
        return in_words(text)


def reasons() -> Iterator[str]:
    """Every sentence that a feed, a row of one or a visited address is refused with, as the source has it."""
    for folder in ("providers", "remote"):
        for file in sorted((SOURCE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in TOLD:
                    yield from filter(None, map(_sentence, node.args))


def _sentence(node: ast.expr) -> str:
    """A text of the source with something in each of its blanks; nothing for what is put together elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else _blank(part) for part in node.values]
        return "".join(map(str, parts)) if any(isinstance(part, ast.Constant) for part in node.values) else ""
    return ""


def _blank(node: ast.expr) -> str:
    name = ast.unparse(node)
    return "Check the path." if "error.message" in name or "error.hint" in name else "'a.(b)'"


def test_a_day_whose_calls_are_spent_is_told_in_korean() -> None:
    spent = quota_spent("The 25,000 calls of today are used up.", datetime(2026, 11, 28, tzinfo=UTC))
    told = told_in(
        f"{spent.message} {spent.hint} So far 3 of 9 queries are answered; the next run asks the others.", "ko"
    )
    assert told.language == "ko"
    assert "검색어 9개 중 3개" in told.text


@pytest.mark.parametrize("reason", sorted(set(reasons())))
def test_every_reason_that_is_given_has_its_korean(reason: str) -> None:
    told = told_in(reason, "ko")
    assert told.language == "ko", reason
    assert told.text.count("'a.(b)'") == reason.count("'a.(b)'")
    assert told_in(reason, "en") == Reason(reason, "en")


def test_several_sentences_are_one_reason() -> None:
    held = "12 of 20 offers would be gone, more than the 50% that may disappear without a person looking. "
    assert told_in(f"{held}The feed is held back; nothing was changed.", "ko").text == (
        "상품 20개 중 12개가 사라지게 돼요. 사람이 보지 않고 사라져도 되는 50%보다 많아요. 피드를 보류했고, 바뀐 것은 "
        "없어요."
    )
    none = (
        "None of the feed's 3 rows can be used; the first, in line 2: The row has no price. Fix the feed; nothing was "
    )
    assert told_in(f"{none}changed.", "ko").text.startswith(
        "피드의 행 3개를 하나도 쓸 수 없어요. 첫 행(2번째 줄): 행에 price"
    )
    used = "The product is used, by its condition; only new products are shown here. Its offer stays as it was."
    assert told_in(used, "ko").text.startswith("condition에 따르면 중고 상품")


@given(st.text(max_size=300))
def test_a_reason_that_is_not_known_is_read_as_it_was_given(text: str) -> None:
    told = told_in(text, "ko")
    assert told.language == "ko" or told == Reason(text, "en")
    assert told_in("Something else happened.", "ko") == Reason("Something else happened.", "en")
