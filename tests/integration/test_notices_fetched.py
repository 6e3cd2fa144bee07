"""Publishers of notices, from the command to the lake: every page is read, and a refusal, a page
against robots or another layout ends in a sentence that loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from dagster_project.errors import ConfigurationError
from dagster_project.intake import fetch as fetching
from dagster_project.intake.command import fetch_and_report
from dagster_project.intake.land import land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import NOTICES
from dagster_project.lake.vintages import current_rows
from dagster_project.orchestration.runtime_tables import runtime_tables
from dagster_project.settings import Settings
from dagster_project.sources import federal_register, mofcom
from dagster_project.sources.registry import source_named
from tests.fakes.federal_register import CAPTCHA, FakeFederalRegister, document, many
from tests.fakes.mofcom import (
    COLUMN,
    FIREWALL,
    SECOND_COLUMN,
    THIRD_COLUMN,
    UNIT,
    Entry,
    FakeMofcom,
    announcement_page,
    column_page,
    list_answer,
)
from tests.fakes.server import (
    FakePublisher,
    Reply,
    Seen,
    failing,
    instead,
    json_reply,
    not_found,
    status,
    too_many_requests,
)


def today() -> date:
    """Asked anew by each test: midnight may pass while others run."""
    return datetime.now(UTC).date()


def ago(days: int) -> str:
    return f"{today() - timedelta(days=days)}"


class Desk:
    """One publisher, its stand-in, and a warehouse that fetches from it by the command."""

    def __init__(self, name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = name
        self.settings = settings
        self._monkeypatch = monkeypatch
        self._now = fetching._now
        self._days = 0

    def fetch(self, *, first: str = "", again: bool = False) -> tuple[int, str]:
        """The exit code of `kido fetch`, and what it printed."""
        lines: list[str] = []
        source = source_named(self.name)
        code = fetch_and_report(self.settings, source, first=first, again=again, write=lines.append)
        return code, "\n".join(lines)

    def let_days_pass(self) -> None:
        """Let moments of the calendar pass, those of a weekend too."""
        self._days += 4
        later = timedelta(days=self._days)
        self._monkeypatch.setattr(fetching, "_now", lambda: self._now() + later)

    def rows(self) -> pl.DataFrame:
        """The current rows of the lake, by number."""
        rows = lake_of(self.settings).rows(NOTICES, self.name)
        if rows is None:
            return NOTICES.empty()
        in_a_month = today() + timedelta(days=30)
        return current_rows(NOTICES, rows.collect(), in_a_month).sort("notice_id")

    def vintages(self) -> pl.DataFrame:
        """All rows of the lake."""
        rows = lake_of(self.settings).rows(NOTICES, self.name)
        return NOTICES.empty() if rows is None else rows.collect()

    @property
    def numbers(self) -> list[str]:
        return self.rows()["notice_id"].to_list()

    @property
    def snapshots(self) -> int:
        return len(landing_of(self.settings).snapshots(self.name))


@contextmanager
def at_desk(
    name: str, server: FakePublisher, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    with server:
        monkeypatch.setenv(f"KIDO_{name.upper()}_URL", server.base_url)
        # Tests do not wait ten seconds for each request; the card's limit is tested by itself.
        monkeypatch.setenv(f"KIDO_{name.upper()}_CALLS_PER_MINUTE", "60000")
        yield Desk(name, Settings.load(), monkeypatch)


# The Federal Register.


@pytest.fixture
def register() -> FakeFederalRegister:
    server = FakeFederalRegister()
    server.documents = [
        document("2026-1", ago(50), "Additions to the Entity List"),
        document("2026-2", ago(20), "Notice of a Meeting", "energy-department", type="Notice"),
        document("2026-3", ago(1), "Controls on Gallium"),
    ]
    return server


@pytest.fixture
def desk(
    register: FakeFederalRegister, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    with at_desk("federal_register", register, settings, monkeypatch) as opened:
        yield opened


def first_days(register: FakeFederalRegister) -> list[str]:
    """The first day of each search."""
    queries = (parse_qs(urlsplit(seen.target).query) for seen in register.requests)
    return [query["conditions[publication_date][gte]"][0] for query in queries]


def test_documents_of_sixty_days_are_rows_after_one_command(
    register: FakeFederalRegister, desk: Desk
) -> None:
    register.documents += [
        document("2026-0", ago(61), "Controls on Antimony"),
        document("2026-9", ago(5), "Section 232: Magnets", "commerce-department"),
        document("2026-8", ago(5), "Copper River Salmon", "fisheries-bureau"),
    ]
    code, printed = desk.fetch()
    assert code == 0, printed
    assert len(register.requests) == 1
    # 61 days ago is too early, and other bureaus of the department are left out.
    assert desk.rows().select("notice_id", "issuer", "minerals").rows() == [
        ("2026-1", "Industry and Security Bureau", []),
        ("2026-2", "Energy Department", []),
        ("2026-3", "Industry and Security Bureau", ["gallium"]),
        ("2026-9", "Commerce Department", []),
    ]


@pytest.mark.parametrize("by_number", [False, True], ids=["cursor", "number"])
def test_every_page_is_read_whichever_link_leads_to_it(
    by_number: bool, register: FakeFederalRegister, desk: Desk
) -> None:
    register.pages_by_number = by_number
    register.most_on_a_page = 40
    register.documents = list(many(today() - timedelta(days=30), 30, 5))
    code, printed = desk.fetch()
    assert code == 0, printed
    assert len(desk.numbers) == 150
    assert [("page" in seen.query) is by_number for seen in register.requests[1:]] == [True] * 3
    assert len(register.requests) == 4


def test_a_document_that_moves_to_the_next_page_is_one_row(
    register: FakeFederalRegister, desk: Desk
) -> None:
    register.most_on_a_page = 2
    register.shift = -1
    code, printed = desk.fetch()
    assert code == 0, printed
    assert len(register.requests) == 2
    assert desk.numbers == ["2026-1", "2026-2", "2026-3"]


def test_more_than_ten_thousand_documents_are_all_read(
    register: FakeFederalRegister, desk: Desk
) -> None:
    register.documents = list(many(today() - timedelta(days=59), 60, 190))
    code, printed = desk.fetch()
    assert code == 0, printed
    rows = desk.rows()
    assert rows.height == 60 * 190
    assert rows["published_at"].n_unique() == 60
    assert desk.snapshots == 1


def test_an_answer_without_results_is_nothing_published(
    register: FakeFederalRegister, desk: Desk
) -> None:
    register.documents = []
    register.without_results = True
    code, printed = desk.fetch()
    assert (code, desk.numbers) == (0, [])
    assert "empty" in printed


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(200, CAPTCHA, "text/html"), "HTML page where JSON was expected"),
        (Reply(200, CAPTCHA, "application/json"), "HTML page where JSON was expected"),
        (Reply(403, CAPTCHA, "text/html"), "403"),
        (Reply(404, b"<html><h1>404</h1></html>", "text/html"), "404"),
        (json_reply({"status": "busy"}), "no page of documents"),
    ],
    ids=["captcha", "captcha as JSON", "403", "404", "other JSON"],
)
def test_another_answer_is_a_sentence_and_loses_no_notice(
    reply: Reply, words: str, register: FakeFederalRegister, desk: Desk
) -> None:
    desk.fetch()
    before = desk.rows()
    register.always(instead(reply))
    desk.let_days_pass()
    code, printed = desk.fetch()
    assert code == 1
    assert words in printed
    assert "Traceback" not in printed
    assert desk.rows().equals(before)
    register.always(None)
    assert desk.fetch()[0] == 0


def test_a_broken_document_is_named_and_loses_no_other(
    register: FakeFederalRegister, desk: Desk
) -> None:
    broken = {"type": None, "agencies": None, "title": None}
    register.documents.append({**document("2026-4", ago(2)), **broken})
    code, printed = desk.fetch()
    assert code == 0, printed
    assert desk.numbers == ["2026-1", "2026-2", "2026-3", "2026-4"]
    assert "1 document without a valid value of a field: 2026-4 (title, type, agencies)" in printed


def test_an_unknown_agency_is_named(register: FakeFederalRegister, desk: Desk) -> None:
    register.known_slugs -= {"foreign-assets-control-office"}
    code, printed = desk.fetch()
    assert code == 1
    assert "'foreign-assets-control-office' is not a valid agency slug" in printed
    assert len(register.requests) == 1


def test_passing_trouble_is_waited_out(
    register: FakeFederalRegister, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(fetching.time, "sleep", pauses.append)
    register.will(too_many_requests("0"), failing(503))
    fetch = fetching.SourceFetch(desk.settings, source_named("federal_register"))
    report = fetch.run(fetch.plan_due(), sleep=pauses.append)
    assert report.answer == "ok", report.reason
    assert len(register.requests) == 3


def test_the_second_fetch_asks_for_sixty_days_again_and_finds_what_is_new(
    register: FakeFederalRegister, desk: Desk
) -> None:
    desk.fetch()
    assert "nothing to request" in desk.fetch()[1]
    desk.let_days_pass()
    assert "unchanged" in desk.fetch()[1]
    assert desk.snapshots == 1
    correction = document(
        "C1-2026-3", ago(0), "Controls on Gallium; Correction",
        correction_of="https://www.federalregister.gov/api/v1/documents/2026-3",
    )  # fmt: skip
    register.documents.append(correction)
    desk.let_days_pass()
    assert "new, 4 rows" in desk.fetch()[1]
    assert set(first_days(register)) <= {ago(60), ago(61)}
    corrected = desk.rows().filter(notice_id="C1-2026-3").row(0, named=True)
    assert (corrected["kind"], corrected["corrects"]) == ("correction", "2026-3")
    assert corrected["acts"] == ["FR 2026-3", "FR C1-2026-3"]


def test_a_changed_title_is_a_new_vintage(register: FakeFederalRegister, desk: Desk) -> None:
    desk.fetch()
    register.documents[2] = document("2026-3", ago(1), "Controls on Germanium")
    desk.let_days_pass()
    desk.fetch()
    assert desk.rows().filter(notice_id="2026-3")["minerals"].to_list() == [["germanium"]]
    rows = lake_of(desk.settings).rows(NOTICES, "federal_register")
    assert rows is not None
    assert set(rows.filter(notice_id="2026-3").collect()["title"]) == {
        "Controls on Gallium", "Controls on Germanium",
    }  # fmt: skip


def test_older_documents_are_fetched_from_a_day_on(
    register: FakeFederalRegister, desk: Desk
) -> None:
    register.documents.append(document("2025-1", ago(400), "Controls on Antimony"))
    desk.fetch()
    assert "2025-1" not in desk.numbers
    code, printed = desk.fetch(first=ago(400))
    assert code == 0, printed
    assert desk.numbers == ["2025-1", "2026-1", "2026-2", "2026-3"]
    assert first_days(register)[-1] == ago(400)


def test_after_a_long_pause_the_days_since_are_asked_for(
    register: FakeFederalRegister, desk: Desk
) -> None:
    register.documents = [document("2026-1", ago(300), "Controls on Gallium")]
    desk.fetch(first=ago(400))
    desk.let_days_pass()
    desk.fetch()
    assert first_days(register)[-1] == ago(360)


@pytest.mark.parametrize(
    ("periods", "words"),
    [
        ({"first": "2026-02-30"}, "not a day of the calendar"),
        ({"first": "yesterday"}, "neither a year"),
        ({"first": "2999"}, "published nothing from then on"),
        ({"first": "2026", "last": "2026"}, "takes --from, not --to"),
        ({"frequency": "M"}, "takes --from, not --to"),
    ],
)
def test_other_periods_are_refused_in_a_sentence(
    periods: dict[str, str], words: str, register: FakeFederalRegister, desk: Desk
) -> None:
    source = source_named("federal_register")
    with pytest.raises(ConfigurationError, match=words):
        fetch_and_report(desk.settings, source, **periods, write=lambda line: None)  # type: ignore[arg-type]
    assert register.requests == []


# China's Ministry of Commerce.


@pytest.fixture
def ministry() -> FakeMofcom:
    server = FakeMofcom()
    server.columns[COLUMN] = [
        Entry("商务部公告2026年第9号 公布对镓相关物项实施出口管制的决定", ago(1)),
        Entry("商务部办公厅关于做好2026年工作的通知", ago(2)),
        Entry("商务部　海关总署公告２０２６年第８号", ago(3)),
        Entry("海关总署公告2026年第12号", ago(4)),
    ]
    return server


@pytest.fixture
def hall(
    ministry: FakeMofcom, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    with at_desk("mofcom", ministry, settings, monkeypatch) as opened:
        yield opened


def long_list(number: int) -> list[Entry]:
    """So many announcements, one in two days, the newest first."""
    return [Entry(f"商务部公告2026年第{number - each}号", ago(2 * each)) for each in range(number)]


def test_numbered_announcements_of_the_newest_page_are_rows(
    ministry: FakeMofcom, hall: Desk
) -> None:
    code, printed = hall.fetch()
    assert code == 0, printed
    assert [seen.path for seen in ministry.requests] == [
        COLUMN, UNIT, SECOND_COLUMN, UNIT, THIRD_COLUMN, UNIT,
    ]  # fmt: skip
    assert hall.rows().select("notice_id", "acts", "minerals").rows() == [
        ("2026-8", ["MOFCOM 2026-8"], []),
        ("2026-9", ["MOFCOM 2026-9"], ["gallium"]),
        ("海关总署 2026-12", [], []),
    ]


def test_the_firewall_gets_no_second_request(ministry: FakeMofcom, hall: Desk) -> None:
    hall.fetch()
    before = hall.rows()
    ministry.always(status(403, FIREWALL, "text/html"))
    hall.let_days_pass()
    code, printed = hall.fetch()
    assert code == 1
    assert "the publisher's firewall refuses requests from here (403); the run ends" in printed
    assert len(ministry.requests) == 6 + 1
    assert hall.rows().equals(before)


def test_a_refusal_of_a_later_page_ends_the_run_too(ministry: FakeMofcom, hall: Desk) -> None:
    ministry.columns[COLUMN] = long_list(40)
    ministry.only(2, then=status(403, FIREWALL, "text/html"))
    code, _ = hall.fetch(first=ago(365))
    assert (code, len(ministry.requests), hall.numbers) == (1, 3, [])
    ministry.always(None)
    ministry.requests.clear()
    code, printed = hall.fetch(first=ago(365))
    assert code == 0, printed
    # What had arrived is used: only the pages that were missing are asked for.
    assert [seen.query.get("paramJson") for seen in ministry.requests][:2] == [
        '{"pageNo":2,"pageSize":15}', '{"pageNo":3,"pageSize":15}',
    ]  # fmt: skip
    assert len(hall.numbers) == 40


def test_older_pages_are_fetched_back_to_a_day(ministry: FakeMofcom, hall: Desk) -> None:
    ministry.columns[COLUMN] = long_list(60)
    hall.fetch()
    assert len(hall.numbers) == 15
    code, printed = hall.fetch(first=ago(40))  # the 21st of the list, on the second page
    assert code == 0, printed
    pages = [seen.query["paramJson"] for seen in ministry.requests if seen.path == UNIT]
    assert [page[10] for page in pages] == ["1", "1", "1", "1", "2", "1", "1"]
    assert len(hall.numbers) == 30
    hall.fetch(first="2001")
    assert len(hall.numbers) == 60


def test_a_notice_in_two_columns_is_one_row_with_the_first_address(
    ministry: FakeMofcom, hall: Desk
) -> None:
    title = ministry.columns[COLUMN][0].title
    ministry.columns[SECOND_COLUMN] = [Entry(title, ago(1), path="/zcfb/blgg/art/2026/art_2.html")]
    code, printed = hall.fetch()
    assert code == 0, printed
    (url,) = hall.rows().filter(notice_id="2026-9")["url"]
    assert url == f"https://www.mofcom.gov.cn{ministry.columns[COLUMN][0].address}"
    assert hall.snapshots == 1


def test_what_was_published_while_nobody_asked_is_fetched_back_to_the_last_known_day(
    ministry: FakeMofcom, hall: Desk
) -> None:
    ministry.columns[COLUMN] = long_list(100)[60:]
    hall.fetch()
    assert len(hall.numbers) == 15
    ministry.columns[COLUMN] = long_list(100)
    ministry.requests.clear()
    hall.let_days_pass()
    code, printed = hall.fetch()
    assert code == 0, printed
    # The newest 15 known before were those of 120 to 148 days ago; what came after is complete.
    pages = [seen.query["paramJson"] for seen in ministry.requests if seen.path == UNIT]
    assert [page[10] for page in pages] == ["1", "2", "3", "4", "5", "1", "1"]
    assert set(hall.numbers) == {f"2026-{number}" for number in range(26, 101)}


def test_a_column_that_is_gone_is_a_warning_and_loses_no_other(
    ministry: FakeMofcom, hall: Desk
) -> None:
    del ministry.columns[THIRD_COLUMN]
    code, printed = hall.fetch()
    assert code == 0, printed
    assert "new, 3 rows; the column zcfb/zgdwjjmywg/index.html is left out" in printed
    assert len(hall.numbers) == 3
    hall.let_days_pass()
    assert "unchanged, 3 rows; the column zcfb/zgdwjjmywg/index.html is left out" in hall.fetch()[1]


def test_an_unread_title_is_counted_where_the_fetch_is_printed(
    ministry: FakeMofcom, hall: Desk
) -> None:
    ministry.columns[SECOND_COLUMN] = [Entry("商务部公告第57号（2025年）", ago(2))]
    code, printed = hall.fetch()
    assert code == 0, printed
    assert "1 title has 公告 and a year in zcfb/blgg/index.html" in printed


def _of_list(seen: Seen) -> bool:
    return seen.path == UNIT


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (json_reply(list_answer('<ul></ul><div class="page" count="412"></div>')), "counts 412"),
        (json_reply(list_answer(None, "500", "系统繁忙")), "系统繁忙"),
        (Reply(200, b"<html>busy</html>", "text/html"), "HTML page where JSON was expected"),
    ],
    ids=["without entries", "an error", "a page"],
)
def test_a_list_without_the_pattern_is_not_nothing_published(
    reply: Reply, words: str, ministry: FakeMofcom, hall: Desk
) -> None:
    hall.fetch()
    before = hall.rows()
    ministry.when(_of_list, instead(reply))
    hall.let_days_pass()
    code, printed = hall.fetch()
    assert code == 1
    assert words in printed
    assert hall.rows().equals(before)


@pytest.mark.parametrize("is_gone", [False, True], ids=["without a unit", "404"])
def test_a_column_that_changed_is_a_sentence(
    is_gone: bool, ministry: FakeMofcom, hall: Desk
) -> None:
    ministry.pages[COLUMN] = column_page("column0", unit="")
    if is_gone:
        ministry.always(not_found())
    code, printed = hall.fetch()
    assert (code, hall.numbers) == (1, [])
    assert ("404" if is_gone else "does not say how its list is asked for") in printed
    assert len(ministry.requests) == 1


def test_what_a_landed_page_says_is_not_lost_by_the_next_list(
    ministry: FakeMofcom, hall: Desk, tmp_path: Path
) -> None:
    hall.fetch()
    page = tmp_path / "announcement.html"
    page.write_bytes(
        announcement_page("商务部 海关总署公告2026年第8号", ago(3), ["钐相关物项（2805301900）"])
    )
    land_files(hall.settings, source_named("mofcom"), [page])
    for entry in ([], [Entry("商务部公告2026年第10号", ago(0))]):
        ministry.columns[COLUMN] = [*entry, *ministry.columns[COLUMN]]
        hall.let_days_pass()
        code, printed = hall.fetch()
        assert code == 0, printed
        # The mart unites what all vintages of a notice name.
        vintages = hall.vintages().filter(notice_id="2026-8")
        assert ["samarium"] in vintages["minerals"].to_list()
        assert ["280530"] in vintages["hs6_codes"].to_list()
        assert set(vintages["published_at"]) == {date.fromisoformat(ago(3))}
    assert "2026-10" in hall.numbers
    hall.let_days_pass()
    assert "unchanged" in hall.fetch()[1]


def test_the_cards_limits_space_the_requests(
    ministry: FakeMofcom, hall: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KIDO_MOFCOM_CALLS_PER_MINUTE")
    pauses: list[float] = []
    fetch = fetching.SourceFetch(Settings.load(), source_named("mofcom"))
    fetch.run(fetch.plan_due(), sleep=pauses.append)
    assert len(ministry.requests) == 6
    assert pauses == [pytest.approx(10, abs=1)] * 5


def test_the_lists_a_card_asks_for_are_of_its_publisher() -> None:
    assert federal_register.CARD.tables == mofcom.CARD.tables == ("notices",)
    assert not federal_register.CARD.needs_key
    assert not mofcom.CARD.needs_key


def test_a_replay_of_a_day_before_the_fetch_names_its_snapshot(hall: Desk) -> None:
    """Its notices were public on that day; a figure of a later snapshot was not."""
    hall.fetch()
    replay = Settings.load(as_of=today() - timedelta(days=30))
    listed = runtime_tables(replay, [source_named("mofcom")], [])["snapshots"]
    assert listed["source"].to_list() == ["mofcom"]
