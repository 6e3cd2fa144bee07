"""Daily closes of an exchange-traded fund and of makers that use rare earths -> `price_quotes`.

As indices only: the closes themselves may not be redistributed, and returns need only an index.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Calendar, Document, SourceCard
from dagster_project.sources.formats import read_text_table, require_every, vintage_of_days
from dagster_project.sources.quotes import day_of, quotes_of

CARD = SourceCard(
    name="equity_indices",
    title="Rare-earth and maker shares as indices",
    publisher="Kido, from closes on NYSE Arca and the Tokyo Stock Exchange",
    licence="CC BY 4.0 for the derived indices; the closing prices may not be passed on",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="daily",
    domain="prices",
    homepage="https://www.vaneck.com/us/en/investments/rare-earth-strategic-metals-etf-remx/",
    tables=("price_quotes",),
    description=(
        "Closes of the fund REMX since 2019 and of TDK, Shin-Etsu Chemical, Sumitomo Metal Mining "
        "and Toyota since 2016, adjusted for splits, each divided by its first one and times 100."
    ),
    bundled=("equity_indices.csv",),
    published_after=timedelta(),
    calendar=Calendar(
        "0 0 * * 1-5", "UTC", "The day after a session of New York. Nobody fetches it.", days="XNYS"
    ),
)


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A table `instrument,date,index` -> `price_quotes`, one row per instrument and session.

    `index` is the close as a multiple of the instrument's first close in the file, times 100; the
    unit names the day of that close, since figures of two bases are not one series. A blank is a
    session without a close and makes no row. `vintage_at` is the day itself for bundled figures,
    else the time of retrieval.

    Closes are adjusted for splits, unless the file has one of two further columns. `split_ratio`
    (new shares for one old, on the first session after the split, else blank): `index` is of the
    closes as traded. `adjusted_index`: of the closes adjusted for splits and dividends; it begins
    at 100 too, so that its past stays the same after the next dividend.
    Raises UpstreamFormatError for another layout, a cut file, an invalid day, index or ratio, for
    an instrument whose first index is not 100 or has adjusted ones for some of its days only, and
    for a split on a day without an index.
    """
    source = CARD.name
    table = read_text_table(
        payload,
        source=source,
        required=("instrument", "date", "index"),
        optional=("split_ratio", "adjusted_index"),
    )
    quotes = table.select(
        "instrument",
        pl.col("date").alias("day"),
        pl.col("index", "split_ratio", "adjusted_index").name.prefix("printed "),
        day_of("date").alias("price_date"),
        pl.col("index").cast(pl.Float64, strict=False).alias("close"),
        pl.col("adjusted_index").cast(pl.Float64, strict=False).alias("adjusted_close"),
        pl.col("split_ratio").cast(pl.Float64, strict=False),
    )
    _require_plausible(quotes)
    first_day = pl.col("price_date").min().over("instrument")
    indices = (
        quotes.lazy()
        .filter(pl.col("close").is_not_null())
        .with_columns(
            pl.lit(None, pl.String).alias("currency"),
            pl.format("index, {} = 100", first_day).alias("unit"),
        )
    )
    return {
        "price_quotes": quotes_of(
            indices, source=source, frequency="D", vintage_at=vintage_of_days(document)
        )
    }


def _require_plausible(quotes: pl.DataFrame) -> None:
    """Raise UpstreamFormatError for an invalid day or number, and for indices on another base."""
    row = pl.format("{} {}", "instrument", "day")
    is_adjusted = pl.col("adjusted_close").is_not_null()
    has_index = pl.col("close").is_not_null()
    for rule, value, what in (
        (pl.col("instrument").is_not_null(), pl.col("day"), "has no instrument"),
        (pl.col("price_date").is_not_null(), pl.col("day"), "is not a day like 2026-08-05"),
        (*_is_positive("index", "close"), "is not an index above 0"),
        (*_is_positive("adjusted_index", "adjusted_close"), "is not an adjusted index above 0"),
        (*_is_positive("split_ratio", "split_ratio"), "is not a split ratio above 0"),
        (_first("close") == 100, pl.col("instrument"), "does not begin at 100"),
        (
            ~is_adjusted.any().over("instrument") | (is_adjusted == has_index),
            row,
            "has only one of index and adjusted_index",
        ),
        (
            _first("adjusted_close").fill_null(100) == 100,
            pl.col("instrument"),
            "has an adjusted index that does not begin at 100",
        ),
        (pl.col("split_ratio").is_null() | has_index, row, "has a split and no index"),
    ):
        require_every(rule, table=quotes, value=value, what=what, source=CARD.name)


def _is_positive(printed: str, column: str) -> tuple[pl.Expr, pl.Expr]:
    """Whether a cell is blank or a number above 0, and its row in words."""
    cell = pl.col(f"printed {printed}")
    return (
        cell.is_null() | (pl.col(column) > 0),
        pl.format("{} {}: {}", "instrument", "day", cell),
    )


def _first(column: str) -> pl.Expr:
    """The first figure of each instrument."""
    return pl.col(column).sort_by("price_date").drop_nulls().first().over("instrument")
