"""Rudnick and Gao's composition of the continental crust -> `element_abundance`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.abundance_tables import abundance_of
from dagster_project.sources.card import Document, SourceCard

CARD = SourceCard(
    name="rudnick_gao",
    title="Composition of the continental crust (2014)",
    publisher="R. L. Rudnick and S. Gao, Treatise on Geochemistry, second edition, chapter 4.1",
    licence="Facts, with the authors cited; as tabled in pyrolite 0.3.8 (MIT)",
    licence_url="https://github.com/morganjwilliams/pyrolite/blob/main/LICENSE",
    is_redistributable=True,
    cadence="edited by hand",
    domain="production_and_uses",
    homepage="https://doi.org/10.1016/B978-0-08-095975-7.00301-6",
    tables=("element_abundance",),
    description=(
        "Parts per million by weight of 57 elements in the upper continental crust and in all of "
        "the continental crust, of the upper crust with two standard deviations where given. "
        "Bundled figures count from the end of 2014, the year of the book."
    ),
    bundled=("abundance.csv",),
)

PUBLISHED_AT = datetime(2014, 12, 31)
"""Last day of the publication's year; its exact day is not printed."""


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A tidy table -> `element_abundance`; its layout and errors are those of `abundance_of`."""
    return {
        "element_abundance": abundance_of(
            payload, document, source=CARD.name, published_at=PUBLISHED_AT
        )
    }
