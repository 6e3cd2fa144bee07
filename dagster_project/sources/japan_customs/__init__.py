"""Japan's customs, the trade statistics by commodity and country (品別国別表) -> `national_trade`,
and the calendar of their releases -> `release_dates`.

The files of e-Stat, without a key: the list of months, the page of a month, its CSV files. The API
of e-Stat, which needs a key, is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType

import polars as pl

from dagster_project.errors import OutOfScopeError, UpstreamFormatError
from dagster_project.lake.scope import DEFAULT_SCOPE, OUT_OF_SCOPE, CommodityScope
from dagster_project.sources.card import Calendar, Document, Limits, SourceCard, Windows
from dagster_project.sources.formats import looks_like_html, utc_naive
from dagster_project.sources.japan_customs.files import (
    HOMEPAGE,
    WHOSE,
    published_months,
    read,
)
from dagster_project.sources.japan_customs.pages import (
    NAME,
    follow,
    is_calendar,
    plan,
    stages_of,
)
from dagster_project.sources.japan_customs.releases import (
    release_calendar,
    release_dates,
)
from dagster_project.sources.national import lines_of

__all__ = ["CARD", "follow", "parse", "parse_extract", "parse_together", "plan", "release_calendar"]

CARD = SourceCard(
    name=NAME,
    title="Trade statistics of Japan, commodity by country",
    publisher="Ministry of Finance of Japan, by way of e-Stat",
    licence="Government of Japan Standard Terms of Use 2.0; credit 財務省貿易統計 / e-Stat",
    licence_url="https://www.e-stat.go.jp/terms-of-use",
    is_redistributable=True,
    cadence="monthly",
    domain="trade",
    homepage=HOMEPAGE,
    tables=("national_trade", "release_dates"),
    lists=("economies", "commodities"),
    description=(
        "Imports and exports of Japan at nine digits by country, months since 1988 in the codes in "
        "scope, in yen, as printed in thousands (truncated), with the weight where the second unit "
        "is the kilogram. Imports CIF by country of origin, exports FOB by destination. A month's "
        "imports are first published with nine digits about four weeks after it ends, and detailed "
        "a month later; a year is final about March of the next. Months are provisional until then."
    ),
    base_url="https://www.e-stat.go.jp",
    windows=(
        # A file has the months of a year: thirteen months are always those of the two newest years.
        # The detailed files come 26 to 31 days after a month's end.
        Windows(
            "M", date(1988, 1, 1), timedelta(days=24), revised_for=13, tolerance=timedelta(days=8)
        ),
    ),
    # At least half a second between two downloads.
    limits=Limits(calls_a_minute=110),
    calendar=Calendar(
        "35 9 24-31,1-3 * *",
        "Asia/Tokyo",
        "09:35 in Tokyo from the 24th to the 3rd: detailed files are published at 09:30 on a day "
        "of that week, which customs announce a year ahead.",
    ),
)

VALUATION: Mapping[str, str] = MappingProxyType({"import": "CIF", "export": "FOB"})


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """One file of 品別国別表 -> `national_trade`, one row per code, country and published month.

    Without the page of its month (see `parse_extract`) the last month with any figure counts as the
    last published one, and every month as provisional. Raises what `parse_extract` does, and for a
    page.
    """
    if looks_like_html(payload):
        raise UpstreamFormatError(f"{CARD.name}: HTML page where CSV was expected.", hint=WHOSE)
    return parse_extract([payload], document, scope)


def parse_together(
    parts: Sequence[tuple[bytes, Document]], scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Files that are landed together with the pages of their months, read as `parse_extract`
    does.
    """
    return parse_extract([payload for payload, _ in parts], parts[0][1], scope)


def parse_extract(
    parts: Sequence[bytes], document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Files of 品別国別表 with the pages of their months -> `national_trade`; or the calendar of
    releases -> `release_dates`.

    A row per code of nine digits, country and published month in which anything is printed.
    `value_local` is yen (CIF for imports, FOB for exports; truncated below 1,000 yen),
    `net_weight_kg` the second quantity where its unit is KG, else null. `quantity` is the first
    quantity, where it has a unit, else the second. Unpublished months, which are printed as 0, have
    no rows. A month is provisional unless the page calls it final (確定).
    A country whose number is in no list keeps it, without an economy. `vintage_at` is the time of
    retrieval.
    Raises UpstreamFormatError for another layout, a cut file, an invalid number, another newest
    month than on the page (a file that was replaced), years that differ from the sum of their
    months, and a calendar without dates.
    Source: e-Stat, table 00350300; columns as in its CSV files, 1988 to 2026.
    """
    pages = [payload for payload in parts if looks_like_html(payload)]
    if any(is_calendar(page.decode("utf-8", "replace")) for page in pages):
        return {"release_dates": release_dates(pages, document)}
    files = [read(payload) for payload in parts if not looks_like_html(payload)]
    stages = stages_of(pages)
    rows = [published_months(part, stages) for part in files]
    if not rows:
        return {}
    return {
        "national_trade": lines_of(
            _in_scope(pl.concat(rows), scope, is_whole=not pages).lazy(),
            source=CARD.name,
            currency="JPY",
            valuation=VALUATION,
            retrieved_at=pl.lit(utc_naive(document.retrieved_at)),
        )
    }


def _in_scope(rows: pl.DataFrame, scope: CommodityScope, *, is_whole: bool) -> pl.DataFrame:
    """The rows of codes in scope; a file that is landed must have some."""
    codes = scope.select(rows["national_code"].str.head(6).unique())
    kept = rows.filter(pl.col("national_code").str.head(6).is_in(codes))
    if kept.is_empty() and is_whole:
        raise OutOfScopeError(
            f"{CARD.name}: no line is of an HS6 code in scope.", hint=OUT_OF_SCOPE
        )
    return kept
