"""Federal Reserve Economic Data (FRED): the yen per dollar of the Fed's release H.10.

It stands beside the rate derived from the euro's, under its own name. Other series of FRED are
none of its business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import (
    Calendar,
    Document,
    Extract,
    Request,
    Scope,
    SourceCard,
    Window,
)
from dagster_project.sources.formats import (
    header_of,
    is_it_the_file_of,
    looks_like_zip,
    read_text_table,
    require_every,
    require_text,
)
from dagster_project.sources.quotes import day_of, quotes_of, retrieval_of

SERIES = "DEXJPUS"

CARD = SourceCard(
    name="fred",
    title="Japanese yen per US dollar (H.10)",
    publisher="Board of Governors of the Federal Reserve System, by FRED of the Fed of St. Louis",
    licence="Public domain (H.10); FRED's terms of use apply to its service",
    licence_url="https://fred.stlouisfed.org/legal/",
    is_redistributable=True,
    cadence="daily",
    domain="prices",
    homepage=f"https://fred.stlouisfed.org/series/{SERIES}",
    tables=("price_quotes",),
    description=(
        "Noon buying rate of the US dollar in yen in New York on each business day since "
        "1971-01-04, published on Mondays for the week before. It is an instrument of its own "
        f"({SERIES}), beside the rate that is derived from those of the European Central Bank."
    ),
    base_url="https://fred.stlouisfed.org",
    # On Mondays for the five days before: that of the Monday before is a week old then.
    published_after=timedelta(days=7),
    calendar=Calendar(
        "30 17 * * 1-5",
        "America/New_York",
        "Weekdays at 17:30 in New York: the release is of Monday afternoon, after a holiday of "
        "Tuesday.",
    ),
)

OVERLAP = timedelta(days=30)
"""How far back known days are fetched again, to get rates that are corrected."""

DAY_COLUMNS = ("observation_date", "date")
"""Names of the first column; the second was used until 2024."""

MISSING = "."
"""What a day without a rate has, unless it is blank."""

_WHOSE = is_it_the_file_of(CARD.homepage)


def plan(windows: Sequence[Window], scope: Scope) -> Sequence[Extract]:
    """The whole history (0.25 MB), or the days from a month before the last known one."""
    params = {"id": SERIES}
    document = f"{SERIES}.csv"
    if scope.known_until is not None:
        start = scope.known_until - OVERLAP
        params["cosd"] = f"{start}"
        document = f"{SERIES}-from-{start}.csv"
    return [Extract(document, (Request("graph/fredgraph.csv", expects=("csv",), params=params),))]


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """`observation_date,DEXJPUS` -> `price_quotes`, one row per day with a rate.

    `close` is yen per dollar. A blank and a `.` are days without a rate (holidays) and make no
    row.
    Raises UpstreamFormatError for another series or layout, a zip archive (which is sent for
    several series), a page, a cut file, and an invalid day or rate.
    Source: FRED, fredgraph.csv; Federal Reserve, H.10.
    """
    source = CARD.name
    if looks_like_zip(payload):
        raise UpstreamFormatError(
            f"{source}: a zip archive of several series, not the CSV of {SERIES}.",
            hint="Download one series at a time.",
        )
    require_text(payload, source=source, hint=_WHOSE)
    day = next(
        (name for name in DAY_COLUMNS if name in header_of(payload, source=source)), DAY_COLUMNS[0]
    )
    table = read_text_table(payload, source=source, required=(day, SERIES.lower()), hint=_WHOSE)
    rates = table.select(
        pl.col(day).alias("day"),
        pl.col(SERIES.lower()).replace(MISSING, None).alias("rate"),
    ).with_columns(
        day_of("day").alias("price_date"),
        pl.col("rate").cast(pl.Float64, strict=False).alias("close"),
    )
    require_every(
        pl.col("price_date").is_not_null(),
        table=rates,
        value=pl.col("day"),
        what="is not a day like 2026-10-30",
        source=source,
    )
    require_every(
        pl.col("rate").is_null() | pl.col("close").is_finite(),
        table=rates,
        value=pl.format("{}: {}", "day", "rate"),
        what="is not a rate",
        source=source,
    )
    quotes = rates.lazy().with_columns(
        instrument=pl.lit(SERIES), currency=pl.lit("JPY"), unit=pl.lit("JPY per USD")
    )
    return {
        "price_quotes": quotes_of(
            quotes, source=source, frequency="D", vintage_at=retrieval_of(document)
        )
    }
