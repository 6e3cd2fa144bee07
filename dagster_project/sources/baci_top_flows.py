"""The largest flows of BACI, cut off below -> `reconciled_trade`.

Only lists without the small flows; whole years of BACI are in `baci`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import polars as pl

from dagster_project.lake.schemas import RECONCILED_TRADE
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.formats import is_it_the_file_of, utc_naive
from dagster_project.sources.reconciled_flows import lake_rows, tidy_flows

CARD = SourceCard(
    name="baci_top_flows",
    title="BACI, largest flows",
    publisher="CEPII",
    licence="Etalab Open Licence 2.0",
    licence_url="https://www.etalab.gouv.fr/wp-content/uploads/2018/11/open-licence.pdf",
    is_redistributable=True,
    cadence="annual",
    domain="trade",
    homepage="http://www.cepii.fr/CEPII/en/bdd_modele/bdd_modele_item.asp?id=37",
    tables=("reconciled_trade",),
    lists=("economies", "commodities"),
    description=(
        "Value, free on board, of the largest flows of permanent magnets (HS 850511) and of "
        "gallium, germanium and the like (811292): of each importer its six largest suppliers and "
        "of each exporter its six largest customers, 2002 to 2021, 2023 and 2024. What is smaller "
        "is not listed, so that shares are of what is listed and no HHI is given. Taiwan and "
        "Namibia are missing in 2002 to 2017."
    ),
    bundled=("top_flows_2002_2024.csv", "top_flows_2023.csv"),
    published_after=timedelta(days=396),
)

RELEASED = datetime(2026, 1, 31)
"""Day from which the bundled version V202601 counts."""

BUNDLED_EDITION = 202601
"""CEPII's version of the bundled figures, as a number."""


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A list of flows in Kido's tidy table -> `reconciled_trade`, one row per flow, code and year.

    Columns as in `reconciled_flows` (US dollars, free on board; kilograms, optional), CSV or
    Parquet. `vintage_at` is RELEASED for bundled figures, else the time of retrieval.
    Raises what `tidy_flows` does.
    Source: CEPII, BACI; Gaulier and Zignago, working paper 2010-23.
    """
    flows = tidy_flows(
        payload,
        scope,
        source=CARD.name,
        edition=BUNDLED_EDITION if document.is_bundled else None,
        hint=is_it_the_file_of(CARD.homepage),
    )
    vintage_at = RELEASED if document.is_bundled else utc_naive(document.retrieved_at)
    rows = lake_rows(flows.lazy(), source=CARD.name, vintage_at=vintage_at)
    return {"reconciled_trade": rows.collect().sort(RECONCILED_TRADE.key)}
