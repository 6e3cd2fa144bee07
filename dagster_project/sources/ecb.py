"""European Central Bank: euro foreign exchange reference rates -> `price_quotes`.

Only what the ECB prints lives here; crosses such as yen per dollar are derived elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl

from dagster_project.lake.schemas import INSTANT
from dagster_project.sources.card import Document, Request, SourceCard
from dagster_project.sources.formats import (
    is_it_the_file_of,
    looks_like_zip,
    read_text_table,
    require_every,
    unzip_member,
    utc_naive,
)

CARD = SourceCard(
    name="ecb",
    title="Euro foreign exchange reference rates",
    publisher="European Central Bank",
    licence="© European Central Bank; free reuse if the source is quoted",
    licence_url=(
        "https://www.ecb.europa.eu/stats/ecb_statistics/"
        "governance_and_quality_framework/html/usage_policy.en.html"
    ),
    is_redistributable=True,
    cadence="daily",
    homepage=(
        "https://www.ecb.europa.eu/stats/policy_and_exchange_rates/"
        "euro_reference_exchange_rates/html/index.en.html"
    ),
    tables=("price_quotes",),
    description=(
        "Units of US dollar, Japanese yen and Chinese renminbi per euro on each TARGET business "
        "day since 1999-01-04 (renminbi since 2005-04-01), fixed about 14:15 and published about "
        "16:00 Frankfurt time."
    ),
    bundled=("reference_rates.csv",),
    base_url="https://www.ecb.europa.eu/stats/eurofxref",
)

HISTORY = "eurofxref-hist"
RENMINBI_FROM = date(2005, 4, 1)
"""First day of a renminbi reference rate: a file that reaches it has the column."""


def plan() -> Sequence[Request]:
    """One request: the whole history, about 0.6 MB."""
    return [
        Request(document=f"{HISTORY}.zip", url=f"{HISTORY}.zip", expects=("zip",)),
    ]


def parse(payload: bytes, document: Document) -> Mapping[str, pl.DataFrame]:
    """The history of reference rates -> `price_quotes`, one row per currency and quoted day.

    Reads the publisher's zip, the CSV inside it (newest day first, `N/A` where a currency was not
    quoted, each line ended by a comma), and our bundled table (`date,usd,jpy,cny`): the names of
    the columns are the same but for case. `close` is units of the currency per euro. A rate that
    is not there makes no row. `vintage_at` is the day itself for bundled figures, else the time
    of retrieval.
    Raises UpstreamFormatError when the payload is none of these, is cut, lacks a column (that of
    the renminbi, if it has days from RENMINBI_FROM on), or holds a day or a rate that is not one.
    Source: ECB, eurofxref-hist.
    """
    source = CARD.name
    if looks_like_zip(payload):
        payload = unzip_member(
            payload,
            f"{HISTORY}.csv",
            source=source,
            hint=f"Land {HISTORY}.zip, or the {HISTORY}.csv inside it.",
        )
    table = _read(payload, required=("date", "usd", "jpy"), optional=("cny",))
    rates = table.unpivot(index="date", variable_name="currency", value_name="rate").select(
        pl.col("currency").str.to_uppercase(),
        "rate",
        pl.col("date").alias("day"),
        # The pattern goes first: `to_date` alone also reads days like 2026-1-5.
        pl.when(pl.col("date").str.contains(r"^\d{4}-\d{2}-\d{2}$"))
        .then(pl.col("date").str.to_date("%Y-%m-%d", strict=False))
        .alias("price_date"),
        pl.col("rate").replace("N/A", None).cast(pl.Float64, strict=False).alias("close"),
    )
    require_every(
        pl.col("price_date").is_not_null(),
        of=rates,
        value=pl.col("day"),
        what="is not a day like 2026-10-30",
        source=source,
    )
    require_every(
        pl.col("rate").is_null() | (pl.col("rate") == "N/A") | pl.col("close").is_finite(),
        of=rates,
        value=pl.format("{} {}: {}", "currency", "day", "rate"),
        what="is not a rate",
        source=source,
    )
    if table["cny"].null_count() == table.height:
        last: date = rates.select(pl.col("price_date").max()).item()
        if last >= RENMINBI_FROM:
            # A column that is there and blank all through passes; one that is not is refused.
            _read(payload, required=("date", "usd", "jpy", "cny"))
    vintage_at = (
        pl.col("price_date").cast(INSTANT)
        if document.is_bundled
        else pl.lit(utc_naive(document.retrieved_at), INSTANT)
    )
    quotes = (
        rates.lazy()
        .filter(
            pl.col("close").is_not_null(),
            (pl.col("currency") != "CNY") | (pl.col("price_date") >= RENMINBI_FROM),
        )
        .select(
            pl.lit(source).alias("source"),
            pl.format("EUR{}", "currency").alias("instrument"),
            "price_date",
            pl.lit("D").alias("frequency"),
            "close",
            pl.lit(None, pl.Float64).alias("adjusted_close"),
            "currency",
            pl.format("{} per EUR", "currency").alias("unit"),
            pl.lit(False).alias("is_provisional"),
            vintage_at.alias("vintage_at"),
        )
        .sort("instrument", "price_date")
        .collect()
    )
    return {"price_quotes": quotes}


def _read(payload: bytes, *, required: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
    return read_text_table(
        payload,
        source=CARD.name,
        required=required,
        optional=optional,
        others=True,
        hint=is_it_the_file_of(CARD.homepage),
    )
