"""The days that the warehouse can be built for.

Which rows are current on a day is a rule of dbt; here is only the first possible day.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from dagster_project.errors import ConfigurationError
from dagster_project.intake.stores import lake_of, landing_of
from dagster_project.lake.copies import left_out_on
from dagster_project.lake.schemas import LAKE_TABLES
from dagster_project.settings import Settings

_NO_SUPPLIERS = ("WLD", "_X")
"""Partners that are not suppliers: the printed total, and the part not published by partner."""

_HAS_SUPPLIER = {
    "trade_flows": (
        (pl.col("flow") == "import")
        & ~pl.col("partner_iso3").is_in(_NO_SUPPLIERS)
        & (pl.col("partner_iso3") != pl.col("reporter_iso3"))
        & ((pl.col("value_usd") > 0) | (pl.col("net_weight_kg") > 0))
    ),
    "reconciled_trade": ~pl.col("importer_iso3").is_in(_NO_SUPPLIERS) & (pl.col("value_usd") > 0),
}
"""By lake table, whether a row gives `dependency.supplier_shares` a supplier."""


def require_day(settings: Settings) -> None:
    """Raise ConfigurationError for a day before the first figures, or in the future."""
    settings.require_past_or_today()
    first = first_day(settings) if settings.as_of else None
    if first and settings.today < first:
        raise ConfigurationError(
            f"{settings.today} is too early: there is no figure of any supplier before {first}."
        )


def first_day(settings: Settings) -> date | None:
    """The first day with a figure of a supplier; None if the lake has no trade yet."""
    landing, lake = landing_of(settings), lake_of(settings)
    sources = lake.store.names("_snapshots")
    left_out = left_out_on(settings.today, landing, lake, sources)
    vintages = [
        rows.filter(has_supplier).select(pl.col("vintage_at").min()).collect().item()
        for name, has_supplier in _HAS_SUPPLIER.items()
        for table in [LAKE_TABLES[name]]
        for source in sources
        if (rows := lake.rows(table, source, left_out(table))) is not None
    ]
    return min((vintage.date() for vintage in vintages if vintage), default=None)
