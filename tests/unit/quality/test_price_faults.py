"""Faults of a price series, made in the bundled ones: each is found and its day named."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.lake.schemas import PRICE_QUOTES
from dagster_project.market.calendars import sessions
from dagster_project.quality.mart_suites import mart_suites
from dagster_project.quality.results import CheckResult
from dagster_project.quality.rules import Suite
from dagster_project.quality.runner import evaluate, evaluate_batch
from dagster_project.quality.suites import LAKE_SUITES
from dagster_project.settings import BUNDLED
from dagster_project.sources import ecb, equity_indices
from dagster_project.sources.card import Document

ABOUT_SESSIONS_AND_SPLITS = (
    "no_close_has_the_step_of_a_split",
    "price_date_is_a_session_of_the_exchange",
    "no_session_is_missing",
)
SPLITS, SESSIONS, GAPS = ABOUT_SESSIONS_AND_SPLITS
BEFORE = pl.col("price_date") < pl.lit(date(2024, 10, 1))


def bundled(source: object, file: str) -> pl.DataFrame:
    document = Document(file, datetime(2026, 8, 6), is_bundled=True)
    quotes = source.parse((BUNDLED / source.CARD.name / file).read_bytes(), document)  # type: ignore[attr-defined]
    return PRICE_QUOTES.conform(
        quotes["price_quotes"].with_columns(
            source=pl.lit(source.CARD.name),  # type: ignore[attr-defined]
            document=pl.lit(file),
            snapshot_id=pl.lit("s"),
        )
    )


SHARES = bundled(equity_indices, "equity_indices.csv")
RATES = bundled(ecb, "reference_rates.csv")
REMX = SHARES.filter(instrument="REMX")
TDK = SHARES.filter(instrument="6762.T")
DAYS = range(1, REMX.height - 1)


def asked(quotes: pl.DataFrame, *names: str, profile_above: int = 20_000) -> list[CheckResult]:
    """The results of some rules of the lake's suite."""
    suite = LAKE_SUITES["price_quotes"]
    rules = tuple(rule for rule in suite.rules if rule.name in names)
    return evaluate(
        quotes, Suite("lake", "price_quotes", rules), today=date(2026, 11, 25),
        profile_above=profile_above,
    )  # fmt: skip


def failures(quotes: pl.DataFrame, profile_above: int = 20_000) -> dict[str, str]:
    """What is observed of each rule on sessions and splits that fails."""
    results = asked(quotes, *ABOUT_SESSIONS_AND_SPLITS, profile_above=profile_above)
    assert [result.severity for result in results] == ["warn"] * 3
    return {result.check_name: result.observed for result in results if result.status != "passed"}


@pytest.mark.parametrize("profile_above", [0, 20_000])
@pytest.mark.parametrize("quotes", [SHARES, RATES], ids=["shares", "rates"])
def test_nothing_is_reported_of_the_bundled_prices(
    quotes: pl.DataFrame, profile_above: int
) -> None:
    assert failures(quotes, profile_above) == {}


@given(st.sampled_from(DAYS))
def test_a_session_without_a_quote_is_named(row: int) -> None:
    day = REMX["price_date"][row]
    without = SHARES.filter(~((pl.col("instrument") == "REMX") & (pl.col("price_date") == day)))
    assert failures(without) == {
        GAPS: f"1 of {without.height:,} rows, first REMX, 1 session from {day}"
    }


@pytest.mark.parametrize("profile_above", [0, 20_000])
def test_sessions_of_each_exchange_are_counted_and_its_holidays_are_not(
    profile_above: int,
) -> None:
    """Golden Week of 2024 closed Tokyo on 29 April, 3 and 6 May; New York traded on each."""
    week = pl.col("price_date").is_between(date(2024, 4, 26), date(2024, 5, 7))
    of_both = SHARES.filter(pl.col("instrument").is_in(["REMX", "6762.T"]) & ~week)
    assert failures(of_both, profile_above) == {
        GAPS: f"2 of {of_both.height:,} rows, first 6762.T, 5 sessions from 2024-04-26; "
        "REMX, 8 sessions from 2024-04-26"
    }


@pytest.mark.parametrize("profile_above", [0, 20_000])
@pytest.mark.parametrize(
    ("instrument", "day", "calendar"),
    [
        ("REMX", date(2026, 8, 1), "XNYS"),
        ("REMX", date(2025, 7, 4), "XNYS"),
        ("6762.T", date(2025, 5, 5), "XTKS"),
        ("EURJPY", date(2026, 4, 3), "TARGET"),
    ],
)
def test_a_day_without_trade_is_named(
    instrument: str, day: date, calendar: str, profile_above: int
) -> None:
    """A Saturday, the Fourth of July, Children's Day, Good Friday: the close is the one before."""
    both = pl.concat([SHARES, RATES])
    before = both.filter(pl.col("instrument") == instrument, pl.col("price_date") < day)
    one = before[-1:].with_columns(price_date=pl.lit(day))
    found = failures(pl.concat([both, one]), profile_above)
    assert found == {
        SESSIONS: f"1 of {both.height + 1:,} rows, first {instrument} {day} ({calendar})"
    }


def test_a_short_extract_of_recent_days_is_whole() -> None:
    assert failures(SHARES.filter(pl.col("price_date") >= date(2026, 1, 5))) == {}
    assert failures(REMX[-1:]) == {}


@given(st.sampled_from(DAYS), st.sampled_from(["close", "adjusted_close"]))
def test_a_day_that_is_there_twice_blocks(row: int, changed: str) -> None:
    twice = pl.concat([REMX, REMX[row : row + 1].with_columns(**{changed: pl.lit(99.0)})])
    verdict = evaluate_batch(twice, LAKE_SUITES["price_quotes"])
    assert verdict.is_rejected
    assert "one_row_per_instrument_and_day fails: 2 of 1,909 rows" in verdict.reason
    assert f"price_date={REMX['price_date'][row]}" in verdict.reason


@given(
    st.sampled_from(DAYS),
    st.sampled_from([1.5, 2, 3, 5, 10, 1 / 1.5, 1 / 2, 1 / 3, 1 / 5, 1 / 10]),
    st.sampled_from(["REMX", "6762.T", "4063.T", "5713.T", "7203.T"]),
)
def test_a_split_that_was_not_adjusted_is_named(row: int, shares: float, instrument: str) -> None:
    """Three for two is the smallest usual split; on any day, whatever else the share did."""
    quotes = SHARES.filter(instrument=instrument)
    day = quotes["price_date"][row]
    unadjusted = quotes.with_columns(
        pl.when(pl.col("price_date") < day)
        .then(pl.col("close") * shares)
        .otherwise("close")
        .alias("close")
    )
    found = failures(unadjusted)
    assert list(found) == [SPLITS]
    assert found[SPLITS].startswith(f"1 of {quotes.height:,} rows, first {instrument} {day}: ")


def test_a_split_that_is_given_is_none_to_be_reported() -> None:
    as_traded = TDK.with_columns(close=pl.when(BEFORE).then(pl.col("close") * 5).otherwise("close"))
    with_ratio = as_traded.with_columns(
        split_ratio=pl.when(pl.col("price_date") == date(2024, 10, 1)).then(5.0)
    )
    with_adjusted = as_traded.with_columns(adjusted_close=TDK["close"])
    assert failures(as_traded) == {
        SPLITS: "1 of 2,444 rows, first 6762.T 2024-10-01: 0.214 times the close before"
    }
    assert failures(with_ratio) == failures(with_adjusted) == {}


def test_a_split_of_closes_that_were_adjusted_already_is_named() -> None:
    twice = TDK.with_columns(
        split_ratio=pl.when(pl.col("price_date") == date(2024, 10, 1)).then(5.0)
    )
    assert failures(twice) == {
        SPLITS: "1 of 2,444 rows, first 6762.T 2024-10-01: 5.34 times the close before"
    }


@pytest.mark.parametrize("step", [0.82, 1.22])
def test_a_share_may_move_by_a_fifth(step: float) -> None:
    """More than any of the five has since 2016."""
    moved = pl.when(BEFORE).then("close").otherwise(pl.col("close") * step)
    calm = REMX.with_columns(close=pl.lit(100.0)).with_columns(close=moved)
    assert failures(calm) == {}


def test_an_exchange_rate_is_no_share() -> None:
    """What halves or doubles a rate is found by another rule, and has another reason."""
    rates = RATES.filter(instrument="EURJPY").with_columns(
        close=pl.when(BEFORE).then(pl.col("close") / 1.5).otherwise("close")
    )
    assert failures(rates) == {}


@pytest.mark.parametrize("column", ["close", "adjusted_close"])
@pytest.mark.parametrize("wrong", [0.0, -1.0])
def test_a_close_of_zero_or_less_is_quarantined(column: str, wrong: float) -> None:
    day = REMX["price_date"][700]
    quotes = REMX.with_columns(adjusted_close=pl.col("close")).with_columns(
        pl.when(pl.col("price_date") == day).then(wrong).otherwise(column).alias(column)
    )
    verdict = evaluate_batch(quotes, LAKE_SUITES["price_quotes"])
    assert verdict.quarantined.select("price_date", "rule").rows() == [
        (day, f"{column}_is_positive")
    ]


@pytest.mark.parametrize(
    ("ratio", "is_kept"), [(0.0, 0), (-5.0, 0), (101.0, 0), (100.0, 1), (0.01, 1)]
)
def test_an_absurd_split_is_quarantined(ratio: float, is_kept: int) -> None:
    day = REMX["price_date"][700]
    quotes = REMX.with_columns(split_ratio=pl.when(pl.col("price_date") == day).then(ratio))
    verdict = evaluate_batch(quotes, LAKE_SUITES["price_quotes"])
    rules = verdict.quarantined["rule"].to_list()
    assert rules == [] if is_kept else ["split_ratio_is_plausible"]


def test_the_mart_has_the_same_rules_and_reads_the_close_of_returns() -> None:
    as_traded = TDK.with_columns(
        return_close=pl.col("close"),
        close=pl.when(BEFORE).then(pl.col("close") * 5).otherwise("close"),
    )
    suite = mart_suites()["market.prices"]
    rules = tuple(rule for rule in suite.rules if rule.name in ABOUT_SESSIONS_AND_SPLITS)
    of_prices = Suite("mart", suite.table, rules)
    assert {result.status for result in evaluate(as_traded, of_prices)} == {"passed"}

    faulty = as_traded.with_columns(return_close="close").filter(
        pl.col("price_date") != date(2024, 10, 2)
    )
    assert {result.check_name: result.observed for result in evaluate(faulty, of_prices)} == {
        SPLITS: "1 of 2,443 rows, first 6762.T 2024-10-01: 0.214 times the close before",
        SESSIONS: "2,443 rows",
        GAPS: "1 of 2,443 rows, first 6762.T, 1 session from 2024-10-02",
    }


def test_days_before_the_calendar_begins_are_not_judged() -> None:
    """Yen per dollar are known since 1971; the calendar of the euro's rates begins with it."""
    old = RATES.filter(instrument="EURUSD")[:2].with_columns(
        price_date=pl.Series([date(1971, 1, 4), date(1971, 1, 9)])
    )
    assert failures(old) == {}
    assert sessions("TARGET").min() == date(1999, 1, 4)


def test_calendars_are_not_imported_before_a_suite_is_evaluated() -> None:
    program = (
        "from dagster_project.quality import suites, rules\n"
        "versions = [rules.suite_version(suite) for suite in suites.LAKE_SUITES.values()]\n"
        "import sys\n"
        "print(sorted({'exchange_calendars', 'pandas'} & set(sys.modules)), len(versions))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.split()[0] == "[]"
