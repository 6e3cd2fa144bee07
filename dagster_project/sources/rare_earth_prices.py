"""Prices of rare earths that a person has a licence to: files in the layout of `price_files`.

Nothing is fetched and nothing is bundled; what is landed stays in the warehouse of its owner.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.price_files import read_prices

CARD = SourceCard(
    name="rare_earth_prices",
    title="Prices of rare earths from your own files",
    publisher="You, from the price agency that you have a contract with",
    licence="That of the price agency, as the file says (source_licence); may not be passed on",
    licence_url="docs/price-files.md",
    is_redistributable=False,
    cadence="daily",
    domain="prices",
    homepage="docs/price-files.md",
    tables=("price_quotes",),
    description=(
        "Assessed prices of oxides of rare earths by place of delivery, landed from files in one "
        "layout (docs/price-files.md): NDPR_OX_EXW_CHINA, DY_OX_FOB_CHINA, TB_OX_CIF_ROTTERDAM. "
        "Two currencies, units, bases, grades or assessors are never one series, nor are prices "
        "with and without value-added tax."
    ),
)

UNITS = ("kg", "t", "lb")


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A price file -> `price_quotes`; layout and errors are those of `read_prices`."""
    return read_prices(payload, document, source=CARD.name, units=UNITS)
