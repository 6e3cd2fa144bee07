"""What sources of prices share: rows of `price_quotes`, and finished sessions.

Nothing of one publisher's layout.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import INSTANT
from dagster_project.sources.card import Document
from dagster_project.sources.formats import utc_naive

SESSIONS_END_BY = time(17)
"""The exchanges of New York and Tokyo close at 16:00 and 15:30 local time."""


def quotes_of(
    prices: pl.LazyFrame, *, source: str, frequency: str, vintage_at: pl.Expr
) -> pl.DataFrame:
    """Prices -> rows of `price_quotes`, in the order of instruments and days.

    `prices` has `instrument`, `price_date`, `close`, `currency` and `unit`; `adjusted_close`,
    `split_ratio` and `is_provisional` where they are known. A null close makes no row.
    """
    known = prices.collect_schema().names()
    defaults = {"adjusted_close": pl.lit(None, pl.Float64), "is_provisional": pl.lit(False)}
    missing = [value.alias(name) for name, value in defaults.items() if name not in known]
    return (
        prices.filter(pl.col("close").is_not_null())
        .with_columns(*missing)
        .select(
            pl.lit(source).alias("source"),
            "instrument",
            "price_date",
            pl.lit(None, pl.Int32).alias("edition"),
            pl.lit(frequency).alias("frequency"),
            "close",
            "adjusted_close",
            *(("split_ratio",) if "split_ratio" in known else ()),
            "currency",
            "unit",
            "is_provisional",
            vintage_at.cast(INSTANT).alias("vintage_at"),
        )
        .sort("instrument", "price_date")
        .collect()
    )


def retrieval_of(document: Document) -> pl.Expr:
    """`vintage_at` of quotes that count from the time of retrieval."""
    return pl.lit(utc_naive(document.retrieved_at), INSTANT)


def day_of(column: str) -> pl.Expr:
    """The day of a text like 2026-10-30; null for any other, `2026-1-5` too."""
    text = pl.col(column)
    return pl.when(text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")).then(
        text.str.to_date("%Y-%m-%d", strict=False)
    )


def last_finished_day(retrieved_at: datetime, zone: str, *, source: str) -> date:
    """The last day whose session was over when its prices were retrieved.

    A price of a later one is that of a moment, no close. Raises UpstreamFormatError for a zone that
    is not in the IANA database.
    """
    try:
        local = utc_naive(retrieved_at).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UpstreamFormatError(f"{source}: {zone!r} is no time zone.") from error
    is_over = local.time() >= SESSIONS_END_BY
    return local.date() if is_over else local.date() - timedelta(days=1)
