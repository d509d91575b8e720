"""The ledger and the manners of time: torn lines, damaged lines, limits in headers, fields of strangers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collecting import WoundClock
from mapsi.collect.harvest.downloads import Downloads, HostBusy, Postponed
from mapsi.collect.harvest.ledger import NAME, Ledger, LedgerLine, read_ledger, short_address
from mapsi.collect.pace import Pace, hour_of, limit_rest
from mapsi.collect.sources.entries import address_of, pixels, plain_text
from mapsi.errors import ArtifactError

texts = st.text(st.characters(codec="utf-8"), max_size=40)
lines = st.builds(
    LedgerLine,
    outcome=st.sampled_from(["kept", "refused", "duplicate", "failed"]),
    cls=texts,
    source=texts,
    address=texts,
    query=texts,
    language=st.sampled_from(["ko", "en"]),
    rank=st.integers(0, 1000),
    time=texts,
    reason=texts,
    title=texts,
    creator=texts,
    width=st.integers(0, 9999),
)


def line(address: str, **about: object) -> LedgerLine:
    fixed = {
        "outcome": "kept",
        "cls": "knit",
        "source": "shelf",
        "query": "니트",
        "language": "ko",
        "rank": 1,
        "time": "",
    }
    return LedgerLine(**{**fixed, "address": address, **about})  # type: ignore[arg-type]


@given(written=st.lists(lines, max_size=8), data=st.data())
@settings(max_examples=60, deadline=None)
def test_cut_anywhere_the_ledger_keeps_its_whole_lines(
    tmp_path_factory: pytest.TempPathFactory, written: list[LedgerLine], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("ledger")
    written = [w for w in written if w.cls and w.source and w.address]
    with closing(Ledger(folder)) as ledger:
        for entry in written:
            ledger.append(entry)
    file = folder / NAME
    whole = file.read_bytes()
    file.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    expected = written[: file.read_bytes().count(b"\n")]
    assert list(read_ledger(folder)) == expected
    with closing(Ledger(folder)) as ledger:
        ledger.append(line("https://img.example.com/last.jpg"))
    assert list(read_ledger(folder)) == [*expected, line("https://img.example.com/last.jpg")]


@pytest.mark.parametrize(
    "broken", ["not json", "[1]", "{}", '{"outcome": "kept", "class": 3, "source": "a", "address": "b"}']
)
def test_a_damaged_line_is_named(tmp_path: Path, broken: str) -> None:
    good = '{"outcome": "kept", "class": "knit", "source": "a", "address": "b"}'
    (tmp_path / NAME).write_text(f"{good}\n{broken}\n{good}\n", "utf-8")
    with pytest.raises(ArtifactError, match="line 2"):
        Ledger(tmp_path)


def test_a_later_line_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    with closing(Ledger(tmp_path)) as ledger:
        ledger.append(line("a", outcome="failed", reason="status 500"))
        ledger.append(line("a"))
        assert [entry.outcome for entry in ledger.lines] == ["kept"]
    assert len(list(read_ledger(tmp_path))) == 2


def test_a_very_long_address_is_written_short_and_still_told_apart() -> None:
    one, other = (f"data:image/png;base64,{'A' * 9000}{end}" for end in "xy")
    assert short_address(one) != short_address(other)
    assert len(short_address(one)) < 200
    assert short_address("https://img.example.com/1.jpg") == "https://img.example.com/1.jpg"


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"x-ratelimit-remaining": "3", "x-ratelimit-reset": "50"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "50"}, 50),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795348890"}, 90),
        ({"x-ratelimit-remaining": "0"}, 60),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "later"}, 60),
        ({"x-ratelimit-available-anon_burst": "1", "x-ratelimit-limit-anon_burst": "20/min"}, 0),
        ({"x-ratelimit-available-anon_burst": "0", "x-ratelimit-limit-anon_burst": "20/min"}, 60),
        ({"x-ratelimit-available-anon_sustained": "0", "x-ratelimit-limit-anon_sustained": "200/day"}, 86400),
        ({"x-ratelimit-available-a": "0", "x-ratelimit-limit-a": "5/sec", "x-ratelimit-available-b": "0"}, 60),
    ],
)
def test_a_spent_limit_says_how_long_to_rest(headers: Mapping[str, str], seconds: float) -> None:
    assert limit_rest(headers, now=1_795_348_800) == seconds


@given(st.text(alphabet="0123456789", max_size=13) | st.text(max_size=9))
def test_whatever_a_limit_says_the_hour_of_its_end_can_be_told(reset: str) -> None:
    rest = limit_rest({"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}, now=1_795_348_800)
    assert hour_of(1_795_348_800 + rest) < "2028"


def test_a_pace_keeps_beginnings_apart_and_rests_when_told() -> None:
    clock = WoundClock()
    pace = Pace(clock, apart=2)
    with pace:
        clock.sleep(0.5)
    with pace:
        pass
    pace.rest(30)
    with pace:
        pass
    assert clock.slept == [0.5, 1.5, 30]


def test_a_job_that_meets_a_busy_host_waits_its_turn_and_is_given_up_in_the_end() -> None:
    clock = WoundClock()
    busy = {"a": 99, "b": 1}

    def work(job: str) -> str:
        if busy[job[0]]:
            busy[job[0]] -= 1
            raise HostBusy(10)
        return job.upper()

    with closing(Downloads[str, str](work, lambda job: job[0], clock)) as downloads:
        for job in ("a1", "a2", "b1", "b2"):
            downloads.add(job)
        results: dict[str, str | Postponed] = {}
        while done := downloads.finished():
            results |= dict(done)
        downloads.add("a3")
        results |= dict(downloads.finished())
    assert (results["b1"], results["b2"]) == ("B1", "B2")
    assert all(isinstance(results[job], Postponed) for job in ("a1", "a2", "a3"))
    assert busy["a"] == 99 - 3


# --- fields of strangers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("<b>니트</b> &amp; 셔츠", "니트 & 셔츠"),
        ('<a href="x">Kim<br>Lee</a>', "Kim Lee"),
        ("<script>alert(1)</script>Park", "Park"),
        ("a\u202eb\x00c\n d", "a b c d"),
        ("Kim <![if !x]> Lee", "Kim Lee"),
        ("<![ knit", "<![ knit"),
        ("x" * 999, "x" * 300),
        (None, ""),
        (7, ""),
    ],
)
def test_a_field_becomes_one_plain_line(field: object, text: str) -> None:
    assert plain_text(field) == text


@given(st.text() | st.text(alphabet="<![]>-?&#;/ax1 \"'="))
def test_any_field_becomes_a_short_printable_line(field: str) -> None:
    text = plain_text(field)
    assert len(text) <= 300
    assert text.isprintable()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("640", 640), (640, 640), ("", 0), ("wide", 0), (True, 0), (-1, 0), ("9" * 5000, 0), (1e3, 0)],
)
def test_a_side_is_a_sensible_number_or_not_known(value: object, expected: int) -> None:
    assert pixels(value) == expected


@pytest.mark.parametrize("value", [None, 3, "", "ftp://example.com/a", "javascript:alert(1)", "/etc/passwd", "data:x",
                                   "https://example.com/\x1b[2J", "https://example.com/a\nb"])  # fmt: skip
def test_what_is_no_web_address_is_none(value: object) -> None:
    assert address_of(value) == ""
