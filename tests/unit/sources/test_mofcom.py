"""China's Ministry of Commerce: how a list is asked for, which titles are read, and pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from dagster_project.errors import DeniedError, UpstreamFormatError
from dagster_project.lake.schemas import NOTICES
from dagster_project.sources import mofcom
from dagster_project.sources.card import (
    Answer,
    Document,
    Done,
    Instead,
    More,
    Request,
    Scope,
    Step,
)
from tests.conftest import SHARED, needs_shared
from tests.fakes.mofcom import (
    FIREWALL,
    LIST_TAG,
    TEMPLATE_ID,
    WEB_ID,
    Entry,
    announcement_page,
    column_page,
    list_answer,
    list_html,
)

PAYLOADS = SHARED / "payloads" / "mofcom"
RETRIEVED = datetime(2026, 11, 29, 10, 5)
GALLIUM = Entry("商务部公告2026年第9号 公布对镓相关物项实施出口管制的决定", "2026-11-27")


def parse(*pages: bytes) -> pl.DataFrame:
    label = Document("announcements", RETRIEVED, is_bundled=False)
    return mofcom.parse_extract(pages, label)["notices"]


def listing(*entries: Entry, count: int | None = None) -> bytes:
    html = list_html(entries, len(entries) if count is None else count, 15)
    return json.dumps(list_answer(html)).encode()


def titled(*titles: str) -> Sequence[str]:
    """The numbers of the notices in a list of these titles."""
    rows = parse(listing(*(Entry(title, "2026-11-27") for title in titles)))
    return rows["notice_id"].to_list()


def follow(request: Request, payload: bytes, folder: Path) -> Step:
    file = folder / "answer"
    file.write_bytes(payload)
    return mofcom.follow(request, Answer("content", 200, file))


def column(first_day: date | None = None) -> Request:
    (extract,) = mofcom.plan([], Scope(first_day=first_day))
    return extract.requests[0]


def list_request(folder: Path, first_day: date | None = None) -> Request:
    step = follow(column(first_day), column_page("p1").encode(), folder)
    assert isinstance(step, Instead)
    return step.requests[0]


# How a list is asked for.


def test_a_column_says_how_its_list_is_asked_for(tmp_path: Path) -> None:
    asked = list_request(tmp_path)
    assert asked.url == "api-gateway/jpaas-publish-server/front/page/build/unit"
    assert asked.params == {
        "parseType": "bulidstatic",
        "webId": WEB_ID,
        "tplSetId": TEMPLATE_ID,
        "pageType": "column",
        "tagId": LIST_TAG,
        "editType": "null",
        "pageId": "p1",
        "paramJson": '{"pageNo":1,"pageSize":15}',
    }


def test_the_number_of_a_column_may_be_in_its_meta_alone(tmp_path: Path) -> None:
    page = column_page("from-meta", with_page_id=False).encode()
    step = follow(column(), page, tmp_path)
    assert isinstance(step, Instead)
    assert step.requests[0].params["pageId"] == "from-meta"


def test_what_a_column_gives_replaces_what_is_usual(tmp_path: Path) -> None:
    unit = (
        "<script queryData=\"{'webId':'w','pageId':'p','parseType':'buildstatic',"
        "'tagId':'信息列表','tplSetId':'t'}\"></script>"
    )
    step = follow(column(), column_page("p", unit=unit).encode(), tmp_path)
    assert isinstance(step, Instead)
    assert step.requests[0].params["parseType"] == "buildstatic"


@pytest.mark.parametrize(
    "page",
    [
        column_page("p", unit=""),
        column_page("p", unit="<script queryData=\"{'webId':'w'}\"></script>"),
        "<html><body>维护中</body></html>",
    ],
    ids=["no unit", "no parameters", "maintenance"],
)
def test_a_column_that_does_not_say_it_ends_in_a_sentence(page: str, tmp_path: Path) -> None:
    with pytest.raises(UpstreamFormatError, match="does not say how its list is asked for"):
        follow(column(), page.encode(), tmp_path)


def test_the_newest_page_is_enough_unless_a_day_is_given(tmp_path: Path) -> None:
    assert follow(list_request(tmp_path), listing(GALLIUM, count=412), tmp_path) == Done()
    step = follow(list_request(tmp_path, date(2026, 1, 1)), listing(GALLIUM, count=412), tmp_path)
    assert isinstance(step, More)
    assert step.requests[0].params["paramJson"] == '{"pageNo":2,"pageSize":15}'
    assert step.requests[0].params["webId"] == WEB_ID


def test_pages_are_followed_until_one_reaches_the_day(tmp_path: Path) -> None:
    older = Entry("商务部公告2025年第60号", "2025-10-09")
    asked = list_request(tmp_path, date(2025, 10, 10))
    assert follow(asked, listing(GALLIUM, older, count=412), tmp_path) == Done()
    # An old entry that is pinned to the top does not end it.
    assert isinstance(follow(asked, listing(older, GALLIUM, count=412), tmp_path), More)


def test_pages_are_followed_back_to_the_last_known_day(tmp_path: Path) -> None:
    (extract,) = mofcom.plan([], Scope(known_until=date(2026, 11, 20)))
    assert extract.document == "announcements"
    step = follow(extract.requests[0], column_page("p1").encode(), tmp_path)
    assert isinstance(step, Instead)
    asked = step.requests[0]
    assert isinstance(follow(asked, listing(GALLIUM, count=412), tmp_path), More)
    older = Entry("商务部公告2026年第8号", "2026-11-19")
    assert follow(asked, listing(GALLIUM, older, count=412), tmp_path) == Done()


def test_a_list_that_does_not_say_how_long_it_is_leaves_no_gap_unsaid(tmp_path: Path) -> None:
    asked = list_request(tmp_path, date(2026, 11, 1))
    items = "".join(
        f'<li><a href="/{n}">商务部公告2026年第{n}号</a><span>[2026-11-27]</span></li>'
        for n in range(1, 16)
    )
    step = follow(asked, json.dumps(list_answer(f"<ul>{items}</ul>")).encode(), tmp_path)
    assert isinstance(step, Done)
    assert "of 2026-11-01 to 2026-11-27 there may be more than were read" in step.warning


def test_another_column_that_cannot_be_read_is_left_out_with_a_word(tmp_path: Path) -> None:
    (extract,) = mofcom.plan([], Scope())
    main, other, _ = extract.requests
    assert (main.url, main.statuses.get(404)) == ("zwgk/zcfb/index.html", None)
    gone = Answer("nothing", 404, tmp_path / "none")
    assert mofcom.follow(other, gone) == Instead(
        (), "the column zcfb/blgg/index.html is left out: zcfb/blgg/index.html is not at its "
        "address (404).",
    )  # fmt: skip
    step = follow(other, b"<html></html>", tmp_path)
    assert isinstance(step, Instead)
    assert "does not say how its list is asked for" in step.warning
    step = follow(other, column_page("p2").encode(), tmp_path)
    assert isinstance(step, Instead)
    step = follow(step.requests[0], json.dumps(list_answer("<ul></ul>")).encode(), tmp_path)
    assert step == Instead((), step.warning)  # type: ignore[union-attr]
    assert "no entry with a title and a day" in step.warning


def test_pages_are_followed_to_the_last_one(tmp_path: Path) -> None:
    asked = list_request(tmp_path, date(2000, 1, 1))
    assert follow(asked, listing(GALLIUM, count=15), tmp_path) == Done()
    step = follow(asked, listing(GALLIUM, count=16), tmp_path)
    assert isinstance(step, More)
    assert follow(step.requests[0], listing(GALLIUM, count=16), tmp_path) == Done()


def test_at_most_one_request_is_sent_in_ten_seconds() -> None:
    assert mofcom.CARD.limits.calls_a_minute == 6


def test_the_firewall_ends_the_run_in_a_sentence(tmp_path: Path) -> None:
    refusal = Answer("quota", 403, tmp_path / "none", text=FIREWALL.decode())
    assert column().statuses == {403: "quota"}
    with pytest.raises(DeniedError, match="firewall refuses requests from here"):
        mofcom.follow(column(), refusal)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (json.dumps(list_answer("<ul></ul><div class='page' count='412'></div>")), "counts 412"),
        (json.dumps(list_answer("<ul></ul>")), "no entry with a title and a day"),
        (json.dumps(list_answer("<p>count</p>")), "no entry with a title and a day"),
        (json.dumps(list_answer('<a href="/a">商务部公告2026年第1号</a>')), "no entry"),
        (json.dumps(list_answer(None, "500", "参数错误")), "参数错误"),
        ("{}", "no list"),
        ("[]", "no object"),
        ('{"data": {"html": ["a"]}}', "no list"),
    ],
)
def test_a_list_without_the_pattern_is_no_empty_list(
    payload: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(UpstreamFormatError, match=words):
        parse(payload.encode())
    with pytest.raises(UpstreamFormatError, match=words):
        follow(list_request(tmp_path), payload.encode(), tmp_path)


def test_a_list_that_counts_nothing_is_empty(tmp_path: Path) -> None:
    nothing = listing(count=0)
    assert parse(nothing).height == 0
    assert follow(list_request(tmp_path), nothing, tmp_path) == Done()


# Which titles are read.


@pytest.mark.parametrize(
    ("title", "notice_id"),
    [
        ("商务部公告〔2026〕第1号", "2026-1"),
        ("商务部公告（2026年第1号）", "2026-1"),
        ("商务部 海关总署2025年第57号公告", "2025-57"),
        ("商务部(海关总署)公告2026年第3号", "2026-3"),
        ("国家就业局公告2026年第4号", "国家就业局 2026-4"),
        ("商务部公告2026年第1号 公布关于加强两用物项出口管制的公告", "2026-1"),
        ("商务部 海关总署公告2025年第57号", "2025-57"),
        ("商务部　海关总署公告２０２５年　第５７　号", "2025-57"),
        ("商务部、海关总署公告 2025 年第 057 号", "2025-57"),
        ("中华人民共和国商务部公告2026年第8号", "2026-8"),
        ("海关总署公告2026年第12号", "海关总署 2026-12"),
        ("国家发展改革委 工业和信息化部公告2026年第2号", "国家发展改革委 工业和信息化部 2026-2"),
    ],
)
def test_a_number_is_read_in_every_spelling(title: str, notice_id: str) -> None:
    assert titled(title) == [notice_id]


def test_titles_about_an_announcement_are_not_that_announcement() -> None:
    assert titled(
        "商务部新闻发言人就商务部公告2025年第61号答记者问",
        "关于商务部公告2025年第61号的解读",
        "商务部令2026年第1号",
        "商务部关于2026年工作的通知",
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("title", "is_left_out"),
    [
        ("商务部公告第57号（2025年）", True),
        ("关于2026年稀土出口的公告", True),
        ("关于调整商务部公告2024年第46号的通知", True),
        ("商务部新闻发言人就商务部公告2025年第61号答记者问", False),
        ("关于商务部公告2025年第61号的解读", False),
        ("商务部令2026年第1号", False),
        ("商务部公告2026年第1号", False),
    ],
)
def test_a_title_like_an_announcements_is_never_dropped_without_a_word(
    title: str, is_left_out: bool, tmp_path: Path
) -> None:
    step = follow(list_request(tmp_path), listing(GALLIUM, Entry(title, "2026-11-27")), tmp_path)
    warning = "1 title has 公告 and a year in zwgk/zcfb/index.html, and no number that is read"
    assert isinstance(step, Done)
    assert step.warning.startswith(warning) is is_left_out
    assert (title in step.warning) is is_left_out
    assert bool(step.warning) is is_left_out


@pytest.mark.parametrize(
    ("title", "cited"),
    [
        (
            "商务部 海关总署公告2026年第70号 公布暂停实施商务部 海关总署公告2025年第55号、56号、"
            "57号、58号及商务部公告2025年第61号、62号的决定",
            ["MOFCOM 2025-55", "MOFCOM 2025-61", "暂停实施"],
        ),
        (
            "商务部公告2026年第72号 公布暂停实施商务部公告2024年第46号第二款的决定",
            ["MOFCOM 2024-46", "暂停实施"],
        ),
        (
            "商务部公告2026年第40号 关于延长暂停实施商务部公告2025年第55号的公告",
            ["MOFCOM 2025-55", "暂停实施"],
        ),
        ("商务部公告2026年第41号 关于停止实施商务部公告2024年第46号", ["MOFCOM 2024-46"]),
        ("商务部公告2026年第42号 关于废止商务部公告〔2025〕第18号的公告", ["MOFCOM 2025-18"]),
        ("商务部公告2026年第43号 恢复实施2025年第57号公告", ["MOFCOM 2025-57"]),
        ("海关总署公告2026年第12号 关于执行商务部公告2025年第55号的公告", ["MOFCOM 2025-55"]),
        ("商务部公告2026年第44号 关于商务部公告2026年第44号的说明", []),
        ("商务部公告2026年第45号 关于延长轮胎反倾销调查期限的公告", []),
    ],
)
def test_an_announcement_that_cites_another_one_has_it_among_its_words(
    title: str, cited: list[str]
) -> None:
    (row,) = parse(listing(Entry(title, "2026-11-27"))).to_dicts()
    assert row["words"] == cited
    # It is no act of the one that it cites: what decided that one does not decide it.
    assert not set(row["acts"]) & set(cited)


def test_digits_of_full_width_are_plain_in_a_title() -> None:
    entry = Entry("商务部　海关总署公告２０２５年　第５７　号", "2026-11-27")
    assert parse(listing(entry))["title"].to_list() == ["商务部 海关总署公告2025年 第57 号"]


def test_an_announcement_in_a_list_is_a_row_with_number_and_words() -> None:
    entry = Entry(GALLIUM.title, GALLIUM.day, path="/zwgk/zcfb/art/2026/art_1.html")
    assert parse(listing(entry)).row(0, named=True) == {
        "source": "mofcom",
        "notice_id": "2026-9",
        "published_at": date(2026, 11, 27),
        "issuer": "商务部",
        "kind": "announcement",
        "title": GALLIUM.title,
        "summary": None,
        "url": "https://www.mofcom.gov.cn/zwgk/zcfb/art/2026/art_1.html",
        "implementer_iso3": "CHN",
        "acts": ["MOFCOM 2026-9"],
        "corrects": None,
        "company": None,
        "words": ["出口管制", "镓"],
        "minerals": ["gallium"],
        "hs6_codes": [],
        "is_provisional": False,
        "vintage_at": RETRIEVED,
    }


def test_the_frame_fits_the_lake_once_its_provenance_is_added() -> None:
    frame = parse(listing(GALLIUM)).with_columns(
        document=pl.lit("announcements"), snapshot_id=pl.lit("mofcom-1")
    )
    assert NOTICES.conform(frame).schema == NOTICES.polars_schema


def test_another_authoritys_announcement_is_no_act_of_the_ministry() -> None:
    found = parse(listing(Entry("海关总署公告2026年第12号", "2026-11-27"))).row(0, named=True)
    assert (found["issuer"], found["acts"]) == ("海关总署", [])


def test_the_whole_title_is_taken_where_the_link_has_half_of_it() -> None:
    cut = Entry("商务部公告2026年第9号 公布对镓…", "2026-11-27", titled=GALLIUM.title)
    longer = Entry(GALLIUM.title, "2026-11-27", titled="商务部公告2026年第9号")
    assert parse(listing(cut))["title"].to_list() == [GALLIUM.title]
    assert parse(listing(longer))["title"].to_list() == [GALLIUM.title]


def test_a_notice_at_two_addresses_is_one_row_with_the_first() -> None:
    here = Entry(GALLIUM.title, GALLIUM.day, path="/zwgk/zcfb/art/1.html")
    there = Entry(GALLIUM.title, GALLIUM.day, path="https://exportcontrol.mofcom.gov.cn/2.html")
    for rows in (parse(listing(here, there)), parse(listing(here), listing(there))):
        assert rows.select("notice_id", "url").rows() == [
            ("2026-9", "https://www.mofcom.gov.cn/zwgk/zcfb/art/1.html")
        ]


def test_an_entry_without_a_day_is_listed_without_one() -> None:
    html = list_html([GALLIUM], 2, 15) + '<li><a href="/b">商务部公告2026年第10号</a></li>'
    rows = parse(json.dumps(list_answer(html)).encode())
    assert rows.select("notice_id", "published_at").rows() == [
        ("2026-9", date(2026, 11, 27)),
        ("2026-10", None),
    ]


def test_the_day_of_an_entry_is_its_own_when_it_stands_before_the_title() -> None:
    html = (
        '<ul><li><span>2026-11-27</span><a href="/a">商务部公告2026年第9号</a></li>'
        '<li><span>2026-11-20</span><a href="/b">商务部公告2026年第8号</a></li></ul>'
    )
    rows = parse(json.dumps(list_answer(html)).encode())
    assert rows.select("notice_id", "published_at").rows() == [
        ("2026-9", date(2026, 11, 27)),
        ("2026-8", date(2026, 11, 20)),
    ]


# The page of an announcement.


def test_the_page_of_an_announcement_has_its_words_and_codes() -> None:
    page = announcement_page(
        "商务部公告2026年第9号",
        "2026-11-27 16:30",
        [
            "决定对镓相关物项实施出口管制：",
            "参考海关商品编号：8112921000",
            "本公告自发布之日起施行。",
        ],
    )
    found = parse(page).row(0, named=True)
    assert (found["notice_id"], found["published_at"]) == ("2026-9", date(2026, 11, 27))
    assert found["minerals"] == ["gallium"]  # the menu's rare earths are not in its text
    assert found["hs6_codes"] == ["811292"]
    assert found["summary"].splitlines()[-1] == "本公告自发布之日起施行。"
    assert found["vintage_at"] == RETRIEVED


@pytest.mark.parametrize(
    ("printed", "url"),
    [
        (
            "/zwgk/zcfb/art/2026/art_1.html",
            "https://www.mofcom.gov.cn/zwgk/zcfb/art/2026/art_1.html",
        ),
        (
            "https://exportcontrol.mofcom.gov.cn/2.html",
            "https://exportcontrol.mofcom.gov.cn/2.html",
        ),
        (" ", None),
        ("", None),
    ],
)
def test_a_page_keeps_its_own_address(printed: str, url: str | None) -> None:
    page = announcement_page("商务部公告2026年第9号", "2026-11-27", ["镓"], printed)
    assert parse(page)["url"].to_list() == [url]


def test_a_long_text_is_shortened_and_read_to_its_end() -> None:
    page = announcement_page("商务部公告2026年第9号", "2026-11-27", ["管" * 5_000, "8112921000"])
    found = parse(page).row(0, named=True)
    assert len(found["summary"]) == 2_000
    assert found["summary"].endswith("…")
    assert found["hs6_codes"] == ["811292"]


def test_what_is_landed_together_is_read_from_the_page_first() -> None:
    page = announcement_page("商务部公告2026年第9号", "2026-11-27", ["镓"])
    label = Document("a", RETRIEVED, is_bundled=False)
    rows = mofcom.parse_together([(listing(GALLIUM), label), (page, label)])["notices"]
    assert rows.select("notice_id", "summary").rows() == [("2026-9", "镓")]


@pytest.mark.parametrize(
    "page",
    [
        FIREWALL,
        column_page("p").encode(),
        announcement_page("商务部新闻发言人答记者问", "2026-11-27", ["镓"]),
        announcement_page("商务部公告2026年第9号", "2026-11-27", []),
    ],
    ids=["firewall", "column", "press", "no text"],
)
def test_another_page_is_rejected(page: bytes) -> None:
    with pytest.raises(UpstreamFormatError, match="not that of a numbered announcement"):
        parse(page)


# The publisher's own answers.


@needs_shared
def test_stored_answers_are_read(tmp_path: Path) -> None:
    payloads = {file.stem: file.read_bytes() for file in PAYLOADS.iterdir()}
    rows = parse(payloads["list_unit_SYNTHETIC"])
    assert rows.select("notice_id", "issuer", "published_at").rows() == [
        ("2026-1", "商务部", date(2026, 1, 6)),
        ("2025-57", "商务部 海关总署", date(2025, 10, 9)),
    ]
    page = parse(payloads["announcement_SYNTHETIC_from_real_template"]).row(0, named=True)
    assert (page["notice_id"], page["published_at"]) == ("2025-18", date(2025, 4, 4))
    assert {"samarium", "all_rare_earths"} <= set(page["minerals"])
    assert page["hs6_codes"] == ["280530"]
    step = follow(column(), payloads["column_page_SYNTHETIC"], tmp_path)
    assert isinstance(step, Instead)
    assert step.requests[0].params["pageId"] == "abc123"
    with pytest.raises(UpstreamFormatError):
        parse(payloads["waf_403_SYNTHETIC"])
