"""United Kingdom customs, trade by month in a tidy table -> `trade_flows`.

HMRC's own interface is not read: an extract is a small derived table.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.flow_tables import flows_of

CARD = SourceCard(
    name="hmrc",
    title="United Kingdom, overseas trade in goods by month",
    publisher="HM Revenue and Customs",
    licence="Open Government Licence v3.0",
    licence_url="https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    is_redistributable=True,
    cadence="monthly",
    homepage="https://www.uktradeinfo.com/trade-data/ots-custom-table/",
    tables=("trade_flows",),
    lists=("economies", "mineral_groups"),
    description=(
        "Imports and exports of the United Kingdom by partner, each month from 2024-05 to 2026-06, "
        "in 26 HS6 codes and in magnets of rare earths (national line 85051110, the basket "
        "`rare_earth_magnets`). Imports CIF and by country of dispatch, exports FOB, pounds "
        "converted to US dollars at monthly rates of the European Central Bank. No total is "
        "printed: it is the sum of partners. By the convention for monthly trade, a bundled month "
        "counts from the first day of the fourth month after. Magnets from Germany in 2025-06 have "
        "an impossible weight (836 t for 0.15 million dollars), as published: shares of that month "
        "by weight are wrong."
    ),
    bundled=("monthly_flows.csv",),
)

REVISED_FOR = "20mo"
"""HMRC publishes a month within two months and may revise it for 18 months from then on.
Source: UK Trade Info, Suppressions and Revisions."""


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table of flows -> `trade_flows`; its layout and errors are those of `flows_of`.

    Imports are valued CIF and exports FOB. A month is provisional for REVISED_FOR from its first
    day.
    """
    return {"trade_flows": flows_of(payload, document, source=CARD.name, revised_for=REVISED_FOR)}
