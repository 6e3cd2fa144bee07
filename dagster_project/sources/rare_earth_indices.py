"""Monthly means of the prices of neodymium, cerium and bismuth in China -> `price_quotes`.

As indices only: the prices themselves may not be redistributed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from dagster_project.lake.schemas import INSTANT
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.formats import read_text_table, require_every, utc_naive
from dagster_project.sources.quotes import quotes_of

CARD = SourceCard(
    name="rare_earth_indices",
    title="Prices of neodymium, cerium and bismuth in China as indices",
    publisher="Kido, from daily prices that KOMIS (Korea) shows",
    licence="CC BY 4.0 for the derived indices; the prices may not be passed on",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="monthly",
    domain="prices",
    published_after=timedelta(days=5),
    homepage="https://www.komis.or.kr/Komis/RsrcPrice/MinorMetals",
    tables=("price_quotes",),
    description=(
        "Means of the month of daily prices free on board China, 2024-01 = 100: neodymium 99.5 %, "
        "cerium 99 % and bismuth 99.99 %, 2024-01 to 2026-04. Prices are those of the Korea "
        "resource information service (KOMIS), which does not say whether those of neodymium and "
        "cerium are of metal or oxide; their level in 2024 is that of the oxides."
    ),
    bundled=("monthly_indices.csv",),
)


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A table `instrument,month,index,days,is_provisional` -> `price_quotes`, a row per month.

    `index` is the mean of the month as a multiple of that of the instrument's first month, times
    100; the unit names that month. `days` are the days with a price. `is_provisional` is true of a
    month whose days are not all in it. `vintage_at` of bundled figures is the end of the month, of
    a provisional month the day of retrieval; else the time of retrieval.
    Raises UpstreamFormatError for another layout, a cut file, an invalid month, index or word, a
    month without days, and an instrument whose first index is not 100.
    """
    source = CARD.name
    table = read_text_table(
        payload,
        source=source,
        required=("instrument", "month", "index", "days", "is_provisional"),
    )
    months = table.with_columns(
        pl.when(pl.col("month").str.contains(r"^[0-9]{4}-(0[1-9]|1[0-2])$"))
        .then((pl.col("month") + "-01").str.to_date("%Y-%m-%d", strict=False))
        .alias("price_date"),
        pl.col("index").cast(pl.Float64, strict=False).alias("close"),
        pl.col("days").cast(pl.Int32, strict=False).alias("days"),
    )
    row = pl.format("{} {}", "instrument", "month")
    first = pl.col("close").sort_by("price_date").first().over("instrument")
    for rule, value, what in (
        (pl.col("instrument").is_not_null(), pl.col("month"), "has no instrument"),
        (pl.col("price_date").is_not_null(), pl.col("month"), "is not a month like 2026-03"),
        (pl.col("index").is_not_null(), row, "has no index"),
        (
            pl.col("close").is_finite() & (pl.col("close") > 0),
            pl.format("{}: {}", row, "index"),
            "is not an index above 0",
        ),
        (pl.col("days") > 0, row, "has no days with a price"),
        (
            pl.col("is_provisional").is_in(["true", "false"]),
            row,
            "does not say whether it is provisional (true or false)",
        ),
        (first == 100, pl.col("instrument"), "does not begin at 100"),
    ):
        require_every(rule, table=months, value=value, what=what, source=source)
    quotes = months.lazy().with_columns(
        pl.lit(None, pl.String).alias("currency"),
        pl.format(
            "index, {} = 100",
            pl.col("price_date").min().over("instrument").dt.strftime("%Y-%m"),
        ).alias("unit"),
        pl.col("is_provisional") == "true",
    )
    return {
        "price_quotes": quotes_of(
            quotes, source=source, frequency="M", vintage_at=_vintage_of(document)
        )
    }


def _vintage_of(document: Document) -> pl.Expr:
    retrieved = pl.lit(utc_naive(document.retrieved_at), INSTANT)
    if not document.is_bundled:
        return retrieved
    return pl.min_horizontal(pl.col("price_date").dt.offset_by("1mo").cast(INSTANT), retrieved)
