"""Customs of Japan, Britain, Brazil and the Union: fetched from stand-ins, to the marts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from dagster_project import http
from dagster_project.intake import fetch as fetching
from dagster_project.intake.command import OUT_OF_QUOTA, SOME_FAILED, fetch_and_report
from dagster_project.intake.conform import conform
from dagster_project.intake.due import releases_of
from dagster_project.intake.land import land_bundled
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.schemas import NATIONAL_TRADE
from dagster_project.lake.vocabulary import economy_codes
from dagster_project.settings import BUNDLED, Settings
from dagster_project.sources import comext
from dagster_project.sources.card import Source, Window
from dagster_project.sources.registry import source_named
from tests.fakes import comexstat as brazil
from tests.fakes import comext as union
from tests.fakes import hmrc as britain
from tests.fakes.japan_customs import (
    CALENDAR,
    DOWNLOAD,
    MAINTENANCE,
    FakeJapanCustoms,
    Line,
    calendar_page,
)
from tests.fakes.server import (
    FakePublisher,
    Reply,
    cut_body,
    instead,
    status,
    too_many_requests,
)
from tests.integration.marts import Marts

CODES = ("280530", "284610", "284690", "850511")
RETRIEVED = datetime(2026, 11, 25, 3)
FINAL, DETAILED, FIRST = "確定", "確報", "輸入9桁速報"


@pytest.fixture
def settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, FakePublisher], Settings]:
    monkeypatch.setenv("KIDO_HOME", str(tmp_path / "home"))
    scope_of = fetching.scope_of
    monkeypatch.setattr(
        fetching, "scope_of", lambda *given: replace(scope_of(*given), commodity_codes=CODES)
    )
    monkeypatch.setattr(http, "_now", lambda: RETRIEVED)

    def of(source: str, server: FakePublisher) -> Settings:
        name = f"KIDO_{source.upper()}"
        monkeypatch.setenv(f"{name}_URL", server.base_url)
        monkeypatch.setenv(f"{name}_CALLS_PER_MINUTE", "60000")
        return Settings.load()

    return of


def fetch(
    settings: Settings, source: Source, first: str, last: str, *, again: bool = False
) -> tuple[int, list[str]]:
    lines: list[str] = []
    code = fetch_and_report(
        settings, source, first=first, last=last, again=again, write=lines.append
    )
    return code, lines


def rows_of(settings: Settings, source: str) -> pl.DataFrame:
    rows = lake_of(settings).rows(NATIONAL_TRADE, source)
    assert rows is not None
    return rows.collect().sort("vintage_at", "snapshot_id", "period_start")


# Japan.

JAPAN = source_named("japan_customs")


def metal(*months: int, tonnes: int = 10) -> list[Line]:
    """So many tonnes of metal a month from China, at a million yen a tonne."""
    amounts = dict.fromkeys(months, (0, tonnes * 1000, tonnes * 1000))
    return [Line("280530010", "105", amounts)]


@pytest.fixture
def japan() -> Iterator[FakeJapanCustoms]:
    with FakeJapanCustoms() as customs:
        months = range(1, 13)
        for flow in ("import", "export"):
            lines = metal(*months) if flow == "import" else metal(*months, tonnes=1)
            customs.publish(flow, 2025, dict.fromkeys(months, FINAL), lines)
            stages = {**dict.fromkeys(range(1, 8), DETAILED), 8: FIRST}
            customs.publish(flow, 2026, stages, metal(*range(1, 9)))
        yield customs


def test_two_years_of_japan_are_fetched_once_and_a_revision_alone_is_new(
    settings: Callable[[str, FakePublisher], Settings], japan: FakeJapanCustoms
) -> None:
    home = settings("japan_customs", japan)
    code, lines = fetch(home, JAPAN, "2025-12", "2026-08")
    assert code == 0, lines
    rows = rows_of(home, "japan_customs")
    imports = rows.filter(flow="import")
    assert imports.height == 12 + 8
    assert imports.filter(pl.col("is_provisional"))["period_start"].min() == date(2026, 1, 1)
    # For each flow and year the list, a page, and the files of chapters 28 and 85.
    assert len(japan.requests) == 2 * 2 * 4
    files = [seen for seen in japan.requests if seen.path == DOWNLOAD]
    assert len({seen.query["statInfId"] for seen in files}) == 8

    code, lines = fetch(home, JAPAN, "2025-12", "2026-08", again=True)
    assert code == 0
    assert "new" not in lines[-1].replace("renew", "")
    assert rows_of(home, "japan_customs").height == rows.height

    revised = [*metal(*range(1, 8)), Line("280530010", "110", {7: (0, 5_000, 4_000)})]
    revised[0] = replace(revised[0], amounts={**revised[0].amounts, 8: (0, 9_000, 9_500)})
    japan.publish("import", 2026, dict.fromkeys(range(1, 9), DETAILED), revised)
    code, lines = fetch(home, JAPAN, "2026-01", "2026-08", again=True)
    assert code == 0
    assert any("2 new" in line for line in lines), lines
    newest = landing_of(home).snapshots("japan_customs")[-1]
    of_revision = rows_of(home, "japan_customs").filter(snapshot_id=newest.snapshot_id)
    assert set(of_revision["period_start"]) == {date(2026, 7, 1), date(2026, 8, 1)}


def test_the_calendar_of_japan_is_read_once_a_day(
    settings: Callable[[str, FakePublisher], Settings],
    japan: FakeJapanCustoms,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = settings("japan_customs", japan)
    monkeypatch.setattr(http, "_now", fetching._now)  # today
    japan.calendar = calendar_page([(2026, "Nov.", "Dec.25"), (2026, "Dec.", "Jan.29")])

    def calendars() -> int:
        return sum(seen.path == CALENDAR for seen in japan.requests)

    fetching.fetch_due(home, JAPAN)
    assert calendars() == 1
    # It comes last, after the months.
    assert japan.requests[-1].path == CALENDAR
    fetching.fetch_due(home, JAPAN)
    assert calendars() == 1
    # A backfill does not read it.
    fetch(home, JAPAN, "2025-01", "2025-12", again=True)
    assert calendars() == 1
    conform(home, JAPAN)
    releases = releases_of(lake_of(home), JAPAN)
    assert releases == {
        Window("M", date(2026, 11, 1)): datetime(2026, 12, 25, 0, 30),
        Window("M", date(2026, 12, 1)): datetime(2027, 1, 29, 0, 30),
    }


def test_a_calendar_that_cannot_be_read_keeps_no_month_from_coming(
    settings: Callable[[str, FakePublisher], Settings], japan: FakeJapanCustoms
) -> None:
    home = settings("japan_customs", japan)
    japan.calendar = MAINTENANCE
    report = fetching.fetch_due(home, JAPAN)
    assert sum(result.outcome == "new" for result in report.settled) == 12 + 8
    (failed,) = report.failed
    assert "japan_customs-calendar" in failed.document
    assert "no table of detailed figures" in failed.reason


def test_a_page_instead_of_a_file_keeps_what_is_there_and_comes_right_later(
    settings: Callable[[str, FakePublisher], Settings], japan: FakeJapanCustoms
) -> None:
    home = settings("japan_customs", japan)
    assert fetch(home, JAPAN, "2025-01", "2025-12")[0] == 0
    before = rows_of(home, "japan_customs").height
    japan.when(
        lambda seen: seen.path == DOWNLOAD,
        instead(Reply(200, MAINTENANCE.encode(), "text/html")),
    )
    code, lines = fetch(home, JAPAN, "2026-01", "2026-08")
    assert code == SOME_FAILED
    assert any("sent an HTML page where CSV was expected" in line for line in lines)
    assert rows_of(home, "japan_customs").height == before
    japan.always(None)
    assert fetch(home, JAPAN, "2026-01", "2026-08")[0] == 0
    assert rows_of(home, "japan_customs").height == before + 2 * 8


def test_a_file_that_grew_while_it_was_read_is_refused_in_a_sentence(
    settings: Callable[[str, FakePublisher], Settings], japan: FakeJapanCustoms
) -> None:
    home = settings("japan_customs", japan)
    japan.years["import", 2026].lines = metal(*range(1, 10))  # the page still ends with August
    code, lines = fetch(home, JAPAN, "2026-01", "2026-08")
    assert code == SOME_FAILED
    assert any("figures up to month 9, and the page lists months up to 8" in line for line in lines)
    assert lake_of(home).rows(NATIONAL_TRADE, "japan_customs") is None


def test_a_country_in_no_list_is_quarantined_and_named(
    settings: Callable[[str, FakePublisher], Settings], japan: FakeJapanCustoms
) -> None:
    home = settings("japan_customs", japan)
    known = [replace(metal(*range(1, 9))[0], code=f"2805300{code}") for code in range(10, 60)]
    new = Line("280530010", "999", {8: (0, 1, 1)})
    japan.publish("import", 2026, dict.fromkeys(range(1, 9), DETAILED), [*known, new])
    code, lines = fetch(home, JAPAN, "2026-01", "2026-08")
    assert code == 0, lines
    rows = rows_of(home, "japan_customs")
    assert "999" not in rows["partner_code"].to_list()
    (quarantine,) = home.quarantine_dir.rglob("*.parquet")
    (row,) = pl.read_parquet(quarantine).to_dicts()
    assert row["value"] == "999"


def test_months_become_dollars_and_twelve_of_them_a_year(
    settings: Callable[[str, FakePublisher], Settings], japan: FakeJapanCustoms, marts: Marts
) -> None:
    home = settings("japan_customs", japan)
    ecb = source_named("ecb")
    land_bundled(home, ecb)
    conform(home, ecb)
    assert fetch(home, JAPAN, "2025-01", "2026-08")[0] == 0
    names = ("trade.national_lines", "trade.reported_flows", "market.prices")
    found = marts(home, JAPAN, names)
    lines, flows, prices = (found[name] for name in names)

    march = prices.filter(
        pl.col("price_date").dt.strftime("%Y-%m") == "2026-03",
        pl.col("instrument").is_in(["EURUSD", "EURJPY"]),
    )
    means = dict(march.group_by("instrument").agg(pl.col("close").mean()).iter_rows())
    usd_per_yen = means["EURUSD"] / means["EURJPY"]
    (line,) = lines.filter(flow="import", period_start=date(2026, 3, 1)).to_dicts()
    assert line["value_local"] == 10_000_000.0
    assert line["usd_per_unit"] == pytest.approx(usd_per_yen, rel=1e-12)
    assert line["value_usd"] == pytest.approx(10_000_000.0 * usd_per_yen, rel=1e-12)
    assert line["reason"] is None

    imports = flows.filter(flow="import", reporter_iso3="JPN", partner_iso3="CHN")
    years = imports.filter(frequency="A").to_dicts()
    assert [(year["period_start"], year["net_weight_kg"]) for year in years] == [
        (date(2025, 1, 1), 120_000.0)
    ]
    assert years[0]["is_sum_of_months"]
    months = imports.filter(frequency="M", period_start=pl.lit(date(2025, 1, 1)))
    assert months["net_weight_kg"].to_list() == [10_000.0]
    whole = imports.filter(pl.col("frequency") == "M", pl.col("period_start").dt.year() == 2025)
    assert years[0]["value_usd"] == pytest.approx(whole["value_usd"].sum(), rel=1e-12)


# Britain.

BRITAIN = source_named("hmrc")


def test_pages_of_britain_are_followed_to_the_end_also_after_a_cut(
    settings: Callable[[str, FakePublisher], Settings],
) -> None:
    trades = [
        britain.Trade(202600 + month, 3, 85051110, country, 1000.0 * month, 10.0)
        for month in range(1, 7)
        for country in (720, 732)
    ]
    with britain.FakeHmrc(trades) as server:
        server.page_rows = 5
        home = settings("hmrc", server)
        server.when(lambda seen: "$skip" in seen.query and len(server.requests) == 3, cut_body())
        code, lines = fetch(home, BRITAIN, "2026-01", "2026-06")
    assert code == 0, lines
    rows = rows_of(home, "hmrc")
    assert rows.height == 12
    assert rows.filter(partner_iso3="CHN")["value_local"].sum() == 21_000.0


def test_a_refusal_of_britain_is_no_refused_key_and_no_empty_month(
    settings: Callable[[str, FakePublisher], Settings],
) -> None:
    with britain.FakeHmrc() as server:
        home = settings("hmrc", server)
        server.when(lambda seen: seen.path == "/OTS", status(403))
        code, lines = fetch(home, BRITAIN, "2026-01", "2026-06")
    assert code == SOME_FAILED
    assert any("403" in line for line in lines)
    assert lake_of(home).rows(NATIONAL_TRADE, "hmrc") is None


def test_bundled_months_in_pounds_agree_and_one_that_does_not_is_listed(
    settings: Callable[[str, FakePublisher], Settings],
    marts: Marts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three bundled months, turned into pounds at the mean rates of each, come from the customs."""
    keys, codes = ("2026-02", "2026-03", "2026-04"), ("280469", "750210", "810820")
    bundled = pl.read_csv(
        BUNDLED / "hmrc" / "monthly_flows.csv", schema_overrides={"commodity_code": pl.String}
    ).filter(pl.col("period").is_in(keys), pl.col("commodity_code").is_in(codes))
    rates = pl.read_csv(BUNDLED / "ecb" / "reference_rates.csv", null_values=["", "N/A"])
    numbers = {
        code.economy_iso3: (number, code.code)
        for number, code in enumerate(economy_codes(), start=1)
        if code.scheme == "hmrc"
    }
    monkeypatch.setattr(britain, "COUNTRIES", {n: (code, code) for n, code in numbers.values()})

    changed = bundled.filter(period="2026-03", commodity_code="280469", flow="import")
    largest = changed.sort("value_usd").row(-1, named=True)

    def trades(more_of_march: float = 0.0) -> list[britain.Trade]:
        """The largest partner of a code has more by this part of the total."""
        found = []
        for row in bundled.iter_rows(named=True):
            of_month = rates.filter(pl.col("date").str.starts_with(row["period"]))
            dollars_per_pound = of_month["usd"].mean() / of_month["gbp"].mean()  # type: ignore[operator]
            more = more_of_march * changed["value_usd"].sum() if row == largest else 0
            pounds = (row["value_usd"] + more) / dollars_per_pound
            found.append(
                britain.Trade(
                    int(row["period"].replace("-", "")),
                    3 if row["flow"] == "import" else 4,
                    int(row["commodity_code"] + "00"),
                    numbers[row["partner_iso3"]][0],
                    round(pounds, 2),
                    row["net_weight_kg"],
                )
            )
        return found

    hmrc, ecb = source_named("hmrc"), source_named("ecb")
    with britain.FakeHmrc(trades()) as server:
        home = settings("hmrc", server)
        for source in (hmrc, ecb):
            land_bundled(home, source)
            conform(home, source)
        with_codes = fetching.scope_of
        monkeypatch.setattr(
            fetching, "scope_of", lambda *given: replace(with_codes(*given), commodity_codes=codes)
        )
        assert bundled.height > 100
        assert fetch(home, hmrc, "2026-02", "2026-04")[0] == 0
        names = ("trade.source_differences", "trade.reported_flows")
        agreed = marts(home, hmrc, names)
        assert agreed["trade.source_differences"].is_empty()
        flows = agreed["trade.reported_flows"].filter(
            pl.col("period_start").dt.strftime("%Y-%m").is_in(keys),
            pl.col("commodity_code").is_in(codes),
        )
        assert flows.height == bundled.height
        server.rows = trades(more_of_march=0.01)
        assert fetch(home, hmrc, "2026-02", "2026-04", again=True)[0] == 0
        (pair,) = marts(home, hmrc, names)["trade.source_differences"].to_dicts()
    found = {name: pair[name] for name in ("source", "other_source", "commodity_code", "measure")}
    assert found == {
        "source": "hmrc", "other_source": "hmrc", "commodity_code": "280469",
        "measure": "value_usd",
    }  # fmt: skip
    assert pair["period_start"] == date(2026, 3, 1)
    assert pair["difference_share"] == pytest.approx(0.01, abs=1e-6)


# Brazil.

BRAZIL = source_named("comexstat")


def test_yearly_files_of_brazil_are_read_with_their_countries(
    settings: Callable[[str, FakePublisher], Settings],
) -> None:
    with brazil.FakeComexstat() as server:
        imports = [
            brazil.Trade(5, "28053010", "105", 2, 540, 31, 1),
            brazil.Trade(6, "85051110", "160", 1_250, 61_000, 910, 75),
        ]
        server.years["IMP", 2026] = imports
        server.years["EXP", 2026] = [brazil.Trade(6, "28053010", "399", 5, 9)]
        home = settings("comexstat", server)
        code, lines = fetch(home, BRAZIL, "2026-05", "2026-06")
        assert code == 0, lines
        rows = rows_of(home, "comexstat")
        assert set(rows["flow"]) == {"import", "export"}
        assert rows.filter(partner_iso3="CHN")["freight_local"].to_list() == [910.0]
        # A month that was published changes, and one is added.
        imports[1] = replace(imports[1], fob=62_000)
        imports.append(brazil.Trade(7, "85051110", "160", 1_000, 50_000, 1, 1))
        code, lines = fetch(home, BRAZIL, "2026-05", "2026-07", again=True)
    assert code == 0
    assert any("2 new" in line for line in lines), lines


# The European Union.

UNION = source_named("comext")


def test_the_union_and_a_member_are_asked_in_parts_and_queued_answers_awaited(
    settings: Callable[[str, FakePublisher], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMEXT_REPORTERS", "EU27,DEU")
    monkeypatch.setattr(comext, "WAIT_FOR_QUEUE", timedelta(0))
    observations = [
        row
        for month in ("2026-01", "2026-02")
        for reporter, partner in (("EU27_2020", "CN"), ("EU27_2020", "EXT_EU27_2020"),
                                  ("DE", "CN"), ("DE", "FR"), ("DE", "QY"))
        for product in ("85051110", "85051190")
        for row in union.trade(reporter, partner, product, "1", month, "1000", "2.5")
    ]  # fmt: skip
    with union.FakeComext(observations) as server:
        server.most_rows = 15
        server.queued = 1
        home = settings("comext", server)
        code, lines = fetch(home, UNION, "2026-01", "2026-02")
    assert code == 0, lines
    rows = rows_of(home, "comext")
    assert rows.height == 2 * 5 * 2
    assert set(rows["net_weight_kg"]) == {250.0}
    assert set(rows.filter(reporter_iso3="EU27")["partner_iso3"]) == {"CHN", "WLD"}
    assert set(rows.filter(reporter_iso3="DEU")["partner_iso3"]) == {"CHN", "FRA", "_X"}


def test_a_quota_keeps_what_was_answered_and_the_next_run_goes_on(
    settings: Callable[[str, FakePublisher], Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIDO_COMEXT_REPORTERS", "EU27,DEU")
    observations = [
        row
        for reporter in ("EU27_2020", "DE")
        for row in union.trade(reporter, "CN", "85051110", "1", "2026-01", "1000", "2.5")
    ]
    with union.FakeComext(observations) as server:
        home = settings("comext", server)
        server.only(2, too_many_requests("7200"))
        code, lines = fetch(home, UNION, "2026-01", "2026-01")
        assert code == OUT_OF_QUOTA, lines
        asked = len(server.requests)
        server.always(None)
        code, lines = fetch(home, UNION, "2026-01", "2026-01")
        assert code == 0, lines
        # The list of products and the first reporter are not asked for again.
        assert len(server.requests) == asked + 1
    assert rows_of(home, "comext").height == 2
