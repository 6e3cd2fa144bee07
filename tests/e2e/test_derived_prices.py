"""Prices that Kido derives, worked out again from the bundled files, in polars."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from dagster_project.settings import BUNDLED

Rows = Callable[..., list[tuple[Any, ...]]]

PEERS = ("4063.T", "5713.T", "7203.T")
SERIES = re.compile(
    r"UNIT_VALUE_(?P<code>\d{6})_(CHINA_FOB|(?P<importer>[A-Z]{3})_EX_CHINA_(?P<valuation>CIF|FOB))"
)
FILES = {
    "comtrade_baskets": "china_exports_monthly.csv",
    "hmrc": "monthly_flows.csv",
    "comexstat": "monthly_flows.csv",
}


# ---- The basket of TDK's peers


def test_the_basket_of_tdks_peers_is_the_mean_of_their_returns(rows: Rows) -> None:
    """The whole series; the second day by hand, from 102.59, 91.4274 and 98.9434."""
    closes = (
        pl.read_csv(BUNDLED / "equity_indices" / "equity_indices.csv", try_parse_dates=True)
        .filter(pl.col("instrument").is_in(PEERS))
        .pivot("instrument", index="date", values="index")
        .drop_nulls()
        .sort("date")
    )
    expected = closes.select(
        "date",
        index=100 * (1 + pl.mean_horizontal(pl.col(PEERS).pct_change()).fill_null(0)).cum_prod(),
    )
    found = rows(
        "select price_date, close from market.prices where instrument = 'PEERS_6762.T' "
        "order by price_date"
    )
    assert [day for day, _ in found] == expected["date"].to_list()
    assert [close for _, close in found] == pytest.approx(expected["index"].to_list(), rel=1e-12)
    assert found[1][1] == pytest.approx((102.59 + 91.4274 + 98.9434) / 3)
    assert rows(
        "select distinct currency, unit, source, is_derived from market.prices "
        "where instrument = 'PEERS_6762.T'"
    ) == [(None, "index, 2016-02-05 = 100", "equity_indices", True)]


def test_by_default_the_basket_of_its_peers_represents_the_market_of_tdk_alone(rows: Rows) -> None:
    assert rows(
        "select instrument, market_instrument, market_factor from reference.instruments "
        "where market_instrument is not null"
    ) == [("6762.T", "PEERS_6762.T", "peers_basket")]
    assert rows(
        "select members from reference.instruments where instrument = 'PEERS_6762.T'"
    ) == [(list(PEERS),)]  # fmt: skip


# ---- Unit values of trade


@pytest.mark.parametrize(
    ("instrument", "month", "dollars", "kilograms"),
    [
        # The extract counts Belgium twice: 1,717,078 dollars and 3,992,000 kg.
        ("UNIT_VALUE_250410_CHINA_FOB", "2023-11", 49_514_737 - 858_539, 40_517_966 - 1_996_000),
        # Lithium carbonate from Belgium, Germany, France and the Netherlands.
        (
            "UNIT_VALUE_283691_GBR_EX_CHINA_CIF", "2025-03",
            1_631_843.59 + 90_855.80 + 93_682.01 + 58_347.27, 163_400 + 8_000 + 8_000 + 13_016,
        ),
        # Magnesium: 626,924 dollars more are from China.
        ("UNIT_VALUE_810411_BRA_EX_CHINA_FOB", "2025-06", 225_109, 48_400),
    ],
)  # fmt: skip
def test_a_kilogram_cost_what_was_paid_for_all_of_them(
    rows: Rows, instrument: str, month: str, dollars: float, kilograms: float
) -> None:
    assert rows(
        "select close, currency, unit, is_derived from market.prices "
        "where instrument = ? and price_date = ?",
        instrument, date.fromisoformat(f"{month}-01"),
    ) == [(pytest.approx(dollars / kilograms, rel=1e-6), "USD", "USD per kg", True)]  # fmt: skip


def flows() -> pl.DataFrame:
    """What the three publishers have by month and HS6 code, Belgium counted once."""
    twice = (pl.col("source") == "comtrade_baskets") & (pl.col("partner_iso3") == "BEL")
    return pl.concat(
        pl.read_csv(BUNDLED / source / file, infer_schema=False)
        .filter(
            pl.col("frequency") == "M",
            pl.col("commodity_code").str.contains(r"^\d{6}$"),
            pl.col("reporter_iso3") != pl.col("partner_iso3"),
        )
        .select(
            pl.lit(source).alias("source"), "reporter_iso3", "partner_iso3", "flow",
            pl.col("commodity_code").alias("code"),
            pl.format("{}-01", "period").str.to_date().alias("month"),
            pl.col("value_usd", "net_weight_kg").cast(pl.Float64),
        )
        for source, file in FILES.items()
    ).with_columns(
        pl.when(twice).then(pl.col("value_usd", "net_weight_kg") / 2)
        .otherwise(pl.col("value_usd", "net_weight_kg"))
    )  # fmt: skip


def test_every_unit_value_is_of_one_side_and_of_the_flows_that_have_a_weight(rows: Rows) -> None:
    """No row is missing either. 811292 lost hafnium and rhenium with HS 2022: its series begins
    there.
    """
    from_china = (pl.col("reporter_iso3") == "CHN") & (pl.col("flow") == "export")
    from_others = (
        (pl.col("reporter_iso3") != "CHN")
        & (pl.col("partner_iso3") != "CHN")
        & (pl.col("flow") == "import")
    )
    has_weight = (pl.col("net_weight_kg") > 0) & (pl.col("value_usd") > 0)
    months = (
        flows()
        .filter(from_china | from_others)
        .group_by("source", "reporter_iso3", "code", "month")
        .agg(
            pl.col("value_usd").sum().alias("value"),
            pl.col("value_usd").filter(has_weight).sum().alias("dollars"),
            pl.col("net_weight_kg").filter(has_weight).sum().alias("kilograms"),
        )
        .filter(
            pl.col("dollars") >= 0.95 * pl.col("value"),
            pl.col("kilograms") >= 1000,
            (pl.col("code") != "811292") | (pl.col("month") >= date(2022, 1, 1)),
        )
    )
    expected = {
        (one["source"], one["reporter_iso3"], one["code"], one["month"]): one["dollars"]
        / one["kilograms"]
        for one in months.to_dicts()
    }
    found = {}
    for instrument, month, close, source in rows(
        "select instrument, price_date, close, source from market.prices "
        "where instrument like 'UNIT_VALUE%' "
    ):
        series = SERIES.fullmatch(instrument)
        assert series is not None, instrument
        found[source, series["importer"] or "CHN", series["code"], month] = close
        # Brazil publishes imports FOB.
        assert series["valuation"] == {"GBR": "CIF", "BRA": "FOB", None: None}[series["importer"]]
    assert len(found) > 1000
    assert found == pytest.approx(expected)


def test_unit_values_are_listed_as_what_they_are_and_have_no_performance(rows: Rows) -> None:
    assert rows(
        "select distinct kind, currency, unit, frequency, market_timezone, calendar, "
        "market_instrument from reference.instruments where instrument like 'UNIT_VALUE%'"
    ) == [("commodity", "USD", "USD per kg", "M", "UTC", None, None)]
    assert rows(
        "select name from reference.instruments "
        "where instrument in ('UNIT_VALUE_250410_CHINA_FOB', 'UNIT_VALUE_740311_GBR_EX_CHINA_CIF') "
        "order by 1"
    ) == [
        ("Natural graphite as powder or flake (HS 250410), exports of China, FOB, unit value of "
         "trade, no market price",),
        ("Refined copper cathodes (HS 740311), imports of the United Kingdom from all suppliers "
         "but China, CIF, unit value of trade, no market price",),
    ]  # fmt: skip
    assert rows(
        "select count(*) from market.performance where instrument like 'UNIT_VALUE%'"
    ) == [(0,)]  # fmt: skip
