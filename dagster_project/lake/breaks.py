"""Where a code stops meaning the same goods, or an economy the same area, by files edited by hand.

Figures on both sides of such a break differ without an error of anybody.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

_CHECKOUT = Path(__file__).resolve().parents[2]
BREAKS_FILE = _CHECKOUT / "dbt" / "seeds" / "seed_nomenclature_breaks.csv"
SUCCESSIONS_FILE = Path(__file__).with_name("economy_successions.csv")


@cache
def breaks_within_editions() -> pl.DataFrame:
    """The breaks of a code between two years of one edition: `code`, `hs_revision`, `year`.

    `year` is the first one after the break.
    """
    breaks = pl.read_csv(BREAKS_FILE, infer_schema=False).drop_nulls("year_after")
    return breaks.select(
        code="hs6_code",
        hs_revision="hs_revision_after",
        year=pl.col("year_after").cast(pl.Int32),
    ).unique()


@cache
def successions() -> pl.DataFrame:
    """Economies that others have succeeded: `former`, `successor`, `year`, the first without it."""
    return pl.read_csv(SUCCESSIONS_FILE, infer_schema=False).select(
        former="former_iso3",
        successor="successor_iso3",
        year=pl.col("first_year").cast(pl.Int32),
    )
