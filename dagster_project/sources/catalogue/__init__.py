"""Kido's own catalogue, edited by hand: measures with scope, milestones, supply projects, grades of
deposits, lists of critical materials, companies, decisions on notices, claims, economies.

A module reads each kind of document; its layout is described there and at the head of each file.
What the state of a clause is on a day, or whether a claim holds, is decided in dbt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from dagster_project.errors import UpstreamFormatError
from dagster_project.lake.schemas import INSTANT
from dagster_project.lake.scope import DEFAULT_SCOPE, CommodityScope
from dagster_project.sources.card import Document, SourceCard
from dagster_project.sources.catalogue.claims import read_claims
from dagster_project.sources.catalogue.clauses import read_measures
from dagster_project.sources.catalogue.companies import read_companies
from dagster_project.sources.catalogue.economies import is_table, read_economies
from dagster_project.sources.catalogue.entries import NAME
from dagster_project.sources.catalogue.lists import read_lists
from dagster_project.sources.catalogue.milestones import read_milestones
from dagster_project.sources.catalogue.notices import read_notices
from dagster_project.sources.catalogue.projects import read_grades, read_projects
from dagster_project.sources.catalogue.yaml_text import read_section
from dagster_project.sources.formats import looks_like_html, utc_naive

CARD = SourceCard(
    name=NAME,
    title="Catalogue of restrictions, milestones, claims and economies",
    publisher="Kido",
    licence="CC BY 4.0",
    licence_url="https://creativecommons.org/licenses/by/4.0/",
    is_redistributable=True,
    cadence="edited by hand",
    domain="restrictions",
    homepage="dagster_project/bundled/catalogue",
    tables=(
        "restriction_clauses",
        "restriction_suspensions",
        "restriction_scope",
        "milestones",
        "supply_projects",
        "deposit_grades",
        "critical_lists",
        "company_facts",
        "notice_decisions",
        "claims",
        "economies",
        "economy_codes",
    ),
    lists=("economies", "commodities", "mineral_groups", "nomenclature"),
    description=(
        "Export restrictions on critical minerals clause by clause, 2010 to 2026, with their "
        "dates, targets and the codes they cover; dated facts on supply projects and disputes; "
        "what supply projects announce, and grades of sea-bed mud; materials that governments call "
        "critical or strategic; companies that are listed or disclosed a restriction; notices that "
        "were read; published statements to be compared with the figures; and the economies with "
        "the codes that publishers give them. Facts with their sources, in files that are edited "
        "by hand."
    ),
    bundled=(
        "measures.yaml",
        "milestones.yaml",
        "projects.yaml",
        "deposit_grades.yaml",
        "critical_lists.yaml",
        "companies.yaml",
        "notices.yaml",
        "claims.yaml",
        "economies.csv",
    ),
)

_SECTIONS: Mapping[str, Callable[[Sequence[dict[str, Any]]], Mapping[str, pl.DataFrame]]] = {
    "measures": read_measures,
    "milestones": read_milestones,
    "projects": read_projects,
    "deposit_grades": read_grades,
    "critical_lists": read_lists,
    "companies": read_companies,
    "notices": read_notices,
    "claims": read_claims,
}


def parse(
    payload: bytes, document: Document, scope: CommodityScope = DEFAULT_SCOPE
) -> Mapping[str, pl.DataFrame]:
    """A file of the catalogue -> frames by lake table, whatever the file is called.

    `measures:` gives `restriction_clauses`, `restriction_suspensions`, `restriction_scope`, of the
    companies that clauses name `company_facts`, and of the notices they are in
    `notice_decisions`; `companies:` gives what else is known of companies, `notices:` the notices
    that are not relevant; `milestones:` and `claims:` give the tables of these names, and a table
    that begins with `economy_iso3` gives `economies` and `economy_codes`.
    `vintage_at` is the time of retrieval; nothing is provisional.
    Raises UpstreamFormatError in one sentence that names the line, the entry and the field, or
    UnknownCodeError for an economy, mineral group or HS code that no list of codes has.
    """
    if not payload.strip():
        raise UpstreamFormatError(f"{NAME}: the file is empty.")
    if looks_like_html(payload):
        raise UpstreamFormatError(f"{NAME}: HTML page where YAML or CSV was expected.")
    if is_table(payload):
        frames: Mapping[str, pl.DataFrame] = read_economies(payload)
    else:
        section, entries = read_section(payload, allowed=_SECTIONS)
        frames = _SECTIONS[section](entries)
    return {
        table: frame.with_columns(
            source=pl.lit(NAME),
            is_provisional=pl.lit(False),
            vintage_at=pl.lit(utc_naive(document.retrieved_at), INSTANT),
        )
        for table, frame in frames.items()
    }
