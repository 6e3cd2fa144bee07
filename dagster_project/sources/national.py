"""What sources of `national_trade` share: editions of the HS, re-imports, the columns of a row.

Publishers' own formats are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

import polars as pl

from dagster_project.lake.schemas import INSTANT, NATIONAL_TRADE

EDITIONS: Mapping[str, date] = MappingProxyType(
    {
        "HS1988": date(1988, 1, 1),
        "HS1992": date(1992, 1, 1),
        "HS1996": date(1996, 1, 1),
        "HS2002": date(2002, 1, 1),
        "HS2007": date(2007, 1, 1),
        "HS2012": date(2012, 1, 1),
        "HS2017": date(2017, 1, 1),
        "HS2022": date(2022, 1, 1),
        "HS2028": date(2028, 1, 1),
    }
)
"""First day on which national tariffs are based on an edition of the HS, where an economy changes
with the edition. Source: World Customs Organization, entry into force of the editions."""

AMOUNTS = (
    "value_local", "freight_local", "insurance_local", "quantity", "net_weight_kg",
)  # fmt: skip


def hs_revision(since: Mapping[str, date] = EDITIONS) -> pl.Expr:
    """The edition of the HS in force on `period_start`; `since` has the first day of each."""
    edition = pl.lit(None, pl.String)
    for name, first_day in sorted(since.items(), key=lambda item: item[1]):
        edition = pl.when(pl.col("period_start") >= first_day).then(pl.lit(name)).otherwise(edition)
    return edition


def lines_of(
    rows: pl.LazyFrame,
    *,
    source: str,
    currency: str,
    valuation: Mapping[str, str],
    retrieved_at: pl.Expr,
    editions: Mapping[str, date] = EDITIONS,
) -> pl.DataFrame:
    """Rows of a publisher -> rows of `national_trade`, in the order of its key.

    `rows` have the key without `source`, `partner_iso3`, `is_provisional` and those of AMOUNTS and
    `quantity_unit` that the publisher prints; amounts are units of `currency` and kilograms. Goods
    that come from the reporter itself are imports here. `valuation` is CIF or FOB by flow.
    """
    names = rows.collect_schema().names()
    absent = [name for name in (*AMOUNTS, "quantity_unit") if name not in names]
    types = NATIONAL_TRADE.polars_schema
    return (
        rows.with_columns(pl.lit(None, types[name]).alias(name) for name in absent)
        .with_columns(
            pl.lit(source).alias("source"),
            pl.col("national_code").str.head(6).alias("hs6_code"),
            hs_revision(editions).alias("hs_revision"),
            pl.lit(currency).alias("currency"),
            retrieved_at.cast(INSTANT).alias("vintage_at"),
        )
        .with_columns(pl.col("flow").replace_strict(valuation).alias("valuation"))
        .select(name for name in NATIONAL_TRADE.columns if name not in ("document", "snapshot_id"))
        .sort(NATIONAL_TRADE.key, nulls_last=True)
        .collect()
    )


def summed(rows: pl.LazyFrame, by: Sequence[str], amounts: Sequence[str]) -> pl.LazyFrame:
    """Rows of one line (ports, offices, ways) as a sum, which is missing where a part is."""
    return rows.group_by(by).agg(
        pl.when(~pl.col(amount).has_nulls()).then(pl.col(amount).sum()).alias(amount)
        for amount in amounts
    )
