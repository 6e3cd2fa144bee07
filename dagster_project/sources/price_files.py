"""The layout of price files that a person lands (`docs/price-files.md`), of two sources.

Only the reading of the file is here; what may be in which file is on the sources' cards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import polars as pl

from dagster_project.sources.card import Document
from dagster_project.sources.formats import read_text_table, require_every
from dagster_project.sources.quotes import day_of, quotes_of, retrieval_of

REQUIRED = (
    "price_date", "product_code", "currency", "unit", "low", "high", "mid", "vat_included",
    "source", "source_licence",
)  # fmt: skip
OPTIONAL = (
    "product_name", "purity", "basis", "incoterm", "location", "source_ref", "received_at",
)  # fmt: skip

MISSING = ("N/A", "-")
"""What a cell without a figure may have, besides nothing."""

BASES = ("spot", "contract")
PRICES = ("low", "high", "mid")
INDEX = "index"
"""The unit of an index, which has no currency."""

_HINT = "The layout is described in docs/price-files.md."


def read_prices(
    payload: bytes, document: Document, *, source: str, units: Collection[str]
) -> Mapping[str, pl.DataFrame]:
    """A price file -> `price_quotes`, one row per instrument and day.

    The instrument is `product_code`, `incoterm` and `location`, joined by `_` in upper case.
    `close` is `mid`, or the middle of `low` and `high` where it is missing; a row without either is
    dropped. `unit` has all that makes two prices two series: currency and unit, value-added tax,
    basis, purity, and who assessed it.
    Raises UpstreamFormatError for another layout, a cut file, an invalid cell, low above high, mid
    outside of them, and two prices of one instrument and day.
    """
    table = read_text_table(
        payload, source=source, required=REQUIRED, optional=OPTIONAL, hint=_HINT
    )
    prices = table.with_columns(
        day_of("price_date").alias("day"),
        pl.col("vat_included", "basis").str.to_lowercase(),
        *(
            pl.col(name)
            .replace(dict.fromkeys(MISSING))
            .cast(pl.Float64, strict=False)
            .alias(f"{name} price")
            for name in PRICES
        ),
        pl.concat_str(
            "product_code",
            pl.col("incoterm", "location").str.replace_all(r"[^A-Za-z0-9]+", "_"),
            separator="_",
            ignore_nulls=True,
        )
        .str.to_uppercase()
        .alias("instrument"),
    )
    for rule, value, what in _rules(units):
        require_every(rule, table=prices, value=value, what=what, source=source, hint=_HINT)
    quotes = (
        prices.lazy()
        .with_columns(_close().alias("close"), _unit().alias("unit"))
        .drop("price_date")
        .rename({"day": "price_date"})
        .filter(pl.col("close").is_not_null())
    )
    require_every(
        pl.len().over("instrument", "price_date") == 1,
        table=quotes.collect(),
        value=pl.format("{} {}", "instrument", "price_date"),
        what="has two prices of one day",
        source=source,
        hint="Land the prices of one assessor, grade and basis at a time.",
    )
    return {
        "price_quotes": quotes_of(
            quotes, source=source, frequency="D", vintage_at=retrieval_of(document)
        )
    }


def _close() -> pl.Expr:
    middle = (pl.col("low price") + pl.col("high price")) / 2
    return pl.coalesce("mid price", middle)


def _unit() -> pl.Expr:
    """All that makes two prices two series, e.g. `CNY per t, with VAT, spot, >=99.5%, SMM`."""
    is_index = pl.col("unit") == INDEX
    return pl.concat_str(
        pl.when(is_index).then(pl.lit("index points")).otherwise(
            pl.format("{} per {}", pl.col("currency").fill_null(""), "unit")
        ),
        pl.when(pl.col("vat_included") == "true").then(pl.lit("with VAT")),
        "basis",
        "purity",
        "source",
        separator=", ",
        ignore_nulls=True,
    )  # fmt: skip


def _rules(units: Collection[str]) -> Iterator[tuple[pl.Expr, pl.Expr, str]]:
    """What every row has to satisfy, the value that is shown where it does not, and why."""
    low, high, mid = (pl.col(f"{name} price") for name in PRICES)
    row = pl.format("{} {}", pl.col("instrument").fill_null(""), pl.col("price_date").fill_null(""))
    yield pl.col("day").is_not_null(), pl.col("price_date"), "is not a day like 2026-10-30"
    yield (
        pl.col("product_code").str.contains(r"^[A-Za-z0-9][A-Za-z0-9._]*$"),
        pl.col("product_code"),
        "is not a product code like NDPR_OX",
    )
    yield (
        pl.col("unit").is_in(list(units)),
        pl.col("unit"),
        f"is not a unit ({', '.join(units)})",
    )
    yield (
        pl.when(pl.col("unit") == INDEX)
        .then(pl.col("currency").is_null())
        .otherwise(pl.col("currency").str.contains(r"^[A-Z]{3}$")),
        pl.format("{}: {}", row, pl.col("currency").fill_null("")),
        "is not a currency like CNY (an index has none)",
    )
    yield (
        pl.col("vat_included").is_in(["true", "false"]),
        pl.col("vat_included"),
        "does not say whether value-added tax is included (true or false)",
    )
    yield (
        pl.col("basis").is_null() | pl.col("basis").is_in(list(BASES)),
        pl.col("basis"),
        f"is not a basis ({', '.join(BASES)})",
    )
    for name in ("source", "source_licence"):
        yield pl.col(name).is_not_null(), row, f"has no {name}"
    for name in PRICES:
        yield (
            pl.col(name).is_null()
            | pl.col(name).is_in(list(MISSING))
            | (pl.col(f"{name} price").is_finite() & (pl.col(f"{name} price") > 0)),
            pl.format("{} {}: {}", row, pl.lit(name), pl.col(name).fill_null("")),
            "is not a price above 0",
        )
    shown = pl.format("{}: {} to {}", row, *(pl.col(name).fill_null("") for name in PRICES[:2]))
    yield low.is_null() | high.is_null() | (low <= high), shown, "has a low above its high"
    yield (
        mid.is_not_null() | (low.is_null() == high.is_null()),
        shown,
        "has only one of low and high, and no mid",
    )
    yield (
        mid.is_null() | ((low.is_null() | (mid >= low)) & (high.is_null() | (mid <= high))),
        pl.format("{}, mid {}", shown, pl.col("mid").fill_null("")),
        "has a mid outside of low and high",
    )
