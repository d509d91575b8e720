"""The fetcher's forms: posted to one address, sent on to no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mapsi.errors import RemoteError
from mapsi.remote import Fetcher
from photo_sources import CLIENT, PhotoSources, Reply, run_photo_sources

FORM = {"grant_type": "client_credentials", "client_id": CLIENT[0], "client_secret": CLIENT[1]}


@pytest.fixture
def server() -> Iterator[PhotoSources]:
    with run_photo_sources() as (running,):
        yield running


def post(server: PhotoSources, form: dict[str, str]) -> bytes:
    fetcher = Fetcher(allow_hosts=("127.0.0.1",))
    return fetcher.fetch(f"{server.url}/v1/auth_tokens/token/", max_bytes=10_000, seconds=5, form=form).data


def test_a_form_arrives_as_it_was_filled_in(server: PhotoSources) -> None:
    assert b"access_token" in post(server, FORM)


def test_a_form_of_any_letters_arrives(server: PhotoSources) -> None:
    with pytest.raises(RemoteError, match="401"):
        post(server, {**FORM, "client_secret": "열쇠 & a=b\r\nX: y"})


def test_a_form_is_not_sent_on_where_a_redirect_leads(server: PhotoSources) -> None:
    server.trouble("openverse-token", Reply(status=307, headers={"Location": "/v1/auth_tokens/token/?again"}))
    with pytest.raises(RemoteError, match="307"):
        post(server, FORM)
    assert sum(server.asked.values()) == 1
