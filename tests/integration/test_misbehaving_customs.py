"""Each customs publisher and each way to misbehave: right rows, a retry or a sentence.

The four stand-ins publish the same: imports from China in three months. Nothing that a publisher
fails to send is read as "no trade".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from dagster_project import http
from dagster_project.intake import fetch as fetching
from dagster_project.intake.conform import conform
from dagster_project.intake.fetch import FetchReport, SourceFetch
from dagster_project.intake.land import land_files
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import NATIONAL_TRADE
from dagster_project.settings import Settings
from dagster_project.sources import comext
from dagster_project.sources.card import Window
from dagster_project.sources.registry import source_named
from tests.fakes import comexstat as brazil
from tests.fakes import comext as union
from tests.fakes import hmrc as britain
from tests.fakes.certificates import Chain, chain
from tests.fakes.japan_customs import DOWNLOAD, FakeJapanCustoms, Line
from tests.fakes.server import (
    Behaviour,
    FakePublisher,
    Reply,
    Seen,
    cut_body,
    empty_body,
    instead,
    longer_than_announced,
    maintenance_page,
    not_found,
    once,
    status,
    too_many_requests,
)
from tests.integration.marts import Marts
from tests.nightly import nightly

CODES = ("280530", "850511")
YEAR = 2026
Months = Mapping[int, int]
"""What is published: by month, the value of imports from China in thousands of the currency."""

PUBLISHED: Months = {1: 10_000, 2: 20_000, 3: 30_000}
REVISED: Months = {**PUBLISHED, 2: 21_500}
SHORTENED: Months = {1: 10_000, 2: 20_000}


@dataclass(frozen=True)
class Customs:
    """A publisher's stand-in, and which requests are for its first and its last document."""

    open: Callable[[], AbstractContextManager[FakePublisher]]
    publish: Callable[[FakePublisher, Months], None]
    is_first: Callable[[Seen], bool]
    is_last: Callable[[Seen], bool]
    requests: int
    """How many an undisturbed fetch sends."""


def publish_japan(server: FakePublisher, months: Months) -> None:
    assert isinstance(server, FakeJapanCustoms)
    for flow in ("import", "export"):
        amounts = {month: (0, 9, value) for month, value in months.items()}
        lines = [Line("280530010", "105", amounts), Line("850511000", "304", amounts)]
        server.publish(flow, YEAR, dict.fromkeys(months, "確報"), lines)


def publish_britain(server: FakePublisher, months: Months) -> None:
    assert isinstance(server, britain.FakeHmrc)
    server.page_rows = 2
    server.rows = [
        britain.Trade(YEAR * 100 + month, 3, code, country, value * 1000.0, 9.0)
        for month, value in months.items()
        for code, country in ((28053010, 720), (85051110, 400))
    ]


def publish_union(server: FakePublisher, months: Months) -> None:
    assert isinstance(server, union.FakeComext)
    server.observations = [
        row
        for month, value in months.items()
        for reporter, partner in (("EU27_2020", "CN"), ("DE", "US"))
        for row in union.trade(
            reporter, partner, "28053010", "1", f"{YEAR}-{month:02}", f"{value}000", "0.09"
        )
    ]


def publish_brazil(server: FakePublisher, months: Months) -> None:
    assert isinstance(server, brazil.FakeComexstat)
    server.years["IMP", YEAR] = [
        brazil.Trade(month, code, country, 9, value * 1000, 1, 1)
        for month, value in months.items()
        for code, country in (("28053010", "160"), ("85051110", "249"))
    ]
    server.years["EXP", YEAR] = [brazil.Trade(month, "28053010", "399", 5, 9) for month in months]


CUSTOMS: Mapping[str, Customs] = {
    "japan_customs": Customs(
        FakeJapanCustoms, publish_japan,
        is_first=lambda seen: "month" not in seen.query and seen.path != DOWNLOAD,
        # Of exports, the file of chapter 85.
        is_last=lambda seen: seen.path == DOWNLOAD and seen.query["statInfId"].startswith("00001")
        and seen.query["statInfId"].endswith("06"),
        requests=2 * 4,
    ),
    "hmrc": Customs(
        britain.FakeHmrc, publish_britain,
        is_first=lambda seen: seen.path == "/Country",
        is_last=lambda seen: seen.query.get("$skip") == "4",
        requests=1 + 3,
    ),
    "comext": Customs(
        union.FakeComext, publish_union,
        is_first=lambda seen: "/contentconstraint/" in seen.path,
        is_last=lambda seen: "/M.DE." in seen.path,
        requests=1 + 2,
    ),
    "comexstat": Customs(
        brazil.FakeComexstat, publish_brazil,
        is_first=lambda seen: seen.path.endswith("PAIS.csv"),
        is_last=lambda seen: seen.path.endswith(f"EXP_{YEAR}.csv"),
        requests=3,
    ),
}  # fmt: skip


@dataclass
class Desk:
    """One publisher, its stand-in, and a warehouse that fetches from it."""

    name: str
    customs: Customs
    server: FakePublisher
    settings: Settings
    waits: list[float]

    def fetch(self, year: int = YEAR) -> FetchReport:
        """Fetch January to March, all of it again."""
        source = source_named(self.name)
        windows = [Window("M", date(year, month, 1)) for month in PUBLISHED]
        one = SourceFetch(self.settings, source)
        with one.lock():
            report = one.run(one.plan_windows(windows, again=True), sleep=self.waits.append)
            conform(self.settings, source)
        return report

    def publish(self, months: Months) -> None:
        with self.server.lock:
            self.customs.publish(self.server, months)

    def rows(self) -> pl.DataFrame | None:
        """The rows of the lake, all vintages."""
        rows = lake_of(self.settings).rows(NATIONAL_TRADE, self.name)
        return None if rows is None else rows.collect()

    def values(self) -> Months:
        """What the lake has of the imports from China, in thousands."""
        rows = self.rows()
        assert rows is not None
        return of_china(rows)


def of_china(rows: pl.DataFrame) -> Months:
    imports = rows.filter(flow="import", partner_iso3="CHN").with_columns(
        pl.col("period_start").dt.month().alias("month")
    )
    assert not imports.select("month", "national_code").is_duplicated().any()
    return dict(imports.select("month", pl.col("value_local") / 1000).sort("month").iter_rows())


@contextmanager
def at_desk(name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("KIDO_HOME", str(home))
    monkeypatch.setenv("KIDO_COMEXT_REPORTERS", "EU27,DEU")
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=CODES)
    )
    customs = CUSTOMS[name]
    with customs.open() as server:
        monkeypatch.setenv(f"KIDO_{name.upper()}_URL", server.base_url)
        monkeypatch.setenv(f"KIDO_{name.upper()}_CALLS_PER_MINUTE", "60000")
        desk = Desk(name, customs, server, Settings.load(), [])
        desk.publish(PUBLISHED)
        yield desk


ONE_BY_DAY = [
    name if name == "japan_customs" else pytest.param(name, marks=nightly) for name in CUSTOMS
]


@pytest.fixture(params=CUSTOMS)
def desk(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    with at_desk(request.param, tmp_path / "home", monkeypatch) as opened:
        yield opened


@pytest.fixture
def union_desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with at_desk("comext", tmp_path / "home", monkeypatch) as opened:
        yield opened


def require_sentence(report: FetchReport, words: str) -> None:
    """One sentence, with these words, and no trace of a program."""
    assert words in report.reason
    assert "\n" not in report.reason.split("\n  ")[0]
    assert "Traceback" not in report.reason
    assert "Error(" not in report.reason


# A page lost half-way.


def test_an_undisturbed_fetch_has_each_month_once(desk: Desk) -> None:
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert len(desk.server.requests) == desk.customs.requests
    assert desk.values() == PUBLISHED
    # The same again is no news.
    again = desk.fetch()
    assert {result.outcome for result in again.settled} == {"unchanged"}
    assert again.new_snapshots == []


def test_a_page_that_is_cut_half_way_is_fetched_again(desk: Desk) -> None:
    desk.server.when(desk.customs.is_last, once(cut_body()))
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert len(desk.server.requests) == desk.customs.requests + 1
    assert desk.values() == PUBLISHED


def test_a_last_page_that_is_missing_is_all_that_a_later_run_asks_for(desk: Desk) -> None:
    desk.server.when(desk.customs.is_last, not_found())
    report = desk.fetch()
    assert report.answer == "rejected"
    assert report.failed
    assert desk.rows() is None
    asked = len(desk.server.requests)
    desk.server.always(None)
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    assert len(desk.server.requests) == asked + 1
    assert desk.values() == PUBLISHED


def test_a_file_that_grows_while_it_is_read_is_refused_and_read_later(desk: Desk) -> None:
    desk.server.when(desk.customs.is_last, longer_than_announced())
    report = desk.fetch()
    assert report.answer == "rejected"
    assert "cut" in report.reason
    require_sentence(report, desk.name)
    assert desk.rows() is None
    desk.server.always(None)
    assert desk.fetch().answer == "ok"
    assert desk.values() == PUBLISHED


def test_the_parts_of_an_answer_can_be_landed_by_hand(desk: Desk, tmp_path: Path) -> None:
    """That is what a person is told to do with a quarantined answer that is right."""
    desk.fetch()
    (snapshot,) = landing_of(desk.settings).snapshots(desk.name)
    folder = Path(desk.settings.landing_url, desk.name, snapshot.snapshot_id)
    files = [folder / part.file for part in snapshot.parts]
    elsewhere = Settings.load(home=tmp_path / "another")
    source = source_named(desk.name)
    land_files(elsewhere, source, files)
    conform(elsewhere, source)
    rows = lake_of(elsewhere).rows(NATIONAL_TRADE, desk.name)
    assert rows is not None
    assert of_china(rows.collect()) == PUBLISHED


# Months that change.


def test_a_revised_month_alone_is_new_and_the_revision_is_reported(
    desk: Desk, marts: Marts
) -> None:
    desk.fetch()
    desk.publish(REVISED)
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    outcomes = {result.window.start.month: result.outcome for result in report.settled
                if result.window and result.window.start.month <= 3}  # fmt: skip
    assert outcomes == {1: "unchanged", 2: "new", 3: "unchanged"}
    ((revision,),) = (
        [each for each in revisions if each.table == "national_trade"]
        for revisions in report.revisions.values()
    )
    assert (revision.added, revision.removed) == (0, 0)
    assert revision.changed > 0
    assert f"{YEAR}-02" in str(revision.groups[0])
    lines = marts(desk.settings, source_named(desk.name), ("trade.national_lines",))
    assert of_china(lines["trade.national_lines"]) == REVISED


@pytest.mark.parametrize("desk", ONE_BY_DAY, indirect=True)
def test_a_month_that_its_publisher_takes_back_keeps_its_figures(desk: Desk, marts: Marts) -> None:
    """An answer without any row of a month withdraws nothing: it may be an outage."""
    desk.fetch()
    desk.publish(SHORTENED)
    report = desk.fetch()
    assert report.answer == "ok", report.reason
    outcomes = {result.window.start.month: result.outcome for result in report.settled
                if result.window and result.window.start.month <= 3}  # fmt: skip
    assert outcomes == {1: "unchanged", 2: "unchanged", 3: "empty"}
    names = ("trade.national_lines", "catalog.coverage")
    found = marts(desk.settings, source_named(desk.name), names)
    assert of_china(found["trade.national_lines"]) == PUBLISHED
    march = found["catalog.coverage"].filter(
        pl.col("reporter_iso3") != "DEU",
        period_start=date(YEAR, 3, 1), flow="import", table_name="national_trade",
    )  # fmt: skip
    # Two codes; of the union one.
    rows = 1 if desk.name == "comext" else 2
    assert march.select("frequency", "rows").rows() == [("M", rows)]
    # It comes back, and counts as before.
    desk.publish(PUBLISHED)
    assert desk.fetch().answer == "ok"
    lines = marts(desk.settings, source_named(desk.name), names)["trade.national_lines"]
    assert of_china(lines) == PUBLISHED


@pytest.mark.parametrize(("name", "year"), [("japan_customs", YEAR + 1), ("comext", YEAR - 1)])
def test_a_year_that_is_not_published_is_an_answer_without_content(
    name: str, year: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marts: Marts
) -> None:
    """As in the weeks before a year's January is published: there is no file to keep."""
    with at_desk(name, tmp_path / "home", monkeypatch) as desk:
        report = desk.fetch(year)
        assert report.answer == "ok", report.reason
        assert {result.outcome for result in report.settled} == {"empty"}
        names = ("catalog.snapshots",)
        found = marts(desk.settings, source_named(name), names)["catalog.snapshots"]
        ((size, request),) = found.select("bytes", "request").rows()
        assert size == 0
        assert request.startswith("GET https://")
        # The same again is no news.
        assert desk.fetch(year).new_snapshots == []


# Something else than figures.

OTHER_ANSWERS: Mapping[str, tuple[Behaviour, str]] = {
    "maintenance page": (maintenance_page(), "rejected"),
    "empty body": (empty_body(), "rejected"),
    "JSON about something else": (instead(Reply(200, b'{"status":"busy"}')), "rejected"),
    "refusal": (status(403, b"<html><h1>403 Forbidden</h1></html>", "text/html"), "denied"),
}


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("kind", OTHER_ANSWERS)
def test_another_answer_than_figures_is_a_sentence_and_no_empty_month(
    desk: Desk, kind: str, place: str
) -> None:
    desk.fetch()
    before = desk.rows()
    assert before is not None
    desk.publish(REVISED)
    behaviour, outcome = OTHER_ANSWERS[kind]
    is_place = desk.customs.is_first if place == "first" else desk.customs.is_last
    desk.server.when(is_place, behaviour)
    report = desk.fetch()
    assert report.answer == outcome
    assert {result.outcome for result in report.settled} == {"failed"}
    require_sentence(report, "")
    after = desk.rows()
    assert after is not None
    assert after.equals(before)


# Quotas.


def test_a_short_wait_that_a_publisher_asks_for_is_waited(desk: Desk) -> None:
    desk.server.when(desk.customs.is_last, once(too_many_requests("7")))
    assert desk.fetch().answer == "ok"
    assert 7.0 in desk.waits
    assert desk.values() == PUBLISHED


@pytest.mark.parametrize("retry_after", ["7200", ""], ids=["two hours", "no time"])
def test_a_used_up_quota_keeps_what_was_answered(desk: Desk, retry_after: str) -> None:
    desk.server.when(desk.customs.is_last, too_many_requests(retry_after))
    report = desk.fetch()
    assert report.answer == "quota"
    assert (report.again_at is not None) == bool(retry_after)
    require_sentence(report, "allows no more calls")
    assert desk.rows() is None
    # Without a time it is tried a few times, at growing distances.
    asked = len(desk.server.requests)
    assert asked == desk.customs.requests + (0 if retry_after else 4)
    desk.server.always(None)
    assert desk.fetch().answer == "ok"
    assert len(desk.server.requests) == asked + 1
    assert desk.values() == PUBLISHED


def test_an_extraction_that_stays_queued_ends_the_run_and_is_resumed(union_desk: Desk) -> None:
    assert isinstance(union_desk.server, union.FakeComext)
    union_desk.server.queued = 100
    report = union_desk.fetch()
    assert report.answer == "quota"
    require_sentence(report, "the extraction is queued at Eurostat")
    assert union_desk.waits == [comext.WAIT_FOR_QUEUE.total_seconds()] * 5
    union_desk.server.queued = 1
    assert union_desk.fetch().answer == "ok"
    assert union_desk.values() == PUBLISHED


# Confidential figures, and what only one reporter lacks.


def test_a_confidential_figure_is_missing_in_every_mart_and_never_zero(
    union_desk: Desk, marts: Marts
) -> None:
    assert isinstance(union_desk.server, union.FakeComext)
    union_desk.server.observations += union.trade(
        "DE", "QY", "28053010", "1", f"{YEAR}-03", None, "", status="C"
    )
    assert union_desk.fetch().answer == "ok"
    names = ("trade.national_lines", "trade.reported_flows")
    for name, rows in marts(union_desk.settings, source_named("comext"), names).items():
        hidden = rows.filter(
            reporter_iso3="DEU", partner_iso3="_X", period_start=date(YEAR, 3, 1)
        ).filter(pl.col("hs6_code") == "280530" if "hs6_code" in rows.columns else pl.lit(True))
        assert hidden.height == 1, name
        assert hidden.select("value_usd", "net_weight_kg").row(0) == (None, None), name


def test_a_reporter_without_results_keeps_its_figures(union_desk: Desk, marts: Marts) -> None:
    assert isinstance(union_desk.server, union.FakeComext)
    union_desk.fetch()
    with union_desk.server.lock:
        union_desk.server.observations = [
            row for row in union_desk.server.observations if row.reporter != "DE"
        ]
    assert union_desk.fetch().answer == "ok"
    lines = marts(union_desk.settings, source_named("comext"), ("trade.national_lines",))
    of_germany = lines["trade.national_lines"].filter(reporter_iso3="DEU")
    assert of_germany["value_local"].sort().to_list() == [1e7, 2e7, 3e7]


# Certificates.


@pytest.fixture
def certificates(tmp_path: Path) -> Iterator[Chain]:
    yield chain(tmp_path)
    http._certificates.cache_clear()


def trust(monkeypatch: pytest.MonkeyPatch, folder: Path, *files: Path) -> None:
    trusted = folder / "trusted.pem"
    trusted.write_bytes(b"".join(file.read_bytes() for file in files))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    http._certificates.cache_clear()


@pytest.mark.parametrize("name", CUSTOMS)
def test_a_server_without_its_issuers_certificate_gets_a_helpful_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certificates: Chain
) -> None:
    customs = CUSTOMS[name]

    def speaking_tls() -> FakePublisher:
        server = customs.open()
        assert isinstance(server, FakePublisher)
        server.speak_tls(certificates.context())
        return server

    monkeypatch.setitem(CUSTOMS, name, replace(customs, open=speaking_tls))  # type: ignore[arg-type]
    with at_desk(name, tmp_path / "home", monkeypatch) as desk:
        trust(monkeypatch, tmp_path, certificates.root)
        report = desk.fetch()
        assert report.answer == "no_answer"
        assert desk.server.requests == []
        require_sentence(report, "does not send the certificate of its issuer")
        assert "Append that certificate (PEM)" in report.reason
        assert desk.waits == []  # Trying again would not help.
        # The advice is right.
        trust(monkeypatch, tmp_path, certificates.root, certificates.intermediate)
        assert desk.fetch().answer == "ok"
        assert desk.values() == PUBLISHED
