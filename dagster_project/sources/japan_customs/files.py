"""The CSV files of 品別国別表: a line per code and country, a year's months in columns."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.vocabulary import economy_by
from dagster_project.sources.formats import header_of, read_text_table, require_every
from dagster_project.sources.japan_customs.pages import FINAL, NAME, TITLE, Stages

HOMEPAGE = "https://www.e-stat.go.jp/stat-search/files?toukei=00350300"

FLOWS: Mapping[str, str] = MappingProxyType({"1": "export", "2": "import"})
"""By the first column, `Exp or Imp`."""

FIXED_COLUMNS = (
    "exp or imp", "year", "hs", "country", "unit1", "unit2",
    "quantity1-year", "quantity2-year", "value-year",
)  # fmt: skip
MONTH_COLUMNS = ("quantity1-", "quantity2-", "value-")
"""How the three columns of each month begin; its name varies (`Apr`, in some years `Apl`)."""

MONTHS = range(1, 13)
YEN = 1000
"""Values are printed in thousand yen."""

MOST_TRUNCATED = 13
"""A year and its twelve months are each truncated below one."""
LARGEST_SHARE_OF_OTHER_SUMS = 0.05
FEWEST_OTHER_SUMS = 3
"""Some lines may be misprinted; where more years than this differ from the sum of their months,
columns are shifted."""
WHOSE = f"Is it a file of {HOMEPAGE}, table {TITLE}?"


class Part(NamedTuple):
    """A file as text, typed no further."""

    table: pl.DataFrame
    flow: str
    year: int


def read(payload: bytes) -> Part:
    """A CSV file as text. Raises UpstreamFormatError for another layout."""
    header = header_of(payload, source=NAME)
    expected = [*FIXED_COLUMNS, *(name for _ in MONTHS for name in MONTH_COLUMNS)]
    if len(header) != len(expected) or not all(
        name.startswith(start) for name, start in zip(header, expected, strict=True)
    ):
        raise UpstreamFormatError(
            f"{NAME}: the header is not that of {TITLE}: {len(expected)} columns, from "
            "`Exp or Imp` to `Value-Dec`.",
            hint=WHOSE,
        )
    try:
        payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        payload = payload.decode("cp932", errors="replace").encode()
    table = read_text_table(payload, source=NAME, required=header, hint=WHOSE)
    table.columns = [
        *FIXED_COLUMNS,
        *(f"{name}{month}" for month in MONTHS for name in MONTH_COLUMNS),
    ]
    _require_codes_and_numbers(table)
    flows, years = table["exp or imp"].unique(), table["year"].unique()
    if len(flows) > 1 or len(years) > 1:
        raise UpstreamFormatError(f"{NAME}: the file has more than one flow or year.")
    _require_sums(table)
    return Part(table, FLOWS[flows[0]], int(years[0]))


def _require_codes_and_numbers(table: pl.DataFrame) -> None:
    numbers = [name for name in table.columns if "quantity" in name or "value" in name]
    rules = (
        ("exp or imp", pl.col("exp or imp").is_in(list(FLOWS)), "is neither 1 nor 2 (Exp or Imp)"),
        ("year", pl.col("year").str.contains(r"^(19|20)[0-9]{2}$"), "is not a year"),
        ("hs", pl.col("hs").str.contains(r"^'?[0-9]{9}'?$"), "is not a code of nine digits"),
        ("country", pl.col("country").str.contains(r"^[0-9]{3}$"), "is not a country's number"),
        *(
            (name, pl.col(name).str.contains(r"^-?[0-9]+$"), f"is not a whole number ({name})")
            for name in numbers
        ),
    )
    for column, rule, what in rules:
        require_every(rule, table=table, value=pl.col(column), what=what, source=NAME)


def _require_sums(table: pl.DataFrame) -> None:
    """Raise where a column is shifted: years then differ from the sum of their months."""
    months = pl.sum_horizontal(pl.col(f"value-{month}").cast(pl.Int64) for month in MONTHS)
    differs = (pl.col("value-year").cast(pl.Int64) - months).abs() > MOST_TRUNCATED
    count = table.select(differs.sum()).item()
    if count >= FEWEST_OTHER_SUMS and count > LARGEST_SHARE_OF_OTHER_SUMS * table.height:
        raise UpstreamFormatError(
            f"{NAME}: the year differs from the sum of its months on {count:,} of "
            f"{table.height:,} lines.",
            hint="Columns may be shifted: fetch the file again.",
        )


def published_months(part: Part, stages: Stages) -> pl.DataFrame:
    """The published months of a file, a row each in which anything is printed."""
    by_month = pl.concat(_of_month(part, month) for month in MONTHS)
    is_printed = pl.any_horizontal(
        pl.col(name) != 0 for name in ("quantity1", "quantity2", "value")
    )
    printed = by_month.filter(is_printed)
    last = int(printed["month"].max() or 0)  # type: ignore[arg-type]
    published: Mapping[int, str] = dict.fromkeys(range(1, last + 1), "")
    if stages:
        published = stages.get((part.flow, part.year), {})
        newest = max(published, default=0)
        if last != newest:
            raise UpstreamFormatError(
                f"{NAME}: {part.flow}s of {part.year} have figures up to month {last}, and the "
                f"page lists months up to {newest}.",
                hint="The files may have been replaced while they were read: fetch them again.",
            )
    final = [month for month, stage in published.items() if stage == FINAL]
    economies = economy_by("japan_customs_code")
    return printed.filter(pl.col("month").is_in(list(published))).select(
        pl.lit("JPN").alias("reporter_iso3"),
        pl.col("country").alias("partner_code"),
        pl.col("country")
        .replace_strict(economies, default=None, return_dtype=pl.String)
        .alias("partner_iso3"),
        pl.lit(part.flow).alias("flow"),
        pl.col("hs").alias("national_code"),
        pl.date(part.year, pl.col("month"), 1).alias("period_start"),
        (pl.col("value") * YEN).cast(pl.Float64).alias("value_local"),
        pl.when(pl.col("unit1").is_not_null())
        .then("quantity1")
        .when(pl.col("unit2").is_not_null())
        .then("quantity2")
        .cast(pl.Float64)
        .alias("quantity"),
        pl.coalesce("unit1", "unit2").alias("quantity_unit"),
        pl.when(pl.col("unit2") == "KG").then("quantity2").cast(pl.Float64).alias("net_weight_kg"),
        (~pl.col("month").is_in(final)).alias("is_provisional"),
    )


def _of_month(part: Part, month: int) -> pl.DataFrame:
    return part.table.select(
        pl.col("hs").str.strip_chars("'"),
        "country",
        pl.col("unit1", "unit2").str.strip_chars().replace("", None),
        pl.lit(month, pl.Int32).alias("month"),
        *(
            pl.col(f"{name}{month}").cast(pl.Int64).alias(name.rstrip("-"))
            for name in MONTH_COLUMNS
        ),
    )
