"""Rows of notices, whoever prints them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from dagster_project.sources.notice_rows import Notice, notices_of

ADDRESS = "https://www.mofcom.gov.cn/zwgk/zcfb/art/2026/art_1.html"


@pytest.mark.parametrize(
    ("printed", "kept"),
    [
        (ADDRESS, ADDRESS),
        ("http://example.org/a?b=1&c=%20", "http://example.org/a?b=1&c=%20"),
        (None, None),
        ("", None),
        ("javascript:alert(1)", None),
        ("ftp://example.org/a", None),
        ("/zwgk/zcfb/art_1.html", None),
        ("https://example.org/a b", None),
        ("https://x> ![p](http://attacker.example/x.png) <https://y", None),
    ],
)
def test_a_broken_address_costs_the_address_alone(printed: str | None, kept: str | None) -> None:
    """A notice is one of few in its batch: a quarantined row would reject all of them."""
    printed_notices = [
        Notice(number, date(2026, 1, 6), "MOFCOM", "announcement", "公布对镓的决定",
               datetime(2026, 1, 7), url=url)
        for number, url in (("2026-1", printed), ("2026-2", ADDRESS))
    ]  # fmt: skip
    rows = notices_of(printed_notices, source="mofcom")
    assert rows["url"].to_list() == [kept, ADDRESS]
