"""China's exports by weight as reported in the press, in a tidy table -> `trade_flows`.

Second-hand figures: publications of China's customs themselves are not read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.flow_tables import flows_of

CARD = SourceCard(
    name="china_customs_reported",
    title="China's exports of magnets and rare earths as reported in the press",
    publisher="General Administration of Customs of China, as given by the press",
    licence="Single figures, no protected content; each with the report it was read in",
    licence_url="http://english.customs.gov.cn/",
    is_redistributable=True,
    cadence="monthly",
    domain="trade",
    homepage="http://english.customs.gov.cn/Statics/Statistics.html",
    tables=("trade_flows",),
    lists=("economies", "mineral_groups"),
    description=(
        "Exports of China by weight, to the world and to single partners, 2022-11 to 2026-03, with "
        "gaps: the baskets `rare_earth_magnets`, `rare_earths_all_forms` (magnets apart), "
        "`gallium` and `germanium`. The evidence of every row is `reported`: figures of China's "
        "customs at second hand; four months of magnets (to Japan 2024-12, to the world 2025-03, "
        "2025-04 and 2026-02) are worked out, within 15 t, from changes in per cent that reports "
        "give. No values. They are an exporter's reports, so no share is made of "
        "them, and they decide no claim, since claims quote the same reports. Years of all forms "
        "(TASS) and their months (Reuters, Statista) may differ in coverage. A month counts "
        "from the first day of the fourth month after, a year from July of the next, or from the "
        "day of the report if that is later."
    ),
    bundled=("exports.csv",),
    published_after=timedelta(days=20),
)


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table of flows -> `trade_flows`; its layout and errors are those of `flows_of`.

    With the further column `reported_on`, the day of the report a figure was read in.
    """
    return {"trade_flows": flows_of(payload, document, source=CARD.name, has_reports=True)}
