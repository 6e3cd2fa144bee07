"""Shared by entries of the catalogue's documents: their names in messages, and HS codes."""

from __future__ import annotations

from collections.abc import Mapping

from dagster_project.errors import UnknownCodeError, shortened
from dagster_project.lake.entries import line_of
from dagster_project.lake.vocabulary import hs_codes
from dagster_project.sources.entries import Place

NAME = "catalogue"
"""The source's name; every message begins with it."""


def place_of(entry: Mapping[str, object], field: str, position: int) -> Place:
    """How a message names an entry: by its identifier, or by its position from 1."""
    name = shortened(f"{field} {entry.get(field) or f'number {position}'}")
    return Place(NAME, line_of(entry), name)


def require_hs_code(where: Place, field: str, code: str) -> None:
    """Raise UnknownCodeError for a code, or a heading without codes, that no revision has."""
    if code not in hs_codes():
        raise UnknownCodeError(
            f"{where}: {field} is {code!r}, which no known revision of the HS has.",
            hint="HS 2022 is in dagster_project/bundled/nomenclature/hs_2022.csv, codes of older "
            "revisions in dbt/seeds/seed_commodities.csv.",
        )
