"""UN Comtrade, sums over a mineral group and small extracts in a tidy table -> `trade_flows`.

UN Comtrade's own formats are not read: an extract is a small derived table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.flow_tables import flows_of

CARD = SourceCard(
    name="comtrade_baskets",
    title="UN Comtrade, mineral groups and small extracts",
    publisher="United Nations Statistics Division",
    licence="UN Comtrade policy on use and re-dissemination; small extracts with attribution",
    licence_url="https://uncomtrade.org/docs/policy-on-use-and-re-dissemination/",
    is_redistributable=False,
    cadence="annual",
    domain="trade",
    homepage="https://comtradeplus.un.org/",
    tables=("trade_flows",),
    lists=("economies", "mineral_groups"),
    description=(
        "Imports of rare earths (HS 280530, 284610 and 284690, summed) of every importer that "
        "reports to UN Comtrade, each year from 2005 to 2024: the total, the partners among the "
        "world's 20 largest flows of the year, and the remainder (`_X`). China's exports of "
        "graphite (HS 250410 and 380110) and of gallium, germanium and the like (811292) to 39 "
        "partners, each month from 2017 to 2024."
    ),
    bundled=("rare_earths.csv", "china_exports_monthly.csv"),
    published_after=timedelta(days=181),
)


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table of flows -> `trade_flows`; its layout and errors are those of `flows_of`.

    Imports are valued CIF and exports FOB, UN Comtrade's convention.
    """
    return {"trade_flows": flows_of(payload, document, source=CARD.name)}
