"""Brazilian customs, trade by month in a tidy table -> `trade_flows`.

Comex Stat's own interface is not read: an extract is a small derived table.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.flow_tables import FOB_THROUGHOUT, flows_of

CARD = SourceCard(
    name="comexstat",
    title="Brazil, foreign trade by month",
    publisher="Ministry of Development, Industry, Trade and Services of Brazil, Comex Stat",
    licence="Open data of the Brazilian government; attribution",
    licence_url="https://www.gov.br/mdic/pt-br/assuntos/comercio-exterior/estatisticas/base-de-dados-bruta",
    is_redistributable=True,
    cadence="monthly",
    homepage="https://comexstat.mdic.gov.br/",
    tables=("trade_flows",),
    lists=("economies", "mineral_groups"),
    description=(
        "Imports and exports of Brazil by partner, each month from 2025-01 to 2026-07, in 22 HS6 "
        "codes, magnets of metal and ferro-niobium among them. Values are US dollars FOB, imports "
        "too. No total is printed: it is the sum of partners. By the convention for monthly "
        "trade, a bundled month counts from the first day of the fourth month after. The extract "
        "does not mark provisional months."
    ),
    bundled=("monthly_flows.csv",),
)


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table of flows -> `trade_flows`; its layout and errors are those of `flows_of`.

    Imports and exports are valued FOB: freight and insurance are published apart.
    """
    return {"trade_flows": flows_of(payload, document, source=CARD.name, valuation=FOB_THROUGHOUT)}
