"""The CRC Handbook's abundance of the elements in the earth's crust -> `element_abundance`."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.abundance_tables import abundance_of
from dagster_project.sources.card import Document, SourceCard

CARD = SourceCard(
    name="crc_handbook",
    title="Abundance of the elements in the earth's crust",
    publisher="CRC Handbook of Chemistry and Physics",
    licence="Facts, with the book cited; as tabled in mendeleev 1.3.0 (MIT)",
    licence_url="https://github.com/lmmentel/mendeleev/blob/master/LICENSE",
    is_redistributable=True,
    cadence="edited by hand",
    domain="production_and_uses",
    homepage="https://hbcp.chemnetbase.com/",
    tables=("element_abundance",),
    description=(
        "Parts per million by weight of 88 elements in the earth's crust. The edition they were "
        "taken from is not known, so they count from their retrieval."
    ),
    bundled=("abundance.csv",),
)


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table -> `element_abundance`; its layout and errors are those of `abundance_of`."""
    return {"element_abundance": abundance_of(payload, document, source=CARD.name)}
