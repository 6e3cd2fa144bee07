"""Kido's tidy table of reconciled trade, as CSV or Parquet, for the sources that share it.

Layouts of the reconcilers themselves are not read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from dagster_project.errors import UnknownCodeError
from dagster_project.lake.schemas import INSTANT
from dagster_project.lake.scope import CommodityScope
from dagster_project.lake.vocabulary import economies
from dagster_project.sources.formats import (
    looks_like_parquet,
    read_parquet_table,
    read_text_table,
    require_every,
)

CODES = ("exporter_iso3", "importer_iso3", "hs6_code", "hs_revision")
KEY = (*CODES, "year")
TIDY_COLUMNS = (*KEY, "value_usd")
OPTIONAL_COLUMNS = ("net_weight_kg", "edition")
LAST_YEAR = 9_999
"""A year has four digits."""


def tidy_flows(
    payload: bytes, scope: CommodityScope, *, source: str, edition: int | None, hint: str
) -> pl.DataFrame:
    """Kido's table: KEY, measures (US dollars, kilograms) and `edition`, which is the default for
    rows that do not give one.

    Raises UpstreamFormatError when the payload is not such a table or has a duplicated flow, an
    invalid year or number; UnknownCodeError that names the economy, code or edition of the HS that
    is in no list.
    """
    if looks_like_parquet(payload):
        table = read_parquet_table(
            payload,
            source=source,
            texts=CODES,
            numbers=("year", "value_usd", *OPTIONAL_COLUMNS),
            optional=OPTIONAL_COLUMNS,
            hint=hint,
        )
    else:
        table = read_text_table(
            payload, source=source, required=TIDY_COLUMNS, optional=OPTIONAL_COLUMNS, hint=hint
        )
    _require_known_codes(table, source, scope)
    version = pl.col("edition").cast(pl.String)
    require_every(
        version.is_null() | version.str.contains(r"^[0-9]{6}$"),
        table=table.select(pl.col("edition").unique()),
        value=version,
        what="is not a version of BACI like 202601",
        source=source,
    )
    require_flows_once(table, KEY, source=source)
    given = pl.col("edition").cast(pl.Int32).fill_null(pl.lit(edition, pl.Int32))
    return with_numbers(table, source=source).with_columns(given)


def _require_known_codes(table: pl.DataFrame, source: str, scope: CommodityScope) -> None:
    """A table has far fewer codes than rows: the rules are checked on the distinct codes."""
    met = {column: table.select(pl.col(column).unique()) for column in CODES}
    known = list(economies())
    economy = "is not a known economy"
    rules = (
        ("exporter_iso3", pl.col("exporter_iso3").is_in(known), economy),
        ("importer_iso3", pl.col("importer_iso3").is_in(known), economy),
        (
            "hs6_code",
            pl.col("hs6_code").is_in(scope.select(met["hs6_code"].to_series())),
            "is not an HS6 code in scope",
        ),
        (
            "hs_revision",
            pl.col("hs_revision").str.contains(r"^HS[0-9]{4}$"),
            "is not an edition of the HS like HS2022",
        ),
    )
    for column, rule, what in rules:
        require_every(
            rule,
            table=met[column],
            value=pl.col(column),
            what=what,
            source=source,
            error=UnknownCodeError,
        )


def require_flows_once(table: pl.DataFrame, key: Sequence[str], *, source: str) -> None:
    """Raise UpstreamFormatError that names the first duplicated flows."""
    if table.select(pl.struct(key).n_unique() == pl.len()).item():
        return
    once = table.select(
        (~pl.struct(key).is_duplicated()).alias("once"), pl.concat_str(key, separator=" ")
    )
    require_every(
        pl.col("once"), table=once, value=pl.col(key[0]), what="is duplicated", source=source
    )


def with_numbers(table: pl.DataFrame, *, source: str) -> pl.DataFrame:
    """The measures as numbers, KEY as it is. Raises UpstreamFormatError for a year or number."""
    flow = pl.concat_str(KEY, separator=" ", ignore_nulls=True)
    year = pl.col("year").cast(pl.String)
    require_every(
        year.str.contains(r"^[0-9]{4}$"),
        table=table.select(pl.col("year").unique()),
        value=year,
        what="is not a year",
        source=source,
    )
    for measure, may_miss in (("value_usd", False), ("net_weight_kg", True)):
        is_number = pl.col(measure).cast(pl.Float64, strict=False).is_finite()
        require_every(
            (pl.col(measure).is_null() | is_number) if may_miss else is_number,
            table=table,
            value=pl.format("{}: {}", flow, pl.col(measure).cast(pl.String).fill_null("")),
            what=f"is not a number ({measure})",
            source=source,
        )
    return table.with_columns(pl.col("value_usd", "net_weight_kg").cast(pl.Float64))


def lake_rows(flows: pl.LazyFrame, *, source: str, vintage_at: datetime) -> pl.LazyFrame:
    """KEY, measures and `edition` -> rows of `reconciled_trade`."""
    # By its index the first day of a year is found in a fraction of the time of `pl.date`.
    first_days = pl.select(pl.date(pl.int_range(LAST_YEAR + 1), 1, 1)).to_series()
    return flows.select(
        pl.lit(source).alias("source"),
        *CODES,
        pl.lit(first_days).gather(pl.col("year").cast(pl.Int32)).alias("period_start"),
        pl.col("edition").cast(pl.Int32),
        "value_usd",
        "net_weight_kg",
        pl.lit(False).alias("is_provisional"),
        pl.lit(vintage_at, INSTANT).alias("vintage_at"),
    )
