"""Closes of shares, indices and metals that a person has a licence to, in the layout of
`price_files`.

Nothing is fetched and nothing is bundled; what is landed stays in the warehouse of its owner.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.price_files import INDEX, read_prices

CARD = SourceCard(
    name="exchange_prices",
    title="Closes of exchanges from your own files",
    publisher="You, from the exchange or vendor that you have a contract with",
    licence="That of the exchange, as the file says (source_licence); may not be passed on",
    licence_url="docs/price-files.md",
    is_redistributable=False,
    cadence="daily",
    domain="prices",
    homepage="docs/price-files.md",
    tables=("price_quotes",),
    description=(
        "Closes of listed instruments (REMX, 6762.T, TOPIX, ...), landed from files in one layout "
        "(docs/price-files.md). They go before those of Yahoo and before the "
        "bundled indices, once they are at least half as many."
    ),
)

UNITS = ("share", INDEX, "t", "kg", "lb", "troy oz")


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A price file -> `price_quotes`; layout and errors are those of `read_prices`."""
    return read_prices(payload, document, source=CARD.name, units=UNITS)
