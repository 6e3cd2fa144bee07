"""The OECD's inventory of export restrictions on industrial raw materials, from files landed by
hand in one layout (`docs/restriction-files.md`): its own download has none that is documented.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.lake.vocabulary import economies, economy_names
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.formats import read_text_table, require_every, utc_naive
from dagster_project.sources.notice_acts import acts_in
from dagster_project.sources.notice_rows import Notice, notices_of
from dagster_project.sources.quotes import day_of

CARD = SourceCard(
    name="oecd_restrictions",
    title="Inventory of export restrictions on industrial raw materials",
    publisher="Organisation for Economic Co-operation and Development (OECD)",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="annual",
    domain="restrictions",
    homepage="https://qdd.oecd.org/subject.aspx?Subject=ExportRestrictions_IndustrialRawMaterials",
    tables=("notices",),
    lists=("economies", "notice_words", "nomenclature"),
    description=(
        "Export taxes, quotas, bans, licensing requirements and other measures by country and raw "
        "material, one notice per country, measure, product and first day. The inventory of a year "
        "comes out some seventeen months later and prints no day of publication: a notice is known "
        "from the day it was retrieved. Files have the layout of docs/restriction-files.md."
    ),
)

REQUIRED = ("country_iso3", "hs6", "product", "measure_type", "date_start")
OPTIONAL = (
    "inventory_year", "country", "hs_version", "measure_detail", "ad_valorem_pct", "quota_value",
    "quota_unit", "date_end", "legal_source", "notes",
)  # fmt: skip

ISSUER = "OECD inventory of export restrictions"
UNDATED = "undated"
_HINT = "The layout is described in docs/restriction-files.md."
_IDENTITY = ("country_iso3", "measure_type", "product", "date_start")


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """Rows by country, HS6 code and measure -> `notices`, one per measure with all its codes.

    A measure is a country's `measure_type` on a `product` from `date_start` on, in any year of the
    inventory. Codes are kept as printed, those of HS 2007 that no list has too.
    Raises UpstreamFormatError for another layout, a cut file, an economy that is not in the list, a
    code without six digits, an invalid day or figure, and a row without measure or product.
    Source: OECD, Methodological note to the Inventory of Export Restrictions (2020).
    """
    table = read_text_table(
        payload, source=CARD.name, required=REQUIRED, optional=OPTIONAL, hint=_HINT
    )
    _require_valid(table)
    measures = (
        table.with_columns(pl.col(_IDENTITY).str.replace_all(r"\s+", " "))
        .group_by(_IDENTITY, maintain_order=True)
        .agg(pl.col("hs6").unique().sort(), _details().unique(maintain_order=True))
    )
    retrieved_at = utc_naive(document.retrieved_at)
    notices = (_notice(row, retrieved_at) for row in measures.iter_rows(named=True))
    return {"notices": notices_of(notices, source=CARD.name)}


def _notice(row: Mapping[str, object], retrieved_at: datetime) -> Notice:
    iso3, measure, product, start = (row[name] for name in _IDENTITY)
    title = f"{economy_names()[str(iso3)]}: {measure}, {product}"
    details = row["details"]
    summary = "; ".join(each for each in details if each) if isinstance(details, list) else ""
    codes = row["hs6"]
    return Notice(
        notice_id=f"{iso3} / {measure} / {product} / {start or UNDATED}",
        published_at=None,
        issuer=ISSUER,
        kind="export_restriction",
        title=title,
        vintage_at=retrieved_at,
        summary=summary or None,
        implementer_iso3=str(iso3),
        acts=tuple(acts_in(summary)),
        hs6_codes=tuple(codes) if isinstance(codes, list) else (),
    )


def _details() -> pl.Expr:
    """What a row says beside its identity: `15 % of the value, from 2015-01-01, by law 12`."""
    return pl.concat_str(
        "measure_detail",
        pl.format("{} % of the value", "ad_valorem_pct"),
        pl.concat_str(pl.format("quota {}", "quota_value"), "quota_unit", separator=" "),
        pl.format("from {}", "date_start"),
        pl.format("to {}", "date_end"),
        "legal_source",
        "notes",
        separator=", ",
        ignore_nulls=True,
    ).alias("details")


def _require_valid(table: pl.DataFrame) -> None:
    """Raise UpstreamFormatError for the first invalid cell."""
    for name, rule, what in (
        ("country_iso3", pl.col("country_iso3").is_in(list(economies())), "is not an economy"),
        ("hs6", pl.col("hs6").str.contains(r"^[0-9]{6}$"), "is not a code of six digits"),
        ("product", pl.col("product").is_not_null(), "is not the name of a product"),
        ("measure_type", pl.col("measure_type").is_not_null(), "is not the name of a measure"),
        *(
            (name, pl.col(name).is_null() | day_of(name).is_not_null(), "is not a day")
            for name in ("date_start", "date_end")
        ),
        *(
            (name, pl.col(name).is_null() | _is_number(name), "is not a number")
            for name in ("ad_valorem_pct", "quota_value")
        ),
    ):
        require_every(
            rule,
            table=table,
            value=pl.format("{}: {}", pl.lit(name), pl.col(name).fill_null("")),
            what=what,
            source=CARD.name,
            hint=_HINT,
        )


def _is_number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Float64, strict=False).is_finite()
