"""Answers to photos in a Redis: any process finds them, and the Redis cannot read them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import redis
from flask.testing import FlaskClient
from PIL import Image

from mapsi.imaging import encode_jpeg
from mapsi.settings import Secret
from mapsi.web.state.packing import pack, unpack
from mapsi.web.state.photo_answers import PhotoAnswer, PhotoExpiredError
from mapsi.web.state.shared_answers import SharedPhotoAnswers
from servers import free_port, run_redis
from small_house import House, photo_bytes, photo_form

PHOTO = Image.new("RGB", (64, 48), "#c0392b")


def answered(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/").text)
    assert found is not None
    answer = client.post("/search/photo", **photo_form(photo_bytes(), csrf_token=found[1]))
    assert answer.status_code == 303
    return answer.headers["Location"]


def made(house: House) -> PhotoAnswer:
    return PhotoAnswer(encode_jpeg(PHOTO, max_side=64), *PHOTO.size, house.finder.look(PHOTO))


def test_what_one_process_answered_another_shows_and_forgets(house: House, redis_url: str) -> None:
    one, other = (house.app(answers=Secret(redis_url)).test_client() for _ in range(2))
    there = answered(one)
    other.set_cookie("mapsi", str(one.get_cookie("mapsi").value))  # one browser, whichever process it is led to
    first, second = one.get(there), other.get(there)
    assert (first.status_code, second.status_code) == (200, 200)
    assert other.get(f"{there}/photo.jpg").data == one.get(f"{there}/photo.jpg").data
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', second.text)
    assert found is not None
    assert other.post(f"{there}/forget", data={"csrf_token": found[1]}).status_code == 303
    assert one.get(there).status_code == 404


def test_an_answer_is_the_same_after_it_was_packed(house: House) -> None:
    before = made(house)
    after = unpack(pack(before))
    assert (after.picture, after.width, after.height) == (before.picture, before.width, before.height)
    assert np.array_equal(after.look.whole.embedding, before.look.whole.embedding)
    assert after.look.whole.model == before.look.whole.model
    for axis, reading in before.look.whole.axes.items():
        same = after.look.whole.axes[axis]
        assert (same.known, same.top) == (reading.known, reading.top)
        assert np.array_equal(same.focus, reading.focus)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"null", b'{"is":"PhotoAnswer","has":{}}', b'{"is":"Path","has":{}}', b"\xff"]
)
def test_bytes_that_are_no_answer_give_no_answer(data: bytes) -> None:
    with pytest.raises(ValueError, match="not an answer of this version"):
        unpack(data)


def test_the_redis_holds_it_for_its_time_and_cannot_read_it(house: House, redis_url: str) -> None:
    answers, looking = SharedPhotoAnswers(redis_url, 60), redis.Redis.from_url(redis_url)
    looking.flushdb()
    answer = made(house)
    token = answers.keep(answer)
    (name,) = looking.keys("*")
    held = looking.get(name)
    assert 0 < looking.ttl(name) <= 60
    assert token.encode() not in name + held
    assert answer.picture not in held
    assert b"PhotoAnswer" not in held
    assert answers.find(token).picture == answer.picture
    looking.set(name, held[:-9] + b"123456789")
    for spoilt in (token, token[:-1], "", "한글"):
        with pytest.raises(PhotoExpiredError):
            answers.find(spoilt)


def test_without_its_redis_photos_are_a_503_and_words_go_on(house: House) -> None:
    client = house.app(answers=Secret(f"redis://127.0.0.1:{free_port()}/0")).test_client()
    assert client.get("/photo/some-token").status_code == 503
    assert client.get("/search?q=coat").status_code == 200
    assert client.post("/api/v1/search/image", **photo_form(photo_bytes())).status_code == 200
    assert client.get("/healthz").status_code == 200


def test_nothing_of_a_photo_is_in_the_tree_of_a_redis_that_writes(house: House, tmp_path: Path) -> None:
    with run_redis(tmp_path) as address:
        answers, answer = SharedPhotoAnswers(address, 60), made(house)
        answers.keep(answer)
        redis.Redis.from_url(address).save()
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert written
    assert answer.picture[100:200] not in written
